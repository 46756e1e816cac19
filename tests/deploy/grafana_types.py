"""Grafana's own types, as a program that reads dashboards: built once per machine from Grafana's Go module.

Its server is not part of any test (docs/deploy.md); what a dashboard may say, its SDK knows.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from signaalwissel.deploy.cache import filled
from signaalwissel.deploy.progress import PlatformProgress

SOURCES = Path(__file__).with_name("dashboards")
VARIABLE = "SIGNAALWISSEL_DASHBOARDS"
_BUILD_BOUND_S = 840


def dashboards_program(cache: Path, progress: PlatformProgress) -> Path:
    """Where the program is; skips the test, with the reason, where it is not to be had."""
    if given := os.environ.get(VARIABLE):
        return Path(given)
    sources = sorted(SOURCES.iterdir())
    known_by = hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:12]
    folder = cache / f"dashboards-{known_by}"
    go = shutil.which("go")
    if go is None and not (folder / "dashboards").exists():
        pytest.skip(f"no Go to build it: set {VARIABLE}, or install Go")

    def build(staging: Path) -> None:
        progress.note("Building the check of dashboards from Grafana's Go module, once per machine.")
        subprocess.run(
            [str(go), "build", "-ldflags=-s -w", "-o", str(staging / "dashboards"), "."],
            cwd=SOURCES, env={**os.environ, "GOFLAGS": "-buildvcs=false", "CGO_ENABLED": "0"},
            check=True, capture_output=True, text=True, timeout=_BUILD_BOUND_S,
        )  # fmt: skip

    try:
        return filled(folder, build, lambda where: (where / "dashboards").exists(), progress) / "dashboards"
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"it cannot be built here: {str(error.stderr or error)[-300:]}")
