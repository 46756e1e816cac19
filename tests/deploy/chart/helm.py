"""The program helm: given, on the path, or built once per machine from its Go module."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from signaalwissel.deploy.cache import filled
from signaalwissel.deploy.progress import PlatformProgress

VARIABLE = "SIGNAALWISSEL_HELM"
VERSION = "v3.22.0"
CHART = Path(__file__).parents[3] / "deploy" / "helm" / "signaalwissel"
CASES = Path(__file__).parent / "cases"
_BUILD_BOUND_S = 840


def helm_program(cache: Path, progress: PlatformProgress) -> Path:
    """Where helm is; skips the test, with the reason, where it is not to be had."""
    if given := os.environ.get(VARIABLE) or shutil.which("helm"):
        return Path(given)
    go = shutil.which("go")
    folder = cache / f"helm-{VERSION}"
    if go is None and not (folder / "helm").exists():
        pytest.skip(f"no helm: set {VARIABLE}, or install helm, or Go to build it")

    def build(staging: Path) -> None:
        progress.note(f"Building helm {VERSION} from its Go module, once per machine.")
        subprocess.run(
            [str(go), "install", "-ldflags=-s -w", f"helm.sh/helm/v3/cmd/helm@{VERSION}"],
            env={**os.environ, "GOBIN": str(staging), "CGO_ENABLED": "0"},
            check=True, capture_output=True, text=True, timeout=_BUILD_BOUND_S,
        )  # fmt: skip

    try:
        return filled(folder, build, lambda where: (where / "helm").exists(), progress) / "helm"
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"helm cannot be built here: {str(error.stderr or error)[-300:]}")


def template(helm: Path, case: str, *extra: str) -> "subprocess.CompletedProcess[str]":
    """What helm renders of a case in `cases/`, or why it does not."""
    return subprocess.run(
        [helm, "template", "signaalwissel", CHART, "--namespace", "schuldhulp", "--kube-version", "1.34.0",
         "--values", CASES / f"{case}.yaml", *extra],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
