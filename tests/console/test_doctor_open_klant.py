from collections.abc import Iterator
from typing import Any

import pytest
from signaalwissel.sinks.database import migrate

from tests.console.console_support import CommandLine, Ended
from tests.sinks.open_klant_server import running_stub
from tests.sinks.open_klant_stub import TOKEN
from tests.sinks.open_klant_support import Desktop, relapse


@pytest.fixture
def desktop(database_url: str, bare_environment: pytest.MonkeyPatch) -> Iterator[Desktop]:
    migrate(database_url)
    with running_stub() as stub:
        for name, value in (
            ("DATABASE_URL", database_url),
            ("OPEN_KLANT_URL", stub.url),
            ("OPEN_KLANT_TOKEN", TOKEN),
        ):
            bare_environment.setenv(f"SIGNAALWISSEL_{name}", value)
        yield Desktop(database_url, stub)


def found(ended: Ended) -> dict[str, dict[str, Any]]:
    """What `doctor --json` says of Open Klant, by what was looked at."""
    assert TOKEN not in ended.out + ended.err
    return {finding["check"]: finding for finding in ended.json if finding["check"].startswith("open klant")}


def test_a_hand_over_that_is_well_says_what_was_handed_over(
    desktop: Desktop, signaalwissel: CommandLine
) -> None:
    assert found(signaalwissel("doctor", "--json"))["open klant hand-over"]["detail"].startswith("nothing")
    task = relapse()
    desktop.keep(task)
    with desktop.handing_over():
        desktop.until(lambda: desktop.row(task) is not None and desktop.row(task).status == "OPEN", "it")
    said = found(signaalwissel("doctor", "--json"))
    assert {name: (finding["ok"], finding["detail"]) for name, finding in said.items()} == {
        "open klant": (True, "answers and takes the token"),
        "open klant hand-over": (True, "1 OPEN"),
    }


def test_a_token_that_is_not_taken_is_a_finding_and_what_waits_for_it(
    desktop: Desktop, signaalwissel: CommandLine
) -> None:
    desktop.stub.token = "another"
    task = relapse()
    desktop.keep(task)
    with desktop.handing_over():
        desktop.until(lambda: desktop.row(task) is not None and desktop.row(task).attempts, "a failure")
    ended = signaalwissel("doctor", "--json")
    said = found(ended)
    assert ended.code == 1
    assert "HTTP 401: the token is not accepted" in said["open klant"]["detail"]
    assert "OPEN_KLANT_TOKEN" in said["open klant"]["fix"]
    assert said["open klant hand-over"]["detail"].startswith("1 tasks wait, the first for ")
    assert "HTTP 401" in said["open klant hand-over"]["detail"]


def test_an_open_klant_that_is_away_ends_with_3(
    desktop: Desktop, signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch
) -> None:
    bare_environment.setenv("SIGNAALWISSEL_OPEN_KLANT_URL", "http://127.0.0.1:9/api/v1")
    ended = signaalwissel("doctor", "--json")
    assert ended.code == 3
    assert not found(ended)["open klant"]["ok"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("URL", "http://klant.example.nl/api/v1", "must begin with https"),
        ("URL", "https://user:geheim@klant.example.nl/api/v1", "must not hold a user or password"),
        ("URL", "klant.example.nl", "is not like https://"),
        ("TOKEN", "", "API token"),
        ("TOKEN", "a\nb", "printable"),
        ("KINDS", "CONTACT_ON_RELAPSE,VERIFY_IDENTITY", "VERIFY_IDENTITY is no kind"),
        ("KINDS", " , ", "must name one or more"),
        ("CHANNEL", "k" * 51, "1 to 50 characters"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    desktop: Desktop,
    signaalwissel: CommandLine,
    bare_environment: pytest.MonkeyPatch,
    name: str,
    value: str,
    said: str,
) -> None:
    bare_environment.setenv(f"SIGNAALWISSEL_OPEN_KLANT_{name}", value)
    detail = found(signaalwissel("doctor", "--json"))["open klant"]["detail"]
    assert f"SIGNAALWISSEL_OPEN_KLANT_{name}" in detail
    assert said in detail
    assert "geheim" not in detail


def test_a_url_without_a_token_is_a_finding(
    desktop: Desktop, signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch
) -> None:
    bare_environment.delenv("SIGNAALWISSEL_OPEN_KLANT_TOKEN")
    assert "TOKEN is not" in found(signaalwissel("doctor", "--json"))["open klant"]["detail"]


def test_without_a_url_nothing_is_said(
    desktop: Desktop, signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch
) -> None:
    bare_environment.delenv("SIGNAALWISSEL_OPEN_KLANT_URL")
    assert found(signaalwissel("doctor", "--json")) == {}


def test_config_show_hides_the_token_and_a_password_in_the_url(
    desktop: Desktop, signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch
) -> None:
    shown = signaalwissel("config", "show")
    assert TOKEN not in shown.out
    assert desktop.stub.url in shown.out
    bare_environment.setenv("SIGNAALWISSEL_OPEN_KLANT_URL", "https://user:geheim@klant.example.nl/api/v1")
    for form in ((), ("--json",)):
        assert "geheim" not in signaalwissel("config", "show", *form).out
