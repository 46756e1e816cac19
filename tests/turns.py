"""Whose turn it is: of heavy tests that try the same promise in several ways, the suite runs one at each commit.

In: SIGNAALWISSEL_TURN, or else the number of commits. Out: a mark for each of such tests. `make turns` runs all of them.
"""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ALL = "all"


def commits() -> str:
    """How many commits led here; 0 where there is no repository."""
    command = ["git", "rev-list", "--count", "HEAD"]
    try:
        counted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "0"
    return counted.stdout.strip() or "0"


def has_its_turn(number: int, of: int, asked: str) -> bool:
    """Whether the one with this number of so many is run at a turn: a number, or `all`."""
    return asked == ALL or int(asked) % of == number


def turn(number: int, of: int) -> pytest.MarkDecorator:
    """The mark of the test with this number among so many."""
    asked = os.environ.get("SIGNAALWISSEL_TURN") or commits()
    reason = f"turn {asked} is another one's; `make turns` runs all, SIGNAALWISSEL_TURN={number} this one"
    return pytest.mark.skipif(not has_its_turn(number, of, asked), reason=reason)
