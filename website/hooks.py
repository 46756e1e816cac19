"""What MkDocs calls while it builds the site (mkdocs.yml).

Flows in: `docs`, the pages beside it, code and schemas. Flows out: pages. Nothing is fetched and nothing is written into
the checkout.
"""

from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from website import metrics
from website.accessible import accessible
from website.diagrams import as_tables
from website.links import COPIES, Links
from website.reference import pages

ROOT = Path(__file__).parents[1]
OUTSIDE = {
    "README.md": "project/readme.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "SECURITY.md": "project/security.md",
    "samples/README.md": "project/samples.md",
}
"""Pages that lie where people look for them in a repository."""
_LINKS = Links(ROOT, OUTSIDE)
_METRICS = "reference/metrics.md"


def on_config(config: Any) -> Any:
    """Put the page of metrics into the menu where processes tell any."""
    if metrics.page() is not None:
        reference = next(
            part["Reference"] for part in config.nav if isinstance(part, dict) and "Reference" in part
        )
        reference.append({"Metrics": _METRICS})
    return config


def on_files(files: Files, /, *, config: Any) -> Files:
    """Add the pages beside `docs`, the generated ones, and files that any page leads to."""
    for path, place in OUTSIDE.items():
        files.append(File.generated(config, place, content=(ROOT / path).read_text("utf-8")))
    for place, content in pages().items():
        files.append(File.generated(config, place, content=content))
    copied: set[str] = set()
    for page in files.documentation_pages():
        copied |= set(_LINKS.rewritten(page.src_uri, page.content_string).copied)
    for path in sorted(copied):
        files.append(File.generated(config, f"{COPIES}/{path}", content=(ROOT / path).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, /, *, page: Any, **_others: Any) -> str:
    """A page as the site shows it."""
    return as_tables(_LINKS.rewritten(page.file.src_uri, markdown).markdown)


def on_post_page(output: str, /, **_others: Any) -> str:
    """A page as people who do not see it need it."""
    return accessible(output)


def on_post_template(output_content: str, /, *, template_name: str, **_others: Any) -> str:
    """The same for the page of what is not there."""
    return accessible(output_content) if template_name.endswith(".html") else output_content
