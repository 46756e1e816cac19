"""Programs of Go modules that tests need: built once per machine.

Flows in: which program is which package of which module. Flows out: a folder with the programs.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from signaalwissel.deploy.cache import filled
from signaalwissel.deploy.progress import PlatformProgress

_GO = "1.25"


class NotBuilt(Exception):
    """Programs that cannot be built on this machine; says why."""


class Module(NamedTuple):
    """What programs are built from: a published module, or sources of ours.

    Args:
        programs: Name of the file by package.
        version: Of the published module.
        sources: A folder with `go.mod` and `go.sum`, in place of a version.
        replaced: Lines of `go.mod` that the published module needs and cannot have.
        flags: For the linker.
    """

    programs: Mapping[str, str]
    version: str = ""
    sources: Path | None = None
    replaced: str = ""
    flags: str = ""


def go_programs(
    folder: Path, modules: Sequence[Module], progress: PlatformProgress, *, bound_s: float = 840.0
) -> Path:
    """The folder with every program of the modules.

    Args:
        folder: Where it is kept; its name tells the versions.
        modules: What to build.
        progress: Is told when something is built.
        bound_s: How long one command of Go may take.

    Raises:
        NotBuilt: There is no Go, or it cannot build them here.
    """
    names = [name for module in modules for name in module.programs.values()]
    go = shutil.which("go")
    if go is None and not _whole(folder, names):
        raise NotBuilt(f"no Go to build {', '.join(names)}")

    def build(staging: Path) -> None:
        progress.note(f"Building {', '.join(names)} from Go modules, once per machine.")
        for module in modules:
            _build(str(go), module, staging, bound_s)

    try:
        return filled(folder, build, lambda where: _whole(where, names), progress)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        told = error.stderr or str(error)
        raise NotBuilt(f"{', '.join(names)} cannot be built here: {str(told)[-300:]}") from error


def _whole(folder: Path, names: Sequence[str]) -> bool:
    return all((folder / name).exists() for name in names)


def _build(go: str, module: Module, staging: Path, bound_s: float) -> None:
    fetched = staging / "sources"
    sources = module.sources or _around(module, fetched)
    # Only a module that was made here may have its sums written.
    mode = "readonly" if module.sources else "mod"
    environment = {**os.environ, "GOFLAGS": f"-buildvcs=false -mod={mode}", "CGO_ENABLED": "0"}

    def run(*arguments: str) -> None:
        subprocess.run(
            [go, *arguments], cwd=sources, env=environment, check=True, capture_output=True, text=True, timeout=bound_s
        )  # fmt: skip

    if module.version:
        run("get", *(f"{package}@{module.version}" for package in module.programs))
    for package, name in module.programs.items():
        run("build", f"-ldflags=-s -w {module.flags}".rstrip(), "-o", str(staging / name), package)
    shutil.rmtree(fetched, ignore_errors=True)


def _around(module: Module, folder: Path) -> Path:
    """A module that needs the published one."""
    folder.mkdir()
    lines = f"module signaalwissel.invalid/built\n\ngo {_GO}\n\n{module.replaced}"
    (folder / "go.mod").write_text(lines, "ascii")
    return folder
