"""What is over goes, at its second; what is not stays; what is held stays; nothing comes back."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskEvent, TaskStatus, TaskUpdateKind
from signaalwissel.schemas.internal import IntakeCommand, IntakeCommandKind
from signaalwissel.sinks.retention_tables import retention_days, retention_proofs, retention_tombstones
from signaalwissel.sinks.tables import (
    decisions,
    found,
    notices,
    outbox,
    task_history,
    task_signals,
    task_updates,
    tasks,
    trajectories,
)

from tests.processors.followup_support import MUNICIPALITY, decision, regular, update
from tests.sinks.retention_support import Archive, around, ended

EXIT = date(2021, 3, 31)
FIVE_YEARS = date(2026, 3, 31)
SEVEN_YEARS = date(2028, 3, 31)


@pytest.fixture
def archive(database_url: str, tmp_path: Path) -> Archive:
    return Archive(database_url, tmp_path)


def sent(archive: Archive) -> None:
    """The relay has sent everything."""
    with archive.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox SET sent_at = created_at")


@pytest.mark.parametrize(
    ("entrepreneur", "last_day"),
    [
        pytest.param(None, FIVE_YEARS, id="five years"),
        pytest.param(False, FIVE_YEARS, id="five years, no business"),
        pytest.param(True, SEVEN_YEARS, id="seven years of an entrepreneur"),
    ],
)
def test_a_trajectory_goes_with_the_second_after_its_last_day(
    archive: Archive, entrepreneur: bool | None, last_day: date
) -> None:
    archive.store(
        states=[
            ended("T-1", EXIT, entrepreneur=entrepreneur),
            ended("T-2", EXIT + timedelta(days=1), entrepreneur=entrepreneur),
        ]
    )
    before, after = around(last_day)
    assert archive.run(before).keys() <= {"DAY_KEY"}
    assert archive.count(trajectories) == 2
    archive.run(after)
    assert [row["trajectory_id"] for row in archive.rows(trajectories)] == ["T-2"]


def test_everything_that_hangs_on_a_trajectory_goes_with_it(archive: Archive) -> None:
    archive.store(decision("s-1", received_on=EXIT - timedelta(days=30)), states=[ended("T-1", EXIT)])
    (task,) = archive.tasks()
    archive.store(updates=[update(TaskUpdateKind.CONTACT_MADE, task.task_id)])
    archive.store(
        decision("s-2", received_on=EXIT, trajectory_id="T-2"),
        states=[ended("T-2", EXIT + timedelta(days=400))],
    )
    sent(archive)
    archive.run(around(FIVE_YEARS)[1])
    for table in (tasks, trajectories, found):
        assert {row["trajectory_id"] for row in archive.rows(table)} == {"T-2"}, table.name
    assert {row["task_id"] for row in archive.rows(task_history)} == {
        task.task_id for task in archive.tasks()
    }
    assert archive.count(task_updates) == 0
    told = repr(
        [archive.everything()[name] for name in ("notices", "retention_tombstones", "retention_proofs")]
    )
    assert "T-1" not in told


def test_intake_is_told_to_forget_it_and_a_task_that_ran_is_told_to_end(archive: Archive) -> None:
    archive.store(decision("s-1", received_on=EXIT), states=[ended("T-1", EXIT)])
    (task,) = archive.tasks()
    sent(archive)
    archive.run(around(FIVE_YEARS)[1])
    left = {row["topic"]: row["value"] for row in archive.rows(outbox) if row["sent_at"] is None}
    order: IntakeCommand = codec("IntakeCommand").decode(left["intake-commands"])
    assert (order.kind, order.municipality, order.trajectory_id) == (
        IntakeCommandKind.ERASE,
        MUNICIPALITY,
        "T-1",
    )
    last: TaskEvent = codec("TaskEvent").decode(left["tasks"])
    assert (last.task_id, last.version, last.status) == (task.task_id, task.version + 1, TaskStatus.CANCELLED)
    assert last.signals == ()
    assert len(last.history) == 1


def test_the_end_of_a_task_that_was_not_sent_yet_is_still_sent(archive: Archive) -> None:
    archive.store(decision("s-1", received_on=EXIT), states=[ended("T-1", EXIT)])
    (task,) = archive.tasks()
    sent(archive)
    archive.store(updates=[update(TaskUpdateKind.CONTACT_MADE, task.task_id)])
    archive.run(around(FIVE_YEARS)[1])
    told = [
        codec("TaskEvent").decode(row["value"]) for row in archive.rows(outbox) if row["topic"] == "tasks"
    ]
    assert [(one.version, one.status) for one in told] == [(task.version + 1, TaskStatus.DONE)]


def test_a_trajectory_that_runs_or_is_open_is_never_over(archive: Archive) -> None:
    running = ended("T-1", EXIT)
    archive.store(states=[running._replace(facts=running.facts[:1])])
    archive.run(around(date(2060, 1, 1))[1])
    assert archive.count(trajectories) == 1


def test_signals_go_with_the_second_after_their_last_day(archive: Archive) -> None:
    received_on = date(2025, 8, 31)
    archive.store(regular("s-1", received_on=received_on), regular("s-2", received_on=date(2025, 9, 1)))
    before, after = around(date(2026, 2, 28))
    archive.run(before)
    assert archive.count(decisions) == 2
    assert archive.run(after)["SIGNAL"] == 1
    assert [row["signal_id"] for row in archive.rows(decisions)] == ["s-2"]


def test_an_ended_task_stays_without_its_signals_and_a_running_one_keeps_them(archive: Archive) -> None:
    day = date(2025, 8, 31)
    archive.store(decision("s-1", received_on=day), decision("s-2", received_on=day, trajectory_id="T-2"))
    done, running = sorted(archive.tasks(), key=lambda task: task.trajectory_id or "")
    archive.store(updates=[update(TaskUpdateKind.CONTACT_MADE, done.task_id)])
    version = {task.task_id: task.version for task in archive.tasks()}
    archive.run(around(date(2026, 2, 28))[1])
    assert [row["task_id"] for row in archive.rows(task_signals)] == [running.task_id]
    assert {task.task_id: task.version for task in archive.tasks()} == version


def test_a_rerun_changes_nothing(archive: Archive) -> None:
    archive.store(decision("s-1", received_on=EXIT), states=[ended("T-1", EXIT)])
    _, after = around(FIVE_YEARS)
    assert archive.run(after)
    before = archive.everything()
    assert archive.run(after + 1000) == {}
    assert archive.everything() == before


def test_the_proof_counts_and_names_nobody(archive: Archive) -> None:
    archive.store(*(regular(f"s-{n}", received_on=EXIT) for n in range(3)), states=[ended("T-1", EXIT)])
    archive.run(around(FIVE_YEARS)[1])
    proofs = {row["kind"]: row for row in archive.rows(retention_proofs)}
    assert (proofs["SIGNAL"]["count"], proofs["SIGNAL"]["months"]) == (3, 6)
    assert (proofs["TRAJECTORY"]["count"], proofs["TRAJECTORY"]["months"]) == (1, 60)
    destroyed = [row for row in archive.rows(notices) if row["kind"] == "DATA_DESTROYED"]
    kinds = {row["addressee"].split("-")[0] for row in destroyed}
    assert kinds == {"trajectory", "day"}
    assert all(row["trajectory_id"] is None and row["signal_id"] is None for row in destroyed)


def test_nothing_that_comes_late_brings_a_trajectory_back(archive: Archive) -> None:
    archive.store(states=[ended("T-1", EXIT)])
    archive.run(around(FIVE_YEARS)[1])
    late = ended("T-1", EXIT, version=9)
    archive.store(decision("s-9", received_on=FIVE_YEARS), states=[late])
    assert archive.count(trajectories) == archive.count(tasks) == archive.count(found) == 0
    (row,) = archive.rows(decisions)
    assert (row["trajectory_id"], row["counsellor_id"], row["reason"]) == (None, None, "NO_TRAJECTORY")
    assert [row["confirmed_on"] for row in archive.rows(retention_tombstones)] == [None]


def test_what_intake_tells_of_its_forgetting_is_noted_and_brings_nothing_back(archive: Archive) -> None:
    archive.store(states=[ended("T-1", EXIT)])
    archive.run(around(FIVE_YEARS)[1])
    archive.store(states=[ended("T-1", EXIT)._replace(erased=True, facts=(), match_keys=(), version=10)])
    assert archive.count(trajectories) == 0
    assert [row["confirmed_on"] for row in archive.rows(retention_tombstones)] == [archive.time.day]


def test_what_a_case_system_erased_goes_with_the_next_run(archive: Archive) -> None:
    archive.store(decision("s-1", received_on=EXIT), states=[ended("T-1", EXIT)])
    archive.store(states=[ended("T-1", EXIT)._replace(erased=True, facts=(), match_keys=(), version=10)])
    archive.run(around(EXIT + timedelta(days=1))[1])
    assert archive.count(trajectories) == archive.count(tasks) == 0
    assert not [row for row in archive.rows(outbox) if row["topic"] == "intake-commands"]
    assert archive.rows(retention_tombstones)[0]["confirmed_on"] is not None


def test_a_destroyed_day_opens_nothing_and_every_other_day_opens(archive: Archive) -> None:
    days = [date(2025, 8, 28) + timedelta(days=n) for n in range(8)]
    sealed = {day: [archive.sealed(day) for _ in range(5)] for day in days}
    archive.store(*(regular(f"s-{day}", received_on=day) for day in days))
    archive.run(around(date(2026, 2, 28))[1])
    over = [day for day in days if day <= date(2025, 8, 31)]
    assert [archive.opens(one) for day in over for one in sealed[day]] == [False] * 5 * len(over)
    left = [day for day in days if day not in over]
    assert [archive.opens(one) for day in left for one in sealed[day]] == [True] * 5 * len(left)
    assert {row["day"] for row in archive.rows(retention_days) if row["key_destroyed_at"]} == set(over)


def test_a_day_on_which_nothing_came_loses_its_key_too(archive: Archive) -> None:
    archive.run(around(date(2026, 3, 1))[1])
    archive.run(around(date(2026, 3, 9))[1])
    days = [row["day"] for row in archive.rows(retention_days)]
    assert sorted(days) == [date(2025, 9, 1) + timedelta(days=n) for n in range(9)]
