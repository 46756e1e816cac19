from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from signaalwissel.processors.privacy_page import (
    Bullets,
    Grid,
    Heading,
    Page,
    Paragraph,
    as_html,
    as_markdown,
    as_plain,
    plain,
    texts,
)

ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).filter(
    lambda text: bool(plain(text))
)
NASTY = [
    "<script>alert(1)</script>",
    "# geen kop",
    "- geen lijst",
    "1. geen lijst",
    "1.0",
    "+31 6",
    "a | b",
    "[x](javascript:alert(1))",
    "`code` **vet** _schuin_ ~~door~~",
    "&lt;b&gt;",
    "\\",
    "---",
    "=== kop",
    "twee\n\nregels",
    "http://www.voorbeeld.nl",
]


class Outline(HTMLParser):
    """What is in an HTML text: its elements, whether they close in order, and its visible texts."""

    VOID = ("meta",)

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.shown: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and "title" not in self._open:
            self.shown.append(data)


def page_with(text: str) -> Page:
    grid = Grid(text, (text, "b"), ((text, "1"), ("c", text)))
    return Page(text, (Heading(text), Paragraph(text), Bullets((text, "d")), grid))


def from_markdown(markdown: str) -> Outline:
    return Outline(MarkdownIt("commonmark").enable("table").render(markdown))


@pytest.mark.parametrize("text", NASTY)
def test_what_a_municipality_writes_is_text_and_never_markup(text: str) -> None:
    page = page_with(text)
    wanted = [plain(shown) for shown in texts(page)]
    plain_page = page_with("x")
    html, markdown = Outline(as_html(page)), from_markdown(as_markdown(page))
    assert html.shown == wanted
    assert markdown.shown == wanted
    assert html.elements == Outline(as_html(plain_page)).elements
    assert markdown.elements == from_markdown(as_markdown(plain_page)).elements


@given(ANYTHING)
def test_whatever_a_text_holds_both_forms_show_it_as_it_is(text: str) -> None:
    page = page_with(text)
    wanted = [plain(shown) for shown in texts(page)]
    assert Outline(as_html(page)).shown == wanted
    assert from_markdown(as_markdown(page)).shown == wanted


def test_html_has_a_language_a_title_and_headers_that_name_their_columns() -> None:
    outline = Outline(as_html(page_with("tekst")))
    assert ("html", "lang", "nl") in outline.attributes
    assert ("meta", "charset", "utf-8") in outline.attributes
    assert outline.attributes.count(("th", "scope", "col")) == 2
    assert {"title", "main", "caption", "thead", "tbody"} <= set(outline.elements)


def test_for_programs_a_page_is_its_sections() -> None:
    page = Page("T", (Paragraph("a"), Heading("H"), Bullets(("b",)), Grid("C", ("k",), (("v",),))))
    assert as_plain(page) == {
        "title": "T",
        "sections": [
            {"heading": None, "content": ["a"]},
            {"heading": "H", "content": [["b"], {"caption": "C", "rows": [{"k": "v"}]}]},
        ],
    }
