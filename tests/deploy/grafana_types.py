"""Grafana's own types, as a program that reads dashboards: built once per machine from Grafana's Go module.

Its server is not part of any test (docs/deploy.md); what a dashboard may say, its SDK knows.
"""

import hashlib
import os
from pathlib import Path

import pytest
from signaalwissel.deploy.progress import PlatformProgress

from tests.deploy.go_programs import Module, NotBuilt, go_programs

SOURCES = Path(__file__).with_name("dashboards")
VARIABLE = "SIGNAALWISSEL_DASHBOARDS"
PROGRAM = "dashboards"


def dashboards_program(cache: Path, progress: PlatformProgress) -> Path:
    """Where the program is; skips the test, with the reason, where it is not to be had."""
    if given := os.environ.get(VARIABLE):
        return Path(given)
    sources = sorted(SOURCES.iterdir())
    known_by = hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:12]
    module = Module({".": PROGRAM}, sources=SOURCES)
    try:
        return go_programs(cache / f"{PROGRAM}-{known_by}", [module], progress) / PROGRAM
    except NotBuilt as reason:
        pytest.skip(f"{reason}; {VARIABLE} may name it")
