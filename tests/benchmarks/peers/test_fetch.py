"""What the Python peers get: all that the product's rules import."""

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.benchmarks.peers.fetch import _ENGINES, _ENVIRONMENTS

_ROOT = Path(__file__).parents[3]
_LOADED = """
import sys, signaalwissel.processors.matcher, signaalwissel.processors.policy
print(*(name for name in sys.modules if name.startswith("signaalwissel.")))
"""


@pytest.fixture(scope="module")
def needed() -> set[str]:
    """The distributions that the rules of the match job import."""
    names = subprocess.run(
        [sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True
    ).stdout.split()
    packages: set[str] = set()
    for name in names:
        file = _ROOT / f"{name.removeprefix('signaalwissel.').replace('.', '/')}.py"
        if file.exists():
            packages |= _imported(file)
    own = {*sys.stdlib_module_names, "signaalwissel"}
    known = packages_distributions()
    return {distribution for package in packages - own for distribution in known[package]}


def _imported(file: Path) -> set[str]:
    found: set[str] = set()
    for statement in ast.parse(file.read_text("utf-8")).body:
        if isinstance(statement, ast.Import):
            found |= {one.name.partition(".")[0] for one in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            found.add((statement.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("peer", _ENVIRONMENTS)
def test_a_python_peer_has_what_the_rules_import(peer: str, needed: set[str]) -> None:
    pinned = (_ENGINES / f"{peer}.txt").read_text("utf-8").split()
    assert needed <= {re.split(r"[<=]", line)[0] for line in pinned}
