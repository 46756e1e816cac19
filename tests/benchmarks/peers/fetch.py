"""What the peers need, fetched and built into the cache. In: names of peers, a cache folder. Out: where it lies.

Java peers take the machine's Maven and JDK (17 or newer); Python peers get a virtual environment each.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from signaalwissel.deploy.cache import filled
from signaalwissel.deploy.progress import PlatformProgress

_HERE = Path(__file__).parent
_JAVA = _HERE / "java"
_RULES = "rules"
_ENGINES = _HERE / "engines"
_ENVIRONMENTS = ("bare-loop", "quix-streams", "bytewax", "faust-naive")
_LOG_SHOWN = 3000


class NotBuilt(RuntimeError):
    """A peer cannot be fetched or built here."""


@dataclass(frozen=True)
class Built:
    """Where things lie.

    Attributes:
        projects: The folder of each Java project, with its `target`.
        java_program: The Java that runs them.
        pythons: The Python of each Python peer.
    """

    projects: Mapping[str, Path]
    java_program: str
    pythons: Mapping[str, Path]


_PROJECT_OF = {"kafka-streams": "kafka-streams", "kafka-streams-rocksdb": "kafka-streams", "flink": "flink"}


def build(peers: Iterable[str], cache: Path, progress: PlatformProgress) -> Built:
    """Fetch and build what these peers need.

    Raises:
        NotBuilt: Maven or Java is missing, or the build failed; says what to do.
    """
    asked = list(peers)
    wanted = sorted({_PROJECT_OF[peer] for peer in asked if peer in _PROJECT_OF})
    java = shutil.which("java")
    if wanted and (java is None or shutil.which("mvn") is None):
        raise NotBuilt(
            "the Java peers need Maven and a JDK (17 or newer) on PATH: install them, or leave these peers out"
        )
    projects = {project: _project(project, cache, progress) for project in wanted}
    pythons = {peer: _python(peer, cache, progress) for peer in asked if peer in _ENVIRONMENTS}
    return Built(projects, java or "java", pythons)


def _python(peer: str, cache: Path, progress: PlatformProgress) -> Path:
    """The Python of a peer's virtual environment; what is in it, pinned, stands in `engines/<peer>.txt`."""
    pinned = _ENGINES / f"{peer}.txt"
    mark = hashlib.sha256(pinned.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = cache / f"bench-{peer}-{mark}"
    done = folder / "complete"
    if not done.exists():
        # Not by `filled`: a virtual environment cannot be moved after it was made.
        with progress.step(f"Benchmark: a virtual environment for {peer}, once on this machine", None):
            shutil.rmtree(folder, ignore_errors=True)
            _run([sys.executable, "-m", "venv", str(folder)])
            _run([str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "-r", str(pinned)])
        done.touch()
    return folder / "bin/python"


def _project(project: str, cache: Path, progress: PlatformProgress) -> Path:
    """A Java project, built, with the rules beside it."""
    parts = (_RULES, project)

    def fill(staging: Path) -> None:
        for part in parts:
            shutil.copytree(_JAVA / part, staging / part, ignore=shutil.ignore_patterns("target"))
        with progress.step(f"Benchmark: Maven builds {project}, once for this code", None):
            _run(["mvn", "-q", "-B", "-f", str(staging / project / "pom.xml"), "package"])

    name = f"bench-java-{project}-{_fingerprint(parts)}"
    return filled(cache / name, fill, Path.is_dir, progress) / project


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        told = done.stdout.decode(errors="replace")[-_LOG_SHOWN:]
        raise NotBuilt(f"{' '.join(command)} ended with {done.returncode}:\n{told}")


def _fingerprint(parts: Iterable[str]) -> str:
    told = hashlib.sha256()
    for part in parts:
        for file in sorted((_JAVA / part).rglob("*")):
            if file.is_file() and "target" not in file.relative_to(_JAVA).parts:
                told.update(file.read_bytes())
    return told.hexdigest()[:12]
