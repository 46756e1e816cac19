"""What retention does beside signals and trajectories: holds, figures, dead letters, what was sent, policies, commands."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.retention import DataKind
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskUpdateKind
from signaalwissel.schemas.internal import ResidentCommand, ResidentCommandKind
from signaalwissel.schemas.routing import DebtTiming
from signaalwissel.sinks.copying import moment_of
from signaalwissel.sinks.figures import new_arrears
from signaalwissel.sinks.policy_shelf import PolicyShelf
from signaalwissel.sinks.retention_report import Asked, overdue
from signaalwissel.sinks.retention_round import STEPS, RetentionRound, Tools
from signaalwissel.sinks.retention_tables import (
    retained_figures,
    retention_days,
    retention_tombstones,
)
from signaalwissel.sinks.tables import (
    commands,
    dead_letters,
    decisions,
    notices,
    outbox,
    policies,
    tasks,
)
from sqlalchemy import text

from tests.processors.followup_support import MUNICIPALITY, address_only, at_noon, decision, regular, update
from tests.processors.given import policy_with
from tests.sinks.retention_support import Archive, around, ended, hold, letters

EXIT = date(2021, 3, 31)
FIVE_YEARS = date(2026, 3, 31)
RECEIVED = date(2025, 8, 31)
SIX_MONTHS = date(2026, 2, 28)


@pytest.fixture
def archive(database_url: str, tmp_path: Path) -> Archive:
    return Archive(database_url, tmp_path)


def test_counts_stay_and_small_ones_do_not(archive: Archive) -> None:
    month = date(2025, 8, 1)
    after_exit = {"debt_timing": DebtTiming.AFTER_EXIT}
    archive.store(
        *(decision(f"a-{n}", received_on=month, debt_timing=DebtTiming.AFTER_ADMISSION) for n in range(12)),
        *(decision(f"b-{n}", received_on=month + timedelta(days=20), **after_exit) for n in range(3)),
    )
    before = new_arrears(archive.engine, archive.policies, month=month)
    archive.run(around(date(2026, 2, 1))[1])
    assert archive.count(decisions) == 3
    (row,) = archive.rows(retained_figures)
    assert (row["after_admission"], row["after_exit"], row["suppress_below"]) == (12, None, 10)
    assert new_arrears(archive.engine, archive.policies, month=month) == before
    archive.run(around(date(2026, 2, 28))[1])
    assert archive.count(decisions) == 0
    assert new_arrears(archive.engine, archive.policies) == before
    assert set(retained_figures.columns.keys()) & {"signal_id", "match_key", "trajectory_id"} == set()


def test_a_lower_threshold_later_shows_no_more_of_what_was_kept(archive: Archive) -> None:
    archive.store(decision("s-1", received_on=RECEIVED, debt_timing=DebtTiming.AFTER_EXIT))
    archive.run(around(SIX_MONTHS)[1])
    open_handed = Policies(policy_with(figures={"suppress_below": 0}), for_every_code=True)
    (partner, _) = new_arrears(archive.engine, open_handed)
    assert partner.after_exit.plain == "<10"


def test_dead_letters_go_by_their_day_whoever_they_are_of(archive: Archive) -> None:
    letters(archive, RECEIVED, RECEIVED + timedelta(days=1))
    letters(archive, RECEIVED, municipality=None)
    letters(archive, RECEIVED, municipality="9999")
    before, after = around(SIX_MONTHS)
    archive.run(before)
    assert archive.count(dead_letters) == 4
    assert archive.run(after)["DEAD_LETTER"] == 3
    assert archive.count(dead_letters) == 1
    assert {row["municipality"] for row in archive.rows(retention_days)} == {MUNICIPALITY}


def test_a_day_with_a_dead_letter_keeps_its_key_as_long_as_that(archive: Archive) -> None:
    letters(archive, RECEIVED)
    archive.store(regular("s-1", received_on=RECEIVED))
    with archive.engine.begin() as connection:
        connection.execute(text("UPDATE dead_letters SET timestamp = '2025-08-31 21:59:59+00'"))
    sealed = archive.sealed(RECEIVED)
    archive.run(around(SIX_MONTHS)[0])
    assert archive.opens(sealed)
    archive.run(around(SIX_MONTHS)[1])
    assert not archive.opens(sealed)


def test_what_was_sent_goes_a_month_later_and_what_was_not_stays(archive: Archive) -> None:
    archive.store(
        decision("s-1", received_on=RECEIVED), decision("s-2", received_on=RECEIVED, trajectory_id="T-2")
    )
    with archive.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE outbox SET sent_at = '2026-01-10 12:00:00+00' WHERE id = (SELECT min(id) FROM outbox)"
            )
        )
    before, after = around(date(2026, 2, 9))
    assert "OUTBOX" not in archive.run(before)
    assert archive.run(after)["OUTBOX"] == 1
    assert {row["sent_at"] for row in archive.rows(outbox)} == {None}


def test_a_policy_stays_as_long_as_anything_names_it_or_anybody_may_run_with_it(archive: Archive) -> None:
    old, named = policy_with(window={"months": 4}), policy_with(window={"months": 5})
    with archive.engine.begin() as connection:
        for policy in (old, named):
            PolicyShelf(Policies(policy, {})).keep(connection)
        connection.execute(text("UPDATE policies SET first_seen_at = '2025-01-01'"))
    archive.store(regular("s-1", received_on=date(2026, 2, 1), policy_version=named.version))
    assert archive.run(around(SIX_MONTHS)[1])["POLICY"] == 1
    assert {row["version"] for row in archive.rows(policies)} == {
        named.version,
        archive.policies.default.version,
    }


def test_feedback_verifications_and_commands_go_with_their_signals(archive: Archive) -> None:
    archive.store(decision("s-1", received_on=RECEIVED), address_only("s-2", received_on=RECEIVED))
    asked, called = sorted(archive.tasks(), key=lambda task: task.kind, reverse=True)
    at = at_noon(RECEIVED)
    archive.store(
        updates=[update(TaskUpdateKind.CONTACT_MADE, called.task_id, update_id="u-1", occurred_at=at)]
    )
    for number, one in enumerate(asked.candidates):
        named = {"trajectory_id": one.trajectory_id, "client": one.client, "occurred_at": at}
        archive.store(
            updates=[update(TaskUpdateKind.IDENTITY_REFUTED, asked.task_id, update_id=f"r-{number}", **named)]
        )
    assert archive.count(commands) == 2
    before, after = around(SIX_MONTHS)
    assert archive.run(before).keys() <= {"DAY_KEY"}
    done = archive.run(after)
    assert {name: done[name] for name in ("FEEDBACK", "VERIFICATION", "COMMAND", "TASK_SIGNAL")} == {
        "FEEDBACK": 1,
        "VERIFICATION": 1,
        "COMMAND": 2,
        "TASK_SIGNAL": 1,
    }
    assert archive.count(commands) == 0
    assert [row["task_id"] for row in archive.rows(tasks)] == [called.task_id]
    assert {row["kind"] for row in archive.rows(notices)} == {"DATA_DESTROYED"}


def test_a_command_stays_while_its_signal_can_be_corrected(archive: Archive) -> None:
    said = ResidentCommand(
        "c-1", ResidentCommandKind.OFFER_TO_REGULAR, MUNICIPALITY, b"r" * 16, None, None, 0
    )
    row = {
        "command_id": "c-1",
        "signal_ref": b"r" * 16,
        "match_key": b"k" * 33,
        "value": codec("ResidentCommand").encode(said),
        "issued_at": moment_of(at_noon(RECEIVED)),
        "stands_until": SIX_MONTHS + timedelta(days=30),
    }
    with archive.engine.begin() as connection:
        connection.execute(commands.insert(), row)
    archive.run(around(SIX_MONTHS)[1])
    assert archive.count(commands) == 1
    archive.run(around(SIX_MONTHS + timedelta(days=30))[1])
    assert archive.count(commands) == 0


def test_what_names_a_trajectory_that_is_not_there_goes_by_its_last_day(archive: Archive) -> None:
    archive.store(decision("s-1", received_on=EXIT))
    before, after = around(FIVE_YEARS)
    archive.run(before)
    assert archive.count(tasks) == 1
    archive.run(after)
    assert archive.count(tasks) == 0


def test_a_tombstone_goes_when_nothing_late_can_come_any_more(archive: Archive) -> None:
    archive.store(states=[ended("T-1", EXIT)])
    archive.run(around(FIVE_YEARS)[1])
    archive.run(around(FIVE_YEARS + timedelta(days=1000))[1])
    assert archive.count(retention_tombstones) == 1, "intake has not told that it forgot"
    archive.time.day = FIVE_YEARS
    archive.store(states=[ended("T-1", EXIT)._replace(erased=True, facts=(), match_keys=(), version=10)])
    archive.run(around(FIVE_YEARS + timedelta(days=125))[0])
    assert archive.count(retention_tombstones) == 1
    archive.run(around(FIVE_YEARS + timedelta(days=125))[1])
    assert archive.count(retention_tombstones) == 0


class Away:
    """A key provider that does not answer."""

    def knows(self, municipality: str) -> bool:
        return municipality == MUNICIPALITY

    def destroy_day_key(self, municipality: str, day: date) -> None:
        raise KeyUnavailable(f"key service: nothing of {municipality} {day}")


def test_without_the_key_provider_rows_go_and_keys_stay_due_and_are_told(archive: Archive) -> None:
    archive.store(regular("s-1", received_on=RECEIVED))
    archive.moment.moment = around(SIX_MONTHS)[1]
    runner = RetentionRound(archive.settings, archive.policies, Tools(Away(), archive.moment))
    with archive.engine.connect() as connection:
        assert [done.kind for done in runner.batches(connection)] == [DataKind.SIGNAL]
    assert runner.key_failure is not None
    asked = Asked(archive.settings, archive.policies, archive.moment)
    assert overdue(archive.engine, asked) == []
    archive.moment.moment += 86_400_000
    assert [(one.what, one.number) for one in overdue(archive.engine, asked)] == [("DAY_KEY", 1)]
    archive.run(archive.moment.moment)
    assert overdue(archive.engine, asked) == []


def test_what_outlived_its_period_is_told_a_day_later_and_what_is_held_is_not(archive: Archive) -> None:
    archive.store(regular("s-1", received_on=RECEIVED), states=[ended("T-1", EXIT)])
    asked = Asked(archive.settings, archive.policies, archive.moment)
    archive.moment.moment = around(FIVE_YEARS)[1]
    assert {one.what for one in overdue(archive.engine, asked)} == {"SIGNAL"}
    archive.moment.moment = around(FIVE_YEARS + timedelta(days=1))[1]
    assert {"SIGNAL", "TRAJECTORY"} <= {one.what for one in overdue(archive.engine, asked)}
    hold(archive, None, date(2026, 12, 31), FIVE_YEARS + timedelta(days=2))
    assert overdue(archive.engine, asked) == []


def test_a_report_changes_nothing_and_says_what_a_run_does(archive: Archive) -> None:
    archive.store(
        regular("s-1", received_on=RECEIVED), decision("s-2", received_on=EXIT), states=[ended("T-1", EXIT)]
    )
    _, after = around(FIVE_YEARS)
    before = archive.everything()
    told = {line.kind.value: line.due for line in archive.report(after).lines if line.due}
    assert archive.everything() == before
    done = archive.run(after)
    assert {name: done[name] for name in told if name != "DAY_KEY"} == {
        name: count for name, count in told.items() if name != "DAY_KEY"
    }
    assert {DataKind(name) for name in done} <= {step.kind for step in STEPS} | {DataKind.DAY_KEY}
