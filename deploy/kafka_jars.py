"""Kafka's own program files. Flows in: Maven coordinates. Flows out: a cache folder with exactly the known jars.

Which jars those are, and the SHA-256 of each, stands in `kafka-jars.sha256` (`sha256sum -c` reads it). Every
download is checked against it in full; later starts compare names and sizes with a record of that check.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import ParseError

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from signaalwissel.deploy.cache import filled
from signaalwissel.deploy.errors import ExtraMissing, PlatformError
from signaalwissel.deploy.progress import Advance, PlatformProgress
from signaalwissel.deploy.settings import BOOTSTRAP_VARIABLE

if TYPE_CHECKING:
    from jgo.maven import Artifact, MavenContext

KAFKA_VERSION: Final = "4.4.0"
SERVER: Final = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"
# Kafka brings no binding for its logging interface; without one the broker logs nothing at all.
LOG_BINDING: Final = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5"
KNOWN_JARS: Final = Path(__file__).with_name("kafka-jars.sha256")
LIBS: Final = "libs"
VERIFIED: Final = "verified.json"
DOWNLOAD_TIMEOUT_S: Final = 30
DOWNLOAD_ATTEMPTS: Final = 3

Fetch = Callable[[Path, PlatformProgress], None]
"""Puts jars into an empty folder."""

# `requests` raises subclasses of OSError; a pom that was cut off does not parse.
_download_again = retry(
    retry=retry_if_exception_type((OSError, ParseError)),
    stop=stop_after_attempt(DOWNLOAD_ATTEMPTS),
    wait=wait_exponential_jitter(initial=1, max=10),
    reraise=True,
)


def known_jars() -> dict[str, str]:
    """Return the SHA-256 of each jar by its file name."""
    lines = KNOWN_JARS.read_text(encoding="ascii").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def kafka_folder(cache: Path, progress: PlatformProgress, fetch: Fetch | None = None) -> Path:
    """Return the folder whose `libs` holds the jars, after downloading what the cache lacks.

    `fetch` defaults to `fetch_jars`. Raises PlatformError when a download fails or is not the known file.
    """
    known = known_jars()

    def fill(staging: Path) -> None:
        libs = staging / LIBS
        libs.mkdir()
        (fetch or fetch_jars)(libs, progress)
        verify(libs, known)
        (staging / VERIFIED).write_text(json.dumps({"known": known, "sizes": _sizes(libs)}), encoding="ascii")

    return filled(cache / f"kafka-{KAFKA_VERSION}", fill, lambda folder: _is_verified(folder, known), progress)


def verify(libs: Path, known: Mapping[str, str]) -> None:
    """Compare every file in `libs` with its known SHA-256; raise PlatformError for any difference."""
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in libs.iterdir()}
    if missing := sorted(known.keys() - found.keys()):
        raise PlatformError(f"The download of Kafka is refused: it lacks {', '.join(missing)}.")
    if unknown := sorted(found.keys() - known.keys()):
        raise PlatformError(f"The download of Kafka is refused: {', '.join(unknown)} is not in {KNOWN_JARS.name}.")
    for name, digest in sorted(known.items()):
        if found[name] != digest:
            raise PlatformError(
                f"The download of Kafka is refused: {name} has SHA-256 {found[name]} and {KNOWN_JARS.name} says "
                f"{digest}. Nothing was kept. Start again; if it stays so, the Maven repository or a proxy "
                f"before it hands out another file."
            )


def _sizes(libs: Path) -> dict[str, int]:
    return {jar.name: jar.stat().st_size for jar in sorted(libs.iterdir())}


def _is_verified(folder: Path, known: Mapping[str, str]) -> bool:
    try:
        record = json.loads((folder / VERIFIED).read_text(encoding="ascii"))
        return bool(record == {"known": known, "sizes": _sizes(folder / LIBS)})
    except (FileNotFoundError, ValueError):
        return False


def fetch_jars(libs: Path, progress: PlatformProgress) -> None:
    """Download the jars of Kafka and of its log binding from the Maven repository that jgo is set up with."""
    try:
        from jgo.config import GlobalSettings
        from jgo.maven import MavenContext, PythonResolver
    except ImportError as missing:
        raise ExtraMissing("Kafka", "jgo", BOOTSTRAP_VARIABLE) from missing
    repository = libs.with_name("maven")
    shown = _Shown()
    context = MavenContext(
        resolver=PythonResolver(progress_callback=shown.file), repo_cache=repository, timeout=DOWNLOAD_TIMEOUT_S
    )
    # jgo's own configuration file may name a mirror; its library leaves applying that to the caller.
    context.remote_repos.update(GlobalSettings.load().repositories)
    try:
        _fetch(context, libs, progress, shown)
    except (OSError, ParseError, RuntimeError) as failed:
        raise PlatformError(
            f"Kafka's jars cannot be downloaded: {failed}. Check the network (a proxy goes into HTTPS_PROXY, a "
            f"mirror of the Maven repository into [repositories] of jgo.conf) and start again, "
            f"or set {BOOTSTRAP_VARIABLE} to a broker that runs."
        ) from failed
    finally:
        shutil.rmtree(repository, ignore_errors=True)


def _fetch(context: MavenContext, libs: Path, progress: PlatformProgress, shown: _Shown) -> None:
    with progress.step(f"Kafka {KAFKA_VERSION}: which jars it needs", None) as shown.advance:
        # The two are resolved apart: together, the log binding's own choices replace half of Kafka's.
        jars = _closure(context, SERVER)
        jars += [jar for jar in _closure(context, LOG_BINDING) if jar.artifactId == LOG_BINDING.split(":")[1]]
    with progress.step(f"Kafka {KAFKA_VERSION}: {len(jars)} jars", len(jars)) as shown.advance:
        for jar in jars:
            _download(jar, libs)


@_download_again
def _closure(context: MavenContext, coordinate: str) -> list[Artifact]:
    try:
        named, needed = context.resolver.resolve([context.create_dependency(coordinate)])
    except (OSError, ParseError):
        shutil.rmtree(context.repo_cache, ignore_errors=True)  # jgo would trust a file that was cut off
        raise
    return [dependency.artifact for dependency in [*named, *needed]]


@_download_again
def _download(jar: Artifact, libs: Path) -> None:
    try:
        path = jar.resolve()
    except OSError:
        if jar.cached_path is not None:
            jar.cached_path.unlink(missing_ok=True)
        raise
    shutil.copyfile(path, libs / path.name)


class _Shown:
    """Passes jgo's progress, bytes of one file, on to the step that runs, in files."""

    def __init__(self) -> None:
        self.advance: Advance = lambda _amount, _detail: None

    @contextmanager
    def file(self, name: str, size: int) -> Iterator[Callable[[int], None]]:
        yield lambda count: self.advance(count / size, name)
