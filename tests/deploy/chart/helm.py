"""The program helm: given, on the path, or built once per machine from its Go module."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from signaalwissel.deploy.progress import PlatformProgress

from tests.deploy.go_programs import Module, NotBuilt, go_programs

VARIABLE = "SIGNAALWISSEL_HELM"
VERSION = "v3.22.0"
CHART = Path(__file__).parents[3] / "deploy" / "helm" / "signaalwissel"
CASES = Path(__file__).parent / "cases"


def helm_program(cache: Path, progress: PlatformProgress) -> Path:
    """Where helm is; skips the test, with the reason, where it is not to be had."""
    if given := os.environ.get(VARIABLE) or shutil.which("helm"):
        return Path(given)
    module = Module({"helm.sh/helm/v3/cmd/helm": "helm"}, VERSION)
    try:
        return go_programs(cache / f"helm-{VERSION}", [module], progress) / "helm"
    except NotBuilt as reason:
        pytest.skip(f"{reason}; {VARIABLE} may name it, or the path have it")


def template(helm: Path, case: str, *extra: str) -> "subprocess.CompletedProcess[str]":
    """What helm renders of a case in `cases/`, or why it does not."""
    return subprocess.run(
        [helm, "template", "signaalwissel", CHART, "--namespace", "schuldhulp", "--kube-version", "1.34.0",
         "--values", CASES / f"{case}.yaml", *extra],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
