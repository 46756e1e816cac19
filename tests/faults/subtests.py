"""Test files of this project as part of a row, in a process of their own."""

import os
import subprocess
import sys
from collections.abc import Mapping

from tests.faults.run import GateFailed
from tests.faults.stages import ROOT


def run_tests(file: str, environment: Mapping[str, str], *, bound_s: float = 400) -> str:
    """Run a test file in a process of its own; GateFailed with the end of its output where it fails."""
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", file, "-q", "--no-header"],
        cwd=ROOT,
        env=os.environ | dict(environment),
        capture_output=True,
        text=True,
        timeout=bound_s,
        check=False,
    )
    if ended.returncode:
        raise GateFailed(f"{file} fails: {ended.stdout[-1500:]}")
    return ended.stdout.strip().splitlines()[-1]
