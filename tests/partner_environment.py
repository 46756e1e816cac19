"""Environments of partners' programs: virtual environments without our code, kept in `.cache/` of the checkout."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_CACHE = Path(__file__).parents[1] / ".cache"


def partner_environment(name: str, locks: Sequence[Path]) -> Path:
    """The interpreter of `.cache/<name>`, made anew when its requirements or our Python changed."""
    folder = _CACHE / name
    wanted = hashlib.sha256(sys.version.encode() + b"".join(lock.read_bytes() for lock in locks)).hexdigest()
    marker = folder / "made-for"
    python = folder / "bin" / "python"
    if not marker.exists() or marker.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
        for lock in locks:
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            flags = ["--require-hashes", "--no-deps", "--no-build-isolation", "--requirement", str(lock)]
            subprocess.run([*pip, *flags], check=True, timeout=240)
        marker.write_text(wanted)
    return python
