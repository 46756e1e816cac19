"""`keys create` and `keys destroy`: what is made, what is gone for good, and what the audit trail says of it."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.sealing import KeyDestroyed
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.streams.clock import now_ms
from sqlalchemy import text

from tests.console.console_support import MUNICIPALITY, CommandLine, Installation

LONG_AGO = date(2024, 2, 29)
WHY = "Sleutels teruggezet uit een back-up"


def destroyed(installation: Installation, day: date) -> bool:
    """Whether the key of a day is gone, as a process that starts now sees it."""
    try:
        LocalKeys(installation.key_dir).day_key(MUNICIPALITY, day)
    except KeyDestroyed:
        return True
    return False


def trail(installation: Installation) -> list[tuple[str, str]]:
    with installation.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT about, details ->> 'reason' FROM audit_events WHERE kind = 'KEY_DESTROYED' ORDER BY event_id"
            )
        )
        return [(row[0], row[1]) for row in rows]


def test_keys_are_made_once(
    signaalwissel: CommandLine, tmp_path: Path, bare_environment: pytest.MonkeyPatch
) -> None:
    bare_environment.setenv("SIGNAALWISSEL_KEY_DIR", str(tmp_path / "keys"))
    tried = signaalwissel("keys", "create", MUNICIPALITY, "--dry-run")
    assert (tried.code, tried.out) == (0, "municipality 0344 would get its keys\n")
    assert not (tmp_path / "keys").exists()
    made = {"municipality": MUNICIPALITY, "made": True, "dry_run": False}
    assert signaalwissel("keys", "create", MUNICIPALITY, "--json").json == made
    assert signaalwissel("keys", "create", MUNICIPALITY, "--json").json == made | {"made": False}


def test_a_code_that_is_none_is_a_wrong_argument(signaalwissel: CommandLine) -> None:
    ended = signaalwissel("keys", "create", "344")
    assert ended.code == 2
    assert "four digits" in ended.err


def test_a_day_that_is_over_is_destroyed_and_on_record(
    stored: Installation, signaalwissel: CommandLine
) -> None:
    asked = ("keys", "destroy", MUNICIPALITY, "--day", LONG_AGO, "--reason", WHY)
    assert signaalwissel(*asked, "--dry-run").code == 0
    assert not destroyed(stored, LONG_AGO)
    told = signaalwissel(*asked, "--json").json
    assert told == {"municipality": MUNICIPALITY, "days": ["2024-02-29"], "dry_run": False}
    assert destroyed(stored, LONG_AGO)
    assert trail(stored) == [("day 2024-02-29", WHY)]


def test_keys_that_a_backup_brought_back_are_destroyed_again(
    stored: Installation, signaalwissel: CommandLine
) -> None:
    signaalwissel("keys", "destroy", MUNICIPALITY, "--day", LONG_AGO, "--reason", WHY)
    (stored.key_dir / MUNICIPALITY / "day" / f"{LONG_AGO}.key").unlink()
    assert not destroyed(stored, LONG_AGO)
    ended = signaalwissel("keys", "destroy", MUNICIPALITY, "--again", "--reason", WHY)
    assert (ended.code, ended.out) == (0, "municipality 0344: the key of 2024-02-29 is destroyed\n")
    assert destroyed(stored, LONG_AGO)


def test_a_day_that_is_kept_goes_only_when_that_is_said(
    stored: Installation, signaalwissel: CommandLine
) -> None:
    today = amsterdam_day(now_ms())
    yesterday = today - timedelta(days=1)
    asked = ("keys", "destroy", MUNICIPALITY, "--day", yesterday, "--reason", WHY)
    refused = signaalwissel(*asked)
    assert refused.code == 2
    assert "retention.signal.months" in refused.err
    assert not destroyed(stored, yesterday)
    assert signaalwissel(*asked, "--early").code == 0
    assert destroyed(stored, yesterday)
    in_use = signaalwissel("keys", "destroy", MUNICIPALITY, "--day", today, "--reason", WHY, "--early")
    assert in_use.code == 2
    assert "in use" in in_use.err


def test_a_hold_keeps_the_keys(stored: Installation, signaalwissel: CommandLine) -> None:
    until = amsterdam_day(now_ms()) + timedelta(days=9)
    held = signaalwissel(
        "retention", "hold", "--municipality", MUNICIPALITY, "--until", until, "--reason", "Bezwaar 12"
    )
    assert held.code == 0
    refused = signaalwissel("keys", "destroy", MUNICIPALITY, "--day", LONG_AGO, "--reason", WHY)
    assert refused.code == 2
    assert "a hold keeps" in refused.err
    assert not destroyed(stored, LONG_AGO)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param((), "give days", id="neither a day nor all"),
        pytest.param(("--day", "2024-02-29", "--again"), "give days", id="both"),
        pytest.param(("--day", "29-02-2024"), "must be a day like", id="no day"),
    ],
)
def test_what_is_asked_must_be_clear(
    stored: Installation, signaalwissel: CommandLine, options: tuple[str, ...], told: str
) -> None:
    ended = signaalwissel("keys", "destroy", MUNICIPALITY, "--reason", WHY, *options)
    assert ended.code == 2
    assert told in ended.err
