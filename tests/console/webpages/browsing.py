"""The Chromium of this machine for tests: where it is, what to do without one, and axe in it.

Tests with it are skipped with the reason where there is none; `make browser` installs it and sets
SIGNAALWISSEL_BROWSER=required, with which its absence fails.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PICTURES = os.environ.get("SIGNAALWISSEL_PICTURES")
"""The folder for pictures, where they are wanted."""
_REQUIRED = os.environ.get("SIGNAALWISSEL_BROWSER") == "required"
_OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)

_AXE = Path(__file__).parent / "vendor" / "axe.min.js"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and not _REQUIRED, reason="no chromium on this machine; `make browser` installs it"
)


@contextmanager
def browser() -> Iterator[Browser]:
    """The browser, which reaches nothing but this machine."""
    assert CHROMIUM is not None, "SIGNAALWISSEL_BROWSER=required, and there is no chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_OPTIONS))
        with closing(launched):
            yield launched


def violations(page: Page) -> list[str]:
    """What axe finds, in words that lead to it."""
    # By the debugger's way, which no content policy of a page forbids.
    page.evaluate(_AXE.read_text("utf-8"))
    found = page.evaluate("tags => axe.run(document, {runOnly: tags})", _TAGS)
    assert found["passes"], "axe looked at nothing"
    return [f"{one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"]]
