"""A pytest plugin that runs the product as Python, whatever was compiled: `pytest -p tests.pure`.

Coverage sees no line of a compiled module, and a debugger does not stop in one.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader
from types import ModuleType


class SourceFinder:
    """Finds the product's modules by their sources, before anybody sees that there is more."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of the product; None for any other, and for the package that holds them all."""
        if path is None or not name.startswith("signaalwissel."):
            return None
        for folder in path:
            found = FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES)).find_spec(name)
            if found is not None:
                return found
        return None


sys.meta_path.insert(0, SourceFinder)
