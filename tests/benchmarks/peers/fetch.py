"""What the peers need, fetched and built into the cache. In: names of peers, a cache folder. Out: where it lies.

Java peers take the machine's Maven and JDK (17 or newer); Python peers get a virtual environment each.
"""

import hashlib
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from signaalwissel.deploy.cache import filled
from signaalwissel.deploy.progress import PlatformProgress

_HERE = Path(__file__).parent
_JAVA = _HERE / "java"
_RULES = "rules"
_LOG_SHOWN = 3000


class NotBuilt(RuntimeError):
    """A peer cannot be fetched or built here."""


@dataclass(frozen=True)
class Built:
    """Where things lie.

    Attributes:
        java: Folder of the Java projects, with their `target`.
        java_program: The Java that runs them.
    """

    java: Path
    java_program: str


_PROJECT_OF = {"kafka-streams": "kafka-streams", "kafka-streams-rocksdb": "kafka-streams", "flink": "flink"}


def build(peers: Iterable[str], cache: Path, progress: PlatformProgress) -> Built:
    """Fetch and build what these peers need.

    Raises:
        NotBuilt: Maven or Java is missing, or the build failed; says what to do.
    """
    wanted = sorted({_PROJECT_OF[peer] for peer in peers if peer in _PROJECT_OF})
    java = shutil.which("java")
    if wanted and (java is None or shutil.which("mvn") is None):
        raise NotBuilt(
            "the Java peers need Maven and a JDK (17 or newer) on PATH: install them, or leave these peers out"
        )
    name = f"bench-java-{'-'.join(wanted)}-{_fingerprint()}"
    folder = filled(cache / name, lambda staging: _maven(wanted, staging, progress), Path.is_dir, progress)
    return Built(folder, java or "java")


def _maven(projects: Iterable[str], folder: Path, progress: PlatformProgress) -> None:
    shutil.copytree(_JAVA / _RULES, folder / _RULES, ignore=shutil.ignore_patterns("target"))
    for project in projects:
        shutil.copytree(_JAVA / project, folder / project, ignore=shutil.ignore_patterns("target"))
        with progress.step(f"Benchmark: Maven builds {project}, once for this code", None):
            _run(["mvn", "-q", "-B", "-f", str(folder / project / "pom.xml"), "package"])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        told = done.stdout.decode(errors="replace")[-_LOG_SHOWN:]
        raise NotBuilt(f"{' '.join(command)} ended with {done.returncode}:\n{told}")


def _fingerprint() -> str:
    told = hashlib.sha256()
    for file in sorted(_JAVA.rglob("*")):
        if file.is_file() and "target" not in file.relative_to(_JAVA).parts:
            told.update(file.read_bytes())
    return told.hexdigest()[:12]
