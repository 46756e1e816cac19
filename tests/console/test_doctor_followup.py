from datetime import date

import pytest
from signaalwissel.sinks.tables import tasks

from tests.console.console_support import CommandLine, Installation
from tests.console.test_doctor import wrong

pytestmark = pytest.mark.usefixtures("named_collector")


def opened(installation: Installation, **changes: object) -> None:
    task = {
        "task_id": "relapse-1",
        "version": 1,
        "kind": "CONTACT_ON_RELAPSE",
        "status": "OPEN",
        "municipality": "0344",
        "trajectory_id": "T-1",
        "assignee": "b-17",
        "team": "noord",
        "due_on": date(2026, 3, 30),
        "opened_on": date(2026, 3, 2),
        "next_on": date(9999, 1, 1),
        "policy_version": "",
    }
    with installation.engine.begin() as connection:
        connection.execute(tasks.insert(), task | changes)


def test_a_clock_that_is_off_is_told(
    installation: Installation, signaalwissel: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNAALWISSEL_CLOCK", "off")
    ended = signaalwissel("doctor", "--json")
    assert set(wrong(ended)) == {"clock"}
    assert "SIGNAALWISSEL_CLOCK=database" in wrong(ended)["clock"]["fix"]
    assert ended.code == 1


def test_what_the_clock_left_lying_is_told(installation: Installation, signaalwissel: CommandLine) -> None:
    opened(installation, next_on=date(2026, 3, 9))
    found = wrong(signaalwissel("doctor", "--json"))
    assert set(found) == {"clock"}
    assert found["clock"]["detail"].startswith("1 tasks")


def test_a_task_that_nobody_would_look_at_again_is_told(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    opened(installation, next_on=None)
    found = wrong(signaalwissel("doctor", "--json"))
    assert set(found) == {"follow-up"}
    assert found["follow-up"]["detail"] == "NO_NEXT_DAY 0344/T-1: relapse-1"
