"""Takes the components that the pages use out of @utrecht/component-library-css (EUPL-1.2): `python -m` this.

In: the package's `dist/index.css`. Out: its rules for the components below, unchanged and in their order.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

COMPONENTS = (
    "alert",
    "body",
    "button",
    "button-group",
    "data-list",
    "document",
    "form-field",
    "form-field-description",
    "form-field-error-message",
    "form-fieldset",
    "form-label",
    "heading-1",
    "heading-2",
    "heading-3",
    "link",
    "page-content",
    "page-footer",
    "page-header",
    "paragraph",
    "radio-button",
    "root",
    "select",
    "skip-link",
    "status-badge",
    "surface",
    "table",
    "table-container",
    "textbox",
    "unordered-list",
)
# A rule that also names another component, such as rich text around a button, is of no use without it.
_NAMED = re.compile(r"\.(utrecht-[a-z0-9]+(?:-[a-z0-9]+)*)")
_LICENCE = re.compile(r"/\*\*(?:(?!\*/).)*?@license.*?\*/", re.DOTALL)


def blocks(css: str) -> Iterator[tuple[str, str]]:
    """Each rule of a style sheet without comments: what stands before its brace, and what stands in it."""
    at = 0
    while (opened := css.find("{", at)) >= 0:
        depth, end = 1, opened + 1
        while depth:
            depth += {"{": 1, "}": -1}.get(css[end], 0)
            end += 1
        yield css[at:opened].strip(), css[opened + 1 : end - 1]
        at = end


def kept(css: str) -> str:
    """The rules of a style sheet that are about the components."""
    rules = []
    for head, body in blocks(css):
        if head.startswith(("@media", "@supports")):
            if inner := kept(body):
                rules.append(f"{head} {{\n{inner}}}\n")
        elif not head.startswith("@"):
            selectors = [one.strip() for one in head.split(",\n") if _ours(one)]
            if selectors:
                rules.append(f"{', '.join(selectors)} {{{body}}}\n")
    return "".join(rules)


def _ours(selector: str) -> bool:
    named = _NAMED.findall(selector)
    return bool(named) and all(name.split("__")[0] in _CLASSES for name in named)


_CLASSES = {f"utrecht-{name}" for name in COMPONENTS}


def main(package: Path, out: Path) -> None:
    """Write the style sheet."""
    css = (package / "dist" / "index.css").read_text("utf-8")
    licences = max(set(_LICENCE.findall(css)), key=len)
    out.write_text(f"{licences}\n{kept(re.sub(r'/[*].*?[*]/', '', css, flags=re.DOTALL))}", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
