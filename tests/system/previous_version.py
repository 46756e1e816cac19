"""The program as it was before this version's newest migration, built from the history of the checkout."""

import os
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
VARIABLE = "SIGNAALWISSEL_UPGRADE_FROM"
"""Names a commit or tag instead of the one before the newest migration."""


def previous_version(folder: Path) -> Path:
    """A folder with the previous version installed, for PYTHONPATH; skips the test where there is no history."""
    git = shutil.which("git")
    if git is None:
        pytest.skip("the previous version comes from the history, and there is no git")
    reference = os.environ.get(VARIABLE) or _before_the_newest_migration(git)
    archived = subprocess.run([git, "archive", reference], cwd=CHECKOUT, capture_output=True, check=False)
    if archived.returncode != 0:
        pytest.skip(
            f"the history has no {reference}, as in a shallow clone: {archived.stderr.decode()[-200:]}"
        )
    tree, installed = folder / "tree", folder / "installed"
    with tarfile.open(fileobj=BytesIO(archived.stdout)) as archive:
        archive.extractall(tree, filter="data")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index",
         "--no-build-isolation", "--target", installed, tree],
        env={**os.environ, "SIGNAALWISSEL_PURE": "1"}, check=True, capture_output=True, timeout=240,
    )  # fmt: skip
    return installed


def _before_the_newest_migration(git: str) -> str:
    newest = max((CHECKOUT / "sinks" / "migrations" / "versions").glob("[0-9]*.py"))
    added = subprocess.run(
        [git, "log", "--diff-filter=A", "--format=%H", "--", newest],
        cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    commits = added.stdout.split()
    if not commits:
        pytest.skip(f"the history does not tell when {newest.name} came")
    return f"{commits[-1]}^"
