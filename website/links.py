"""Links of pages that are read in the repository and on the site.

In: Markdown with links as the repository has them. Out: the same with links as the site has them. A link to a file that is
no page of the site leads to a copy of it.
"""

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

_LINK = re.compile(r"(?<=\]\()(?![a-z][a-z0-9+.-]*:|#)(?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?(?=\))")
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
COPIES = "files"
"""Where copies of other files lie on the site."""


class Rewritten(NamedTuple):
    """A page for the site, and the files of the repository that it leads to."""

    markdown: str
    copied: tuple[str, ...]


class Links:
    """Turns links of the repository into links of the site.

    Args:
        root: The checkout.
        outside: Pages of the site that do not lie in `docs`: path on the site by path in the repository.
    """

    def __init__(self, root: Path, outside: Mapping[str, str]) -> None:
        self._root = root
        self._outside = outside
        self._inside = {site: path for path, site in outside.items()}

    def rewritten(self, page: str, markdown: str) -> Rewritten:
        """The page `page` of the site with its links turned."""
        copied: list[str] = []

        def turned(link: "re.Match[str]") -> str:
            target, is_copy = self._site_path(self._repository_path(page, link["path"]))
            if is_copy:
                copied.append(target.removeprefix(f"{COPIES}/"))
            return posixpath.relpath(target, posixpath.dirname(page) or ".") + (link["anchor"] or "")

        # What stands in a block of code is no link.
        at, parts = 0, []
        for fence in _FENCE.finditer(markdown):
            parts += [_LINK.sub(turned, markdown[at : fence.start()]), fence[0]]
            at = fence.end()
        parts.append(_LINK.sub(turned, markdown[at:]))
        return Rewritten("".join(parts), tuple(copied))

    def _repository_path(self, page: str, link: str) -> str:
        place = self._inside.get(page, f"docs/{page}")
        return posixpath.normpath(posixpath.join(posixpath.dirname(place), link))

    def _site_path(self, path: str) -> tuple[str, bool]:
        if path in self._outside:
            return self._outside[path], False
        file = self._root / path
        if path.startswith("docs/"):
            inside = path.removeprefix("docs/")
            return (f"{inside}/README.md" if file.is_dir() else inside), False
        # One that is not there stays as it is: the strict build names it.
        return (f"{COPIES}/{path}", True) if file.is_file() else (path, False)
