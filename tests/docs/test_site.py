"""The documentation site: it builds strictly, every link leads somewhere, nothing on it is fetched, and nothing is left out."""

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from signaalwissel.console.failures import Exit
from signaalwissel.processors.access_rights import every_topic
from signaalwissel.processors.followup_updates import UpdateRefusal
from signaalwissel.processors.policy import Policy, packaged_policies
from signaalwissel.processors.rejection import RejectionCode
from signaalwissel.schemas.routing import TrueReason

from website import codes, commands, contract, metrics, policy, settings
from website.diagrams import as_tables
from website.hooks import OUTSIDE
from website.links import Links

ROOT = Path(__file__).parents[2]
FETCHES = {
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
    ("use", "href"),
}
"""Elements for which a browser asks somebody, without that a person does anything."""


class Page(HTMLParser):
    """What a page names: places on it, what it leads to, and what it makes a browser fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "link" and given.get("rel") not in {"canonical", "next", "prev"}:
            self.fetched.append(given["href"])
        self.fetched += [given[name] for element, name in FETCHES if element == tag and name in given]


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {file: Page(file.read_text("utf-8")) for file in site.rglob("*.html")}


def inside(file: Path, site: Path, address: str) -> tuple[Path, str] | None:
    """File and place on it that an address on a page leads to; None where it leads elsewhere."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    # The page for what is not there stands at no place of its own: its addresses begin at the root.
    begin = site if file.name == "404.html" else file.parent
    path = (begin / unquote(parts.path).lstrip("/")).resolve() if parts.path else file
    return (path / "index.html" if path.is_dir() else path), unquote(parts.fragment)


def test_every_link_leads_to_a_place_that_is_there(site: Path, pages: dict[Path, Page]) -> None:
    broken = []
    for file, page in pages.items():
        for target in filter(None, (inside(file, site, link) for link in page.links)):
            path, anchor = target
            there = path.exists() and (not anchor or path not in pages or anchor in pages[path].anchors)
            if not there:
                broken.append((str(file.relative_to(site)), str(path), anchor))
    assert broken == []


def test_a_browser_fetches_nothing_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    for file, page in pages.items():
        for address in page.fetched:
            target = inside(file, site, address)
            assert target is not None or address.startswith("data:"), f"{file}: {address}"
            assert target is None or target[0].exists(), f"{file}: {address}"
    for style in site.rglob("*.css"):
        text = style.read_text("utf-8")
        assert "url(http" not in text
        assert "@import" not in text


def test_no_page_needs_a_drawing_program_from_elsewhere(pages: dict[Path, Page], site: Path) -> None:
    assert (site / "follow-up.html") in pages
    assert not [file for file in pages if 'class="mermaid"' in file.read_text("utf-8")]


def test_the_search_finds_rules_commands_and_the_dutch_page(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    found = {document["location"] for document in index["docs"]}
    assert {
        "rules.html#81-six-months",
        "reference/commands.html#keys-destroy",
        "nl/gemeente.html#voor-de-fg",
    } <= found


def test_every_command_is_in_the_reference() -> None:
    page = commands.page()
    for name, _ in commands.every():
        assert f"\n## `{name}`\n" in page


def test_every_setting_is_described() -> None:
    assert sorted(settings.described().keys() & set(settings.names())) == settings.names()


def test_every_key_of_a_policy_is_described() -> None:
    described = policy.described()
    assert [one.name for one in policy.fields() if not described.get(one.name)] == []


def test_the_keys_of_a_policy_are_those_of_the_file() -> None:
    def keys(value: Any, name: str = "") -> Iterator[str]:
        if isinstance(value, dict) and value:
            for key, inner in value.items():
                yield from keys(inner, f"{name}.{key}".strip("."))
        else:
            yield name

    dumped = packaged_policies().default.model_dump(mode="json")
    assert isinstance(packaged_policies().default, Policy)
    assert {one.name for one in policy.fields()} >= set(keys(dumped))


def test_every_topic_is_in_the_reference() -> None:
    page = contract.topics_page()
    assert [topic for topic in every_topic(()) if f"| `{topic}` |" not in page] == []


def test_every_schema_is_in_the_reference() -> None:
    page = contract.records_page()
    for file in (ROOT / "schemas").glob("*.avsc"):
        assert f"## {file.stem}\n" in page


def test_every_code_has_words() -> None:
    assert codes.refused().keys() >= {code.value for code in (*RejectionCode, *UpdateRefusal)}
    assert {int(code) for code in codes.ended()} == {int(code) for code in Exit}
    page = codes.page()
    assert all(f"| `{reason}` |" in page for reason in TrueReason)


def test_every_rule_says_why() -> None:
    why, rules = ((ROOT / "docs" / name).read_text("utf-8") for name in ("why.md", "rules.md"))
    numbers = [line.split()[1] for line in rules.splitlines() if line.startswith("#### 8.")]
    assert len(numbers) == 19
    assert [number for number in numbers if f"| [{number} " not in why] == []


def test_a_state_diagram_becomes_a_table() -> None:
    drawn = (
        "```mermaid\nstateDiagram-v2\n    [*] --> OPEN\n    OPEN --> DONE: COMPLETED\n    DONE --> [*]\n```"
    )
    assert (
        as_tables(drawn)
        == "Begins as OPEN. Ends as DONE.\n\n| from | to | by |\n|---|---|---|\n| OPEN | DONE | COMPLETED |"
    )


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        pytest.param("rules.md", "privacy.md#a", "privacy.md#a", id="a page beside it"),
        pytest.param(
            "rules.md",
            "../CONTRIBUTING.md#glossary",
            "project/contributing.md#glossary",
            id="a page outside docs",
        ),
        pytest.param("project/readme.md", "docs/rules.md", "../rules.md", id="from outside docs"),
        pytest.param("design.md", "adr/", "adr/README.md", id="a folder"),
        pytest.param(
            "integrators.md", "../schemas/ids.json", "files/schemas/ids.json", id="a file that is no page"
        ),
        pytest.param("rules.md", "https://vng.nl", "https://vng.nl", id="elsewhere"),
    ],
)
def test_a_link_of_the_repository_becomes_one_of_the_site(page: str, link: str, expected: str) -> None:
    turned = Links(ROOT, OUTSIDE).rewritten(page, f"[x]({link})\n```\n[x](rules.md)\n```\n")
    assert turned.markdown == f"[x]({expected})\n```\n[x](rules.md)\n```\n"


MADE = """
def collect(self):
    yield gauge("lag_records", "Offsets that are to be read.", [])
    yield self._count("transactions", "Committed transactions.", 1)
    yield named_histogram("http_server_request_duration_seconds", "How long answers took.", [])
    yield gauge(name, about, [])
"""


def test_metrics_are_read_from_what_makes_them(tmp_path: Path) -> None:
    assert metrics.page(tmp_path) is None
    (tmp_path / "metrics_worker.py").write_text(MADE, "utf-8")
    assert [(one.name, one.kind) for one in metrics.metrics(tmp_path)] == [
        ("signaalwissel_lag_records", "gauge"),
        ("signaalwissel_transactions_total", "counter"),
        ("http_server_request_duration_seconds", "histogram"),
    ]
