"""From a clone to a counsellor who handles a hit in the browser: the one command that README names, filmed.

`signaalwissel up --demo` starts real Kafka, PostgreSQL, worker, sink and pages; a real Chromium logs in as the counsellor
whom it names and handles the first contact. Each step is a picture where `make pictures` asks for them.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from signaalwissel.deploy.ports import free_ports

from tests.console.webpages.browsing import PICTURES, needs_chromium

pytestmark = needs_chromium
_TOLD = re.compile(
    r"# log in there as counsellor, municipality (\d{4}), counsellor id (\S+), team (.+): (\d+) contacts to make"
)


@contextmanager
def up(kafka_bootstrap: str, database_url: str, prefix: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The command as a user runs it; gives the pages' address and as whom to log in."""
    (port,) = free_ports(1)
    environment = {
        **os.environ,
        "SIGNAALWISSEL_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "SIGNAALWISSEL_DATABASE_URL": database_url,
        "SIGNAALWISSEL_TOPIC_PREFIX": prefix,
        "SIGNAALWISSEL_WEB_PORT": str(port),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "signaalwissel.console", "up", "--demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    ) as process:
        try:
            assert process.stdout is not None
            told = None
            for line in process.stdout:
                told = told or _TOLD.match(line)
                if line.startswith("# ready"):
                    break
            assert told is not None, "up --demo did not tell as whom to log in"
            yield f"http://127.0.0.1:{port}", told.groups()
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()


class Film:
    """Pictures of the steps, numbered, where they are wanted."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._number = 0

    def shot(self, name: str) -> None:
        """One step."""
        self._number += 1
        if PICTURES:
            self._page.screenshot(path=Path(PICTURES) / f"eerste-dag-{self._number}-{name}.png")


@pytest.mark.timeout(400)
def test_one_command_later_a_counsellor_handles_a_hit(
    kafka_bootstrap: str, database_url: str, topic_prefix: str, chromium: Browser
) -> None:
    with (
        up(kafka_bootstrap, database_url, topic_prefix) as (address, (municipality, counsellor, team, tasks)),
        closing(chromium.new_context(viewport={"width": 1280, "height": 900})) as context,
    ):
        page = context.new_page()
        page.set_default_timeout(20_000)
        film = Film(page)
        page.goto(address)
        page.select_option("[name=role]", "counsellor")
        page.select_option("[name=municipality]", municipality)
        page.fill("[name=counsellor_id]", counsellor)
        page.fill("[name=team]", team)
        film.shot("inloggen")
        page.click("button[type=submit]")
        page.wait_for_selector("h1:has-text('Werkvoorraad')")
        assert page.locator(".sw-card").count() >= min(int(tasks), 25)
        film.shot("werkvoorraad")
        _open_a_hit(page)
        page.wait_for_selector("text=Wat wilt u melden?")
        task = page.url
        film.shot("taak")
        page.click("text=Toon persoonsgegevens")
        page.wait_for_selector("text=Vastgelegd is dat u dit heeft bekeken")
        page.locator("#wie").scroll_into_view_if_needed()
        film.shot("wie")
        page.click("text=Ik had contact met de inwoner")
        page.select_option("#kanaal-CONTACT_MADE", "PHONE")
        page.click("details[open] button")
        page.wait_for_selector("text=Uw melding is aangekomen")
        film.shot("gemeld")
        _wait_until_applied(page, task)
        film.shot("verwerkt")


def _open_a_hit(page: Page) -> None:
    """The first one, and where there is a choice not of an insurer: their signals tell little but a BSN."""
    hits = page.locator(".sw-card", has=page.locator("h2:has-text('Terugval')"))
    others = hits.filter(has_not_text="zorgverzekering")
    (others if others.count() else hits).first.locator("h2 a").click()


def _wait_until_applied(page: Page, task: str) -> None:
    """Until the sink has applied the report, the page shows it as under way."""
    for _ in range(60):
        page.goto(task)
        if page.locator("text=Het systeem verwerkt de melding nu").count() == 0:
            return
        page.wait_for_timeout(500)
    raise AssertionError("the sink did not apply the report")
