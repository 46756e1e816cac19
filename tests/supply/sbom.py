"""`make sbom`: the bill of materials (CycloneDX 1.6, JSON) of everything locked.

Flows in: requirements.lock and pyproject.toml. Flows out: one file, the same for the same lock; no network is needed.
The library checks it against the CycloneDX schema before it is written.
"""

import subprocess
import sys
from pathlib import Path

from tests.supply.locked import LOCK, ROOT


def write(target: Path) -> None:
    """Write the bill of materials to `target`; CalledProcessError where the library refuses the lock."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # A lock is a list without a graph; the library warns of that each time.
    quiet = ("-W", "ignore:The Component this BOM is describing:UserWarning")
    made = ("cyclonedx_py", "requirements", "--output-reproducible", "--output-file", str(target))
    described = ("--pyproject", str(ROOT / "pyproject.toml"), str(LOCK))
    subprocess.run([sys.executable, *quiet, "-m", *made, *described], check=True, timeout=120)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.supply.sbom FILE")
    write(Path(sys.argv[1]))
    print(f"bill of materials: {sys.argv[1]}")
