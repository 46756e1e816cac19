"""The committed documents of the contract are what the program prints; `make contract-docs` writes them anew."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.console.console_support import CommandLine

FOLDER = Path(__file__).parents[2] / "docs" / "api"
DOCUMENTS = {
    "asyncapi.json": ("asyncapi",),
    "asyncapi.html": ("asyncapi", "--html"),
    "openapi.json": ("openapi",),
    "openapi.html": ("openapi", "--html"),
}


class Page(HTMLParser):
    """What a page leads to, and the places that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.places: set[str] = set()
        self.language: str | None = None
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in {"href", "src"} and value is not None:
                self.links.add(value)
            elif name == "id" and value is not None:
                self.places.add(value)
            elif name == "lang" and tag == "html":
                self.language = value


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_committed_document_is_the_one_that_is_printed(signaalwissel: CommandLine, name: str) -> None:
    ended = signaalwissel("schemas", *DOCUMENTS[name])
    assert ended.code == 0
    assert (FOLDER / name).read_text("utf-8") == ended.out, "run `make contract-docs`"


@pytest.mark.parametrize("name", ["asyncapi.html", "openapi.html"])
def test_a_page_needs_nothing_from_anywhere_and_its_links_lead_somewhere(name: str) -> None:
    page = Page((FOLDER / name).read_text("utf-8"))
    assert page.links == {f"#{place}" for place in page.places & {link[1:] for link in page.links}}
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert page.language in {"nl", "en"}


def test_html_and_json_exclude_each_other(signaalwissel: CommandLine) -> None:
    assert signaalwissel("schemas", "openapi", "--html", "--json").code == 2


def test_an_installation_gets_its_own_document(
    signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch
) -> None:
    bare_environment.setenv("SIGNAALWISSEL_KAFKA_BOOTSTRAP", "kafka:9092")
    bare_environment.setenv("SIGNAALWISSEL_TOPIC_PREFIX", "proef-")
    found = signaalwissel("schemas", "asyncapi").json
    assert (
        found["servers"]["kafka"] | {"host": "kafka:9092", "protocol": "kafka"} == found["servers"]["kafka"]
    )
    assert found["channels"]["tasks"]["address"] == "proef-tasks"
