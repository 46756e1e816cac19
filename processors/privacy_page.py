"""A page of text as blocks, and how it is written: Markdown, or one HTML file that stands by itself.

In: headings, paragraphs, lists and tables of plain text. Out: text in which every character means itself, whatever a
municipality put into its settings. The HTML has a language, headings in order, table headers, and no script.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

_MARKDOWN_SIGNS = re.compile(r"([\\`*_\[\]<>|#~&])")
# At the start of a line these make a list, a rule or a heading.
_MARKDOWN_START = re.compile(r"^(?:(\d{1,9})(?=[.)](?: |$))|(?=[-+=]))")
# A line break in a setting is a space here; other control characters have no place in HTML.
_SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_HEAD = (
    '<!DOCTYPE html>\n<html lang="nl">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
)


@dataclass(frozen=True)
class Heading:
    """The heading of a section; `level` is 2 or 3, the page's title is the only one of level 1."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Sentences that belong together."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A table with a header; every row has a cell per column."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Heading | Paragraph | Bullets | Grid


@dataclass(frozen=True)
class Page:
    """A text with a title."""

    title: str
    blocks: tuple[Block, ...]


def as_markdown(page: Page) -> str:
    """The page as Markdown, with tables as GitHub has them."""
    parts = [f"# {_marked(page.title)}", *(_markdown(block) for block in page.blocks)]
    return "\n\n".join(parts) + "\n"


def as_html(page: Page) -> str:
    """The page as one HTML file."""
    title = escape(plain(page.title))
    body = "\n".join(_html(block) for block in page.blocks)
    return (
        f"{_HEAD}<title>{title}</title>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}\n</main>\n"
        "</body>\n</html>\n"
    )


def texts(page: Page) -> Iterator[str]:
    """Every text of the page in order, without marks."""
    yield page.title
    for block in page.blocks:
        match block:
            case Heading() | Paragraph():
                yield block.text
            case Bullets():
                yield from block.items
            case Grid():
                yield block.caption
                yield from block.columns
                for row in block.rows:
                    yield from row


def plain(text: str) -> str:
    """A text on one line."""
    return _SPACES.sub(" ", text).strip()


def as_plain(page: Page) -> dict[str, Any]:
    """The page for programs: its title, and its sections with what stands under each heading."""
    sections: list[dict[str, Any]] = [{"heading": None, "content": []}]
    for block in page.blocks:
        match block:
            case Heading():
                sections.append({"heading": block.text, "content": []})
            case Paragraph():
                sections[-1]["content"].append(block.text)
            case Bullets():
                sections[-1]["content"].append(list(block.items))
            case Grid():
                rows = [dict(zip(block.columns, row, strict=True)) for row in block.rows]
                sections[-1]["content"].append({"caption": block.caption, "rows": rows})
    return {"title": page.title, "sections": [section for section in sections if section["content"]]}


def _markdown(block: Block) -> str:
    match block:
        case Heading():
            return f"{'#' * block.level} {_marked(block.text)}"
        case Paragraph():
            return _marked(block.text)
        case Bullets():
            return "\n".join(f"- {_marked(item)}" for item in block.items)
        case Grid():
            head = [_row(map(_marked, block.columns)), _row(["---"] * len(block.columns))]
            rows = [_row(map(_marked, row)) for row in block.rows]
            return "\n".join([f"{_marked(block.caption)}\n", *head, *rows])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _marked(text: str) -> str:
    signs = _MARKDOWN_SIGNS.sub(r"\\\1", plain(text))
    return _MARKDOWN_START.sub(r"\1\\", signs)


def _escaped(text: str) -> str:
    return escape(plain(text))


def _html(block: Block) -> str:
    match block:
        case Heading():
            return f"<h{block.level}>{_escaped(block.text)}</h{block.level}>"
        case Paragraph():
            return f"<p>{_escaped(block.text)}</p>"
        case Bullets():
            items = "\n".join(f"<li>{_escaped(item)}</li>" for item in block.items)
            return f"<ul>\n{items}\n</ul>"
        case Grid():
            head = "".join(f'<th scope="col">{_escaped(column)}</th>' for column in block.columns)
            rows = "\n".join(
                f"<tr>{''.join(f'<td>{_escaped(cell)}</td>' for cell in row)}</tr>" for row in block.rows
            )
            return (
                f"<table>\n<caption>{_escaped(block.caption)}</caption>\n<thead>\n<tr>{head}</tr>\n</thead>\n"
                f"<tbody>\n{rows}\n</tbody>\n</table>"
            )
