"""Kafka's own program files. Flows in: downloaded jars. Flows out: a cache folder with the known ones.

Which jars those are, and the SHA-256 of each, stands in `kafka-jars.sha256` (`sha256sum -c` reads it). Every
download is checked against it in full; later starts compare names and sizes with a record of that check.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from signaalwissel.deploy.cache import filled
from signaalwissel.deploy.errors import PlatformError, optional_package
from signaalwissel.deploy.progress import PlatformProgress
from signaalwissel.deploy.settings import BOOTSTRAP_VARIABLE

KAFKA_VERSION: Final = "4.4.0"
KNOWN_JARS: Final = Path(__file__).with_name("kafka-jars.sha256")
LIBS: Final = "libs"
VERIFIED: Final = "verified.json"

Fetch = Callable[[Path, PlatformProgress], None]
"""Puts jars into an empty folder."""


def known_jars() -> dict[str, str]:
    """Return the SHA-256 of each jar by its file name."""
    lines = KNOWN_JARS.read_text(encoding="ascii").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def kafka_folder(cache: Path, progress: PlatformProgress, fetch: Fetch | None = None) -> Path:
    """Return the folder whose `libs` holds the jars, after downloading what the cache lacks.

    `fetch` defaults to the Maven repository. Raises PlatformError when a download fails or is refused.
    """
    known = known_jars()

    def fill(staging: Path) -> None:
        libs = staging / LIBS
        libs.mkdir()
        (fetch or _from_maven)(libs, progress)
        verify(libs, known)
        (staging / VERIFIED).write_text(json.dumps({"known": known, "sizes": _sizes(libs)}), encoding="ascii")

    return filled(
        cache / f"kafka-{KAFKA_VERSION}", fill, lambda folder: _is_verified(folder, known), progress
    )


def verify(libs: Path, known: Mapping[str, str]) -> None:
    """Compare every file in `libs` with its known SHA-256; raise PlatformError for any difference."""
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in libs.iterdir()}
    differences = [
        *(f"{name} is missing" for name in sorted(known.keys() - found.keys())),
        *(f"{name} is not in {KNOWN_JARS.name}" for name in sorted(found.keys() - known.keys())),
        *(
            f"{name} has SHA-256 {found[name]} and {KNOWN_JARS.name} says {known[name]}"
            for name in sorted(known.keys() & found.keys())
            if found[name] != known[name]
        ),
    ]
    if differences:
        raise PlatformError(
            f"The download of Kafka is refused: {'; '.join(differences)}. Nothing was kept. "
            f"Start again; if it stays so, the Maven repository, a mirror or a proxy hands out other files."
        )


def _sizes(libs: Path) -> dict[str, int]:
    return {jar.name: jar.stat().st_size for jar in sorted(libs.iterdir())}


def _is_verified(folder: Path, known: Mapping[str, str]) -> bool:
    try:
        record = json.loads((folder / VERIFIED).read_text(encoding="ascii"))
        return bool(record == {"known": known, "sizes": _sizes(folder / LIBS)})
    except (FileNotFoundError, ValueError):
        return False


def _from_maven(libs: Path, progress: PlatformProgress) -> None:
    with optional_package("Kafka", "jgo", BOOTSTRAP_VARIABLE):
        from signaalwissel.deploy.maven import download_jars  # noqa: PLC0415 - the production image lacks it
    download_jars(KAFKA_VERSION, libs, progress)
