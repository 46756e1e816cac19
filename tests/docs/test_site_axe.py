"""The documentation site in a real Chromium: axe finds nothing on any page, light and wide or dark and narrow."""

import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.console.webpages.browsing import browser, needs_chromium, violations

pytestmark = needs_chromium
LOOKS = {
    "light and wide": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark and narrow": {"color_scheme": "dark", "viewport": {"width": 320, "height": 640}},
}


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and logs nothing."""

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    """Where the site is served on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """The browser."""
    with browser() as launched:
        yield launched


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_on_any_page_of_the_site(
    site: Path, served: str, chromium: Browser, look: str
) -> None:
    found = {}
    with closing(chromium.new_context(**LOOKS[look])) as context:  # type: ignore[arg-type]
        page = context.new_page()
        for file in sorted(site.rglob("*.html")):
            address = file.relative_to(site).as_posix()
            page.goto(f"{served}/{address}")
            found[address] = violations(page)
    assert len(found) > 1
    assert {address: told for address, told in found.items() if told} == {}
