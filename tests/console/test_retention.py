"""`retention` and what `doctor` says of it."""

from datetime import date

import pytest
from signaalwissel.sinks.copying import moment_of
from signaalwissel.sinks.retention_tables import retention_proofs
from signaalwissel.sinks.tables import dead_letters
from sqlalchemy import select

from tests.console.console_support import CommandLine, Installation
from tests.console.test_doctor import wrong
from tests.processors.followup_support import at_noon

pytestmark = pytest.mark.usefixtures("named_collector")

OLD = date(2020, 1, 6)
REASON = "een procedure loopt"


def refuse(installation: Installation, day: date = OLD) -> None:
    """A dead letter of a day long ago."""
    row = {
        "dead_letter_id": f"dl-{day}",
        "stage": "intake",
        "topic": "signals",
        "partition": 0,
        "offset": 1,
        "timestamp": moment_of(at_noon(day)),
        "code": "UNREADABLE",
        "rule": "",
        "municipality": "0344",
        "sealed": b"x",
        "status": "parked",
    }
    with installation.engine.begin() as connection:
        connection.execute(dead_letters.insert(), row)


def left(installation: Installation) -> int:
    with installation.engine.connect() as connection:
        return len(connection.execute(select(dead_letters)).all())


def test_a_dry_run_says_what_a_run_destroys_and_a_rerun_finds_nothing(
    stored: Installation, signaalwissel: CommandLine
) -> None:
    refuse(stored)
    due = {"municipality": "0344", "kind": "DEAD_LETTER", "count": 1}
    tried = signaalwissel("retention", "run", "--dry-run", "--json")
    assert due in tried.json["destroyed"]
    assert left(stored) == 1
    done = signaalwissel("retention", "run", "--json")
    assert (done.code, done.json["dry_run"]) == (0, False)
    assert due in done.json["destroyed"]
    assert left(stored) == 0
    again = signaalwissel("retention", "run")
    assert (again.code, again.out) == (0, "nothing is over\n")
    with stored.engine.connect() as connection:
        kinds = {row.kind for row in connection.execute(select(retention_proofs))}
    assert kinds == {"DEAD_LETTER", "DAY_KEY"}


def test_a_report_says_period_reason_and_what_is_over(
    stored: Installation, signaalwissel: CommandLine
) -> None:
    refuse(stored)
    ended = signaalwissel("retention", "report", "--json", "--municipality", "0344", "--dry-run")
    (line,) = [one for one in ended.json["kinds"] if one["kind"] == "DEAD_LETTER"]
    assert (line["months"], line["kept"], line["due"], line["held"]) == (6, 1, 1, 0)
    assert "vervolgsignaal" in line["justification"]
    assert ended.code == 1
    assert "DEAD_LETTER" in signaalwissel("retention", "report").out


def test_a_hold_keeps_until_it_is_released_and_stands_in_the_report(
    stored: Installation, signaalwissel: CommandLine
) -> None:
    refuse(stored)
    arguments = ("--municipality", "0344", "--until", "2999-12-31", "--reason", REASON)
    assert signaalwissel("retention", "hold", *arguments, "--dry-run").code == 0
    assert signaalwissel("retention", "report", "--json").json["holds"] == []
    placed = signaalwissel("retention", "hold", *arguments, "--json").json
    signaalwissel("retention", "run")
    assert left(stored) == 1
    told = signaalwissel("retention", "report", "--json").json
    assert [(one["hold_id"], one["in_force"]) for one in told["holds"]] == [(placed["hold_id"], True)]
    assert placed["hold_id"] in signaalwissel("retention", "report").out
    released = signaalwissel("retention", "release", placed["hold_id"], "--reason", "de procedure is voorbij")
    assert (released.code, "is released" in released.out) == (0, True)
    signaalwissel("retention", "run")
    assert left(stored) == 0


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"--reason": "kort"}, "--reason must have 10 to 300"),
        ({"--reason": "zaak van 111222333 loopt"}, "must not hold a BSN"),
        ({"--until": "31-12-2999"}, "a day like 2027-03-31"),
        ({"--until": "2020-01-01"}, "has passed"),
        ({"--municipality": "GM344"}, "four digits"),
    ],
)
def test_a_hold_that_cannot_be_is_refused(
    stored: Installation, signaalwissel: CommandLine, changes: dict[str, str], told: str
) -> None:
    given = {"--municipality": "0344", "--until": "2999-12-31", "--reason": REASON, **changes}
    ended = signaalwissel("retention", "hold", *(part for pair in given.items() for part in pair))
    assert (ended.code, told in ended.err) == (2, True), ended.err


@pytest.mark.usefixtures("named_collector")
def test_doctor_lists_what_outlived_its_period(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    refuse(installation)
    found = wrong(signaalwissel("doctor", "--json"))
    assert set(found) == {"retention"}
    assert found["retention"]["detail"] == "outlived its period: 0344 DEAD_LETTER"
    signaalwissel("retention", "run")
    assert wrong(signaalwissel("doctor", "--json")) == {}


def test_doctor_tells_that_retention_is_off(
    installation: Installation, signaalwissel: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNAALWISSEL_RETENTION", "off")
    found = wrong(signaalwissel("doctor", "--json"))
    assert "SIGNAALWISSEL_RETENTION=on" in found["retention"]["fix"]


def test_keys_that_are_not_destroyed_end_the_run_as_a_service_that_is_away(
    stored: Installation, signaalwissel: CommandLine
) -> None:
    refuse(stored)
    (stored.key_dir / "0344" / "day").rmdir()
    ended = signaalwissel("retention", "run")
    assert (ended.code, "day keys stay due" in ended.err) == (3, True)
    assert left(stored) == 0
