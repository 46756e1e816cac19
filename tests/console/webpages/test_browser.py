"""The pages in a real Chromium: axe on each, 320 px wide, without JavaScript, by keyboard alone; pictures for the docs."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page
from signaalwissel.deploy.ports import free_ports
from signaalwissel.processors.access import Role

from tests.console.webpages.browsing import PICTURES, needs_chromium, violations
from tests.console.webpages.web_support import COUNSELLOR, TEAM, Town

SHOWN = {
    "werkvoorraad",
    "taak-320",
    "gemeld",
    "signaal",
    "dossier",
    "uitval",
    "cijfers",
    "cijfers-voor-partners",
    "beleid",
    "beleid-anders",
    "berichten",
    "bericht-herstellen",
    "beheer",
}
"""Pictures that the documentation shows."""
TALL = {"beleid", "beleid-anders"}
"""Of these only what a screen holds."""
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 640}

pytestmark = needs_chromium


@pytest.fixture
def served(database_url: str, tmp_path: Path, bare_environment: pytest.MonkeyPatch) -> Iterator[Town]:
    """A town whose pages are served on this machine."""
    (port,) = free_ports(1)
    town = Town(database_url, tmp_path / "keys", f"http://127.0.0.1:{port}")
    server = uvicorn.Server(uvicorn.Config(town.app, port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield town
    server.should_exit = True
    thread.join()


def log_in(context: BrowserContext, town: Town, role: Role) -> Page:
    """Choose who to be at the development login, as somebody who tries things out does."""
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto(town.base + "/")
    page.select_option("[name=role]", role.value)
    page.select_option("[name=municipality]", "0344")
    if role is Role.COUNSELLOR:
        page.fill("[name=counsellor_id]", COUNSELLOR)
    page.fill("[name=team]", TEAM)
    page.click("button[type=submit]")
    page.wait_for_selector("h1")
    return page


def pages_of(town: Town) -> dict[Role, dict[str, str]]:
    # The month of the town's signals.
    month = f"{town.today - timedelta(days=1):%Y-%m}"
    return {
        Role.COUNSELLOR: {
            "werkvoorraad": "/taken?van=team",
            "taak": f"/taken/{town.relapse('T-1')}",
            "dossier": "/dossiers?traject=T-1",
            "niet-gevonden": "/taken/nergens",
            "mijn-sessies": "/sessies",
        },
        Role.PRIVACY_OFFICER: {
            "signaal": "/signalen?nummer=s-1",
            "uitval": "/uitval",
            "cijfers": "/cijfers",
            "cijfers-voor-partners": f"/cijfers/partners?maand={month}",
            "beleid": "/beleid",
            "berichten-van-de-gemeente": "/berichten",
            "beleid-anders": "/beleid?bron=voorbeeld&window.months=1",
        },
        Role.OPERATOR: {"berichten": "/berichten", "bericht": "/berichten/d1", "beheer": "/beheer"},
    }


def console_errors(page: Page) -> list[str]:
    """What the browser complains of from now on, such as a script that our policy forbids."""
    errors: list[str] = []
    page.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
    return errors


def tab_to(page: Page, text: str) -> None:
    """Press Tab until what has this text has the focus, which must be seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        # Not a table that scrolls: it has the focus too, and holds the text of all its links.
        focused = page.evaluate(
            "document.activeElement.matches('a, button, summary') ? document.activeElement.innerText : ''"
        )
        if text in focused:
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", focused
            return
    raise AssertionError(f"the Tab key never comes to {text!r}")


def picture(page: Page, name: str) -> None:
    if PICTURES and name in SHOWN:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=name not in TALL)


def test_axe_finds_nothing_on_any_page_wide_or_narrow(served: Town, chromium: Browser) -> None:
    for role, paths in pages_of(served).items():
        with closing(chromium.new_context(viewport=WIDE)) as context:
            page = log_in(context, served, role)
            errors = console_errors(page)
            for name, path in paths.items():
                for width in (NARROW, WIDE):
                    page.set_viewport_size(width)  # type: ignore[arg-type]
                    page.goto(served.base + path)
                    assert violations(page) == [], (name, width)
                    wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                    assert wider <= 0, (name, width)
                    picture(page, name if width is WIDE else f"{name}-320")
            assert [one for one in errors if "404" not in one] == []


def test_a_task_is_found_and_reported_without_javascript(served: Town, chromium: Browser) -> None:
    with closing(chromium.new_context(viewport=NARROW, java_script_enabled=False)) as context:
        page = log_in(context, served, Role.COUNSELLOR)
        page.click("text=traject T-1")
        page.click("text=Ik had contact met de inwoner")
        page.select_option("#kanaal-CONTACT_MADE", "PHONE")
        page.click("details[open] button")
        page.wait_for_selector("text=Uw melding is aangekomen")
        assert [one.kind for one in served.kafka.updates] == ["CONTACT_MADE"]
        page.click("text=Toon persoonsgegevens")
        page.wait_for_selector("text=0612345678")


def test_with_javascript_a_report_stays_on_the_page_and_its_answer_has_the_focus(
    served: Town, chromium: Browser
) -> None:
    with closing(chromium.new_context(viewport=WIDE)) as context:
        page = log_in(context, served, Role.COUNSELLOR)
        page.goto(f"{served.base}/taken/{served.relapse('T-1')}")
        page.evaluate("window.stayed = true")
        page.click("text=Ik probeerde contact te krijgen")
        page.select_option("#kanaal-CONTACT_ATTEMPTED", "PHONE")
        page.click("details[open] button")
        page.wait_for_selector("text=Uw melding is aangekomen")
        assert page.evaluate("window.stayed")
        assert "aangekomen" in page.evaluate("document.activeElement.textContent")
        assert violations(page) == []
        assert len(served.kafka.updates) == 1
        picture(page, "gemeld")


def test_the_work_list_is_walked_by_keyboard_alone(served: Town, chromium: Browser) -> None:
    with closing(chromium.new_context(viewport=WIDE)) as context:
        page = log_in(context, served, Role.COUNSELLOR)

        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.innerText") == "Naar de inhoud"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "inhoud"
        tab_to(page, "Mijn team")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=traject T-3")
        tab_to(page, "traject T-1")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Wat wilt u melden?")
        tab_to(page, "Ik probeerde contact te krijgen")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("tele")
        tab_to(page, "Meld dit")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Uw melding is aangekomen")
        assert [one.channel for one in served.kafka.updates] == ["PHONE"]


def test_a_task_is_handed_to_a_colleague_by_keyboard_alone(served: Town, chromium: Browser) -> None:
    with closing(chromium.new_context(viewport=WIDE)) as context:
        page = log_in(context, served, Role.COUNSELLOR)
        page.goto(f"{served.base}/taken/{served.relapse('T-1')}")
        tab_to(page, "Geef de taak aan een collega")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("sh-8")
        assert violations(page) == []
        tab_to(page, "Draag over")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Uw melding is aangekomen")
        page.wait_for_selector("text=De taak is overgedragen aan sh-8.")
        assert [(one.by, one.assignee) for one in served.kafka.updates] == [(COUNSELLOR, "sh-8")]


def test_the_other_pages_are_walked_by_keyboard_alone(served: Town, chromium: Browser) -> None:
    with closing(chromium.new_context(viewport=WIDE)) as context:
        page = log_in(context, served, Role.PRIVACY_OFFICER)
        for link, heading in (
            ("Uitval", "Uitval"),
            ("Cijfers", "Cijfers"),
            ("Beleid", "Beleid"),
            ("Vastgelopen berichten", "Vastgelopen berichten"),
        ):
            tab_to(page, link)
            page.keyboard.press("Enter")
            page.wait_for_selector(f"h1:has-text({heading!r})")
        tab_to(page, "INVALID_FIELD")
        page.keyboard.press("Enter")
        page.wait_for_selector("button:has-text('Open en herstel')")
        tab_to(page, "Open en herstel")
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('Bericht herstellen')")
        assert violations(page) == []
        picture(page, "bericht-herstellen")
        tab_to(page, "Bied het herstelde bericht aan")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Het herstelde bericht is aangeboden")
        assert served.letters.done[-1][0] == "mend"


def test_another_policy_is_tried_by_keyboard_and_without_javascript(served: Town, chromium: Browser) -> None:
    with closing(chromium.new_context(viewport=NARROW, java_script_enabled=False)) as context:
        page = log_in(context, served, Role.TEAM_LEAD)
        page.goto(served.base + "/beleid")
        page.fill("[name='window.months']", "1")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Wat er zou veranderen")
        assert "window.months" in page.inner_text("#uitkomst")


def test_other_sessions_are_ended_by_keyboard_and_without_javascript(served: Town, chromium: Browser) -> None:
    with (
        closing(chromium.new_context(viewport=NARROW, java_script_enabled=False)) as context,
        closing(chromium.new_context()) as elsewhere,
    ):
        left = log_in(elsewhere, served, Role.TEAM_LEAD)
        page = log_in(context, served, Role.TEAM_LEAD)
        for link, heading in (("Mijn sessies", "Mijn sessies"), ("Log opnieuw in", "Ontwikkel-login")):
            tab_to(page, link)
            page.keyboard.press("Enter")
            page.wait_for_selector(f"h1:has-text({heading!r})")
        page.select_option("[name=role]", Role.TEAM_LEAD.value)
        page.fill("[name=team]", TEAM)
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Uitloggen kan boven aan de pagina")
        tab_to(page, "Beëindig alle andere sessies")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=De sessie is beëindigd")
        page.wait_for_selector("text=U bent nergens anders ingelogd")
        left.reload()
        left.wait_for_selector("h1:has-text('Ontwikkel-login')")


def test_axe_finds_nothing_where_a_session_can_be_ended(served: Town, chromium: Browser) -> None:
    with closing(chromium.new_context()) as elsewhere, closing(chromium.new_context()) as context:
        log_in(elsewhere, served, Role.TEAM_LEAD)
        page = log_in(context, served, Role.TEAM_LEAD)
        page.goto(served.base + "/inloggen?then=/sessies&opnieuw=true")
        page.select_option("[name=role]", Role.TEAM_LEAD.value)
        page.fill("[name=team]", TEAM)
        page.click("button[type=submit]")
        page.wait_for_selector("text=Beëindig alle andere sessies")
        for width in (NARROW, WIDE):
            page.set_viewport_size(width)  # type: ignore[arg-type]
            assert violations(page) == [], width
            assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, width
