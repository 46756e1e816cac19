"""The lock file as data: what is installed, and which hashes it may have."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"
_HEAD = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ \\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class Locked(NamedTuple):
    """One requirement: name and version as written, hashes in hexadecimal."""

    name: str
    version: str
    hashes: frozenset[str]


def locked(text: str) -> list[Locked]:
    """Every requirement of a lock file, in its order; a line that is none raises ValueError."""
    found = []
    for requirement in text.replace("\\\n", " ").splitlines():
        head = _HEAD.match(requirement)
        if head is None:
            raise ValueError(
                f"requirements.lock: not a pinned requirement: {requirement[:60]}; run: make lock"
            )
        found.append(Locked(head["name"], head["version"], frozenset(_HASH.findall(requirement))))
    return found
