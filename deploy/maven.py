"""The Maven repository. Flows in: Kafka's version. Flows out: its jars and those it needs, as files.

Which repository that is, jgo knows; its configuration file may name a mirror.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import ParseError

from jgo.config import GlobalSettings
from jgo.maven import Artifact, MavenContext, PythonResolver
from signaalwissel.deploy.errors import PlatformError
from signaalwissel.deploy.progress import Advance, PlatformProgress
from signaalwissel.deploy.settings import BOOTSTRAP_VARIABLE
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

SERVER: Final = "org.apache.kafka:kafka_2.13"
# Kafka brings no binding for its logging interface; without one the broker logs nothing at all.
LOG_BINDING: Final = "log4j-slf4j-impl"
LOG_BINDING_COORDINATE: Final = f"org.apache.logging.log4j:{LOG_BINDING}:2.25.5"
TIMEOUT_S: Final = 30
ATTEMPTS: Final = 3

# `requests` raises subclasses of OSError; a pom that was cut off does not parse.
_again = retry(
    retry=retry_if_exception_type((OSError, ParseError)),
    stop=stop_after_attempt(ATTEMPTS),
    wait=wait_exponential_jitter(initial=1, max=10),
    reraise=True,
)


def download_jars(version: str, libs: Path, progress: PlatformProgress) -> None:
    """Put Kafka's jars into the empty folder `libs`; they are not verified yet. Raises PlatformError."""
    repository = libs.with_name("maven")
    shown = _Shown()
    context = MavenContext(
        resolver=PythonResolver(progress_callback=shown.file), repo_cache=repository, timeout=TIMEOUT_S
    )
    # jgo's library leaves it to its caller to apply the repositories of the configuration file.
    context.remote_repos.update(GlobalSettings.load().repositories)
    try:
        with progress.step(f"Kafka {version}: which jars it needs", None) as shown.advance:
            # Each is resolved by itself: together, the log binding's choices replace half of Kafka's.
            jars = _closure(context, f"{SERVER}:{version}")
            jars += [
                jar for jar in _closure(context, LOG_BINDING_COORDINATE) if jar.artifactId == LOG_BINDING
            ]
        with progress.step(f"Kafka {version}: {len(jars)} jars", len(jars)) as shown.advance:
            for jar in jars:
                _download(jar, libs)
    except (OSError, ParseError, RuntimeError) as failed:
        raise PlatformError(
            f"Kafka's jars cannot be downloaded: {failed}. Check the network (a proxy goes into HTTPS_PROXY, "
            f"a mirror of the Maven repository into [repositories] of jgo.conf) and start again, "
            f"or set {BOOTSTRAP_VARIABLE} to a broker that runs."
        ) from failed
    finally:
        shutil.rmtree(repository, ignore_errors=True)


def download_archive(coordinate: tuple[str, str, str], folder: Path, progress: PlatformProgress) -> Path:
    """Put one archive, `all` as tar.gz, into `folder`; it is not verified yet. Raises PlatformError.

    Args:
        coordinate: Group, artifact and version.
        folder: Gets the repository's layout.
        progress: Is told how far it is.
    """
    group, name, version = coordinate
    shown = _Shown()
    context = MavenContext(
        resolver=PythonResolver(progress_callback=shown.file), repo_cache=folder, timeout=TIMEOUT_S
    )
    context.remote_repos.update(GlobalSettings.load().repositories)
    archive = context.project(group, name).at_version(version).artifact(classifier="all", packaging="tar.gz")
    try:
        with progress.step(f"{name} {version}", 1) as shown.advance:
            return _again(_resolved)(archive)
    except (OSError, RuntimeError) as failed:
        raise PlatformError(
            f"{name} cannot be downloaded: {failed}. Check the network (a proxy goes into HTTPS_PROXY, a mirror of the "
            "Maven repository into [repositories] of jgo.conf) and start again."
        ) from failed


@_again
def _closure(context: MavenContext, coordinate: str) -> list[Artifact]:
    try:
        named, needed = context.resolver.resolve([context.create_dependency(coordinate)])
    except (OSError, ParseError):
        shutil.rmtree(context.repo_cache, ignore_errors=True)  # jgo would trust a file that was cut off
        raise
    return [dependency.artifact for dependency in [*named, *needed]]


@_again
def _download(jar: Artifact, libs: Path) -> None:
    path = _resolved(jar)
    shutil.copyfile(path, libs / path.name)


def _resolved(artifact: Artifact) -> Path:
    try:
        return Path(artifact.resolve())
    except OSError:
        if artifact.cached_path is not None:
            artifact.cached_path.unlink(missing_ok=True)
        raise


class _Shown:
    """Passes jgo's progress, bytes of one file, on to the step that runs, in files."""

    def __init__(self) -> None:
        self.advance: Advance = lambda _amount, _detail: None

    @contextmanager
    def file(self, name: str, size: int) -> Iterator[Callable[[int], None]]:
        yield lambda count: self.advance(count / size, name)
