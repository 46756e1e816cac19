from datetime import timedelta

import pytest
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.schemas.followup import TaskUpdateKind
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause
from signaalwissel.sinks.commands import count_standing, give_again
from signaalwissel.sinks.settings import RESIDENT_EVENTS
from signaalwissel.sinks.tables import commands, outbox
from signaalwissel.sinks.timekeeping import DatabaseTime

from tests.processors.followup_support import POLICY, address_only, decision, to_regular, update
from tests.sinks.clock_support import MONDAY, Office


@pytest.fixture
def office(database_url: str) -> Office:
    return Office(database_url)


def sent(office: Office) -> list[str]:
    return [row["aggregate_id"] for row in office.rows(outbox) if row["topic"] == RESIDENT_EVENTS]


def confirm(office: Office) -> None:
    (task,) = office.tasks()
    said = update(TaskUpdateKind.IDENTITY_CONFIRMED, task.task_id, trajectory_id="T-1", client=0)
    office.store(updates=[said])


def test_a_command_stands_until_its_signal_can_no_longer_be_corrected(office: Office) -> None:
    office.store(address_only())
    confirm(office)
    (row,) = office.rows(commands)
    assert row["stands_until"] == MONDAY + timedelta(days=POLICY.corrections.period_days)
    assert [row["command_id"]] == sent(office)


def test_only_standing_commands_are_given_again_each_with_its_id(office: Office) -> None:
    with office.engine.connect() as connection:
        today = amsterdam_day(DatabaseTime().now(connection))
    office.store(address_only("s-1", received_on=today - timedelta(days=3)))
    confirm(office)
    office.store(decision("s-old", received_on=MONDAY))
    office.tick(MONDAY + timedelta(days=30))
    assert len(office.rows(commands)) == 2
    before = sent(office)
    with office.engine.begin() as connection:
        connection.execute(outbox.update().values(sent_at=outbox.c.created_at))
    assert count_standing(office.engine) == 1
    assert give_again(office.engine, office.settings) == 1
    assert sorted(sent(office)) == sorted(before)
    waiting = [row["aggregate_id"] for row in office.rows(outbox) if row["sent_at"] is None]
    (standing,) = [row for row in office.rows(commands) if row["stands_until"] >= today]
    assert waiting == [standing["command_id"]]


def test_nothing_stands_in_an_empty_database(office: Office) -> None:
    assert give_again(office.engine, office.settings) == 0


def test_of_an_erased_signal_no_command_stays(office: Office) -> None:
    office.store(address_only())
    confirm(office)
    office.store(
        to_regular(action=CorrectionAction.WITHDRAWN, cause=CorrectionCause.ERASED, explanation="weg")
    )
    assert office.rows(commands) == []
    assert sent(office) == []
