"""Compiles the hot modules to C with mypyc where there is a C compiler; without one they run as they are.

In: `[tool.signaalwissel] compiled` of pyproject.toml, the modules that every signal passes through. Out: extension
modules beside them. Everything else about the distribution stands in pyproject.toml. Why: docs/adr/0009.
"""

import os
import shutil
import sysconfig
import tomllib
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, ExecError, LinkError

HERE = Path(__file__).parent
PURE = "SIGNAALWISSEL_PURE"
"""Set to 1, this leaves everything in Python: to debug a rule, or to measure without a compiler."""
OPTIMIZED = "SIGNAALWISSEL_OPTIMIZED"
"""How far the C compiler optimizes, from 0 to 3: 0 builds in half the time, for whoever only looks at what is built."""
LINKS = HERE / "build" / "tree"


class BuildCompiled(build_ext):
    """Builds all or none: a compiler that cannot do it leaves the modules in Python."""

    def run(self) -> None:
        """Build, and mark the files as new: the tests refuse a module that is older than its source."""
        try:
            super().run()
        except (CompileError, ExecError, LinkError) as error:
            self.warn(f"the hot modules stay in Python, which takes twice the CPU per signal: {error}")
            self.extensions = []
            return
        for file in map(Path, self.get_outputs()):
            if file.exists():
                os.utime(file)


def compiled_modules() -> list[Extension]:
    """The extension modules to build; none without a compiler."""
    if os.environ.get(PURE) == "1" or not _can_compile():
        return []
    from mypyc.build import mypycify  # noqa: PLC0415 not there where nothing is compiled

    settings = tomllib.loads((HERE / "pyproject.toml").read_text("utf-8"))["tool"]
    _link(settings["setuptools"]["package-dir"])
    modules = [str(LINKS / "signaalwissel" / f"{name}.py") for name in settings["signaalwissel"]["compiled"]]
    options = [f"--config-file={_mypy_settings()}"]
    level = os.environ.get(OPTIMIZED, "3")
    return mypycify(options + modules, opt_level=level, group_name="signaalwissel.schemas.compiled")


def _can_compile() -> bool:
    compiler = str(sysconfig.get_config_var("CC") or "cc").split()[0]
    return shutil.which(compiler) is not None and Path(sysconfig.get_path("include"), "Python.h").exists()


def _link(folders: dict[str, str]) -> None:
    """The tree in the shape of the distribution: mypyc names a module by where it lies."""
    for package, folder in folders.items():
        link = LINKS / Path(*package.split("."))
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(HERE / folder, target_is_directory=True)


def _mypy_settings() -> Path:
    # What mypy finds wrong is for `make types` to tell, with the types of everything imported; here they are not needed.
    file = LINKS / "mypy.ini"
    lines = (
        "[mypy]",
        f"mypy_path = {LINKS}",
        "explicit_package_bases = true",
        "namespace_packages = true",
        "ignore_missing_imports = true",
    )
    file.write_text("\n".join(lines), "utf-8")
    return file


setup(ext_modules=compiled_modules(), cmdclass={"build_ext": BuildCompiled})
