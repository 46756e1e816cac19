"""The Chromium of this machine for tests: where it is, and what to do without one.

Tests with it are skipped with the reason where there is none; `make browser` installs it and sets
SIGNAALWISSEL_BROWSER=required, with which its absence fails.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PICTURES = os.environ.get("SIGNAALWISSEL_PICTURES")
"""The folder for pictures, where they are wanted."""
_REQUIRED = os.environ.get("SIGNAALWISSEL_BROWSER") == "required"
_OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)

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
