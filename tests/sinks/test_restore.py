"""A database that was restored from an older dump: the sink catches up from Kafka, without loss and without doubles."""

from collections import defaultdict
from datetime import date
from pathlib import Path

from signaalwissel.schemas.followup import TaskStatus
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause
from signaalwissel.sinks import tombstones
from signaalwissel.sinks.casebook import TrajectoryKey
from signaalwissel.sinks.database import migrate
from signaalwissel.sinks.restored import go_on_from_published
from signaalwissel.sinks.retention_tables import retention_tombstones
from signaalwissel.sinks.tables import outbox, tasks
from sqlalchemy import event as database_event

from tests.processors.followup_support import MUNICIPALITY, decision, regular
from tests.sinks.restore_support import Erasures, finish, restore, task_of
from tests.sinks.sink_support import SinkBench, take_tasks_away, unnumbered


def restore_to_before(bench: SinkBench, restored: SinkBench, tmp_path: Path) -> None:
    """Three decisions, a dump, three more; and the dump in the empty database."""
    bench.decide([decision("s-1", arrears=100), regular("s-2"), decision("s-3", trajectory_id="T-2")])
    bench.drain()
    restore(bench, restored, tmp_path)
    bench.decide([decision("s-4", arrears=200), regular("s-5"), decision("s-6", trajectory_id="T-3")])
    bench.drain()


def test_a_sink_on_an_older_dump_ends_with_what_a_sink_that_never_stopped_has(
    bench: SinkBench, restored: SinkBench, tmp_path: Path
) -> None:
    restore_to_before(bench, restored, tmp_path)
    assert len(restored.everything()["decisions"]) == 3
    restored.drain()
    said, expected = restored.everything(), bench.everything()
    assert len(said["decisions"]) == 6
    for table, rows in expected.items():
        assert unnumbered(table, said[table]) == unnumbered(table, rows), table


def test_no_version_that_readers_have_is_told_anew_after_a_restore(
    bench: SinkBench, restored: SinkBench, tmp_path: Path
) -> None:
    restore_to_before(bench, restored, tmp_path)
    restored.drain()
    versions = defaultdict(list)
    for event in restored.task_events(6):
        versions[event.trajectory_id].append(event.version)
    assert versions == {"T-1": [1, 2, 3], "T-2": [1], "T-3": [1, 2]}


def test_a_database_that_was_not_restored_goes_on_as_it_was(bench: SinkBench) -> None:
    bench.decide([decision("s-1"), decision("s-3", trajectory_id="T-2")])
    bench.drain()
    with bench.engine.begin() as connection:
        assert go_on_from_published(connection, bench.settings) == 0


def test_what_was_destroyed_is_not_taken_for_what_a_backup_lacks(
    bench: SinkBench, restored: SinkBench
) -> None:
    bench.decide([decision("s-1"), decision("s-3", trajectory_id="T-2")])
    bench.drain()
    migrate(restored.settings.database_url)
    with restored.engine.connect() as connection:
        assert go_on_from_published(connection, restored.settings) == 2
        connection.rollback()
        destroyed = [TrajectoryKey(MUNICIPALITY, number) for number in ("T-1", "T-2")]
        tombstones.lay(connection, destroyed, date(2026, 3, 1), ())
        assert go_on_from_published(connection, restored.settings) == 0


def test_tasks_of_a_municipality_that_left_stay_as_readers_have_them_and_leave_no_tombstone(
    bench: SinkBench, restored: SinkBench
) -> None:
    bench.decide([decision("s-1")])
    bench.drain()
    migrate(restored.settings.database_url)
    settings = restored.settings_with(departed=frozenset({MUNICIPALITY}))
    with restored.engine.begin() as connection:
        assert go_on_from_published(connection, settings, lambda _: True) == 0
    assert (restored.rows(retention_tombstones), restored.rows(outbox)) == ([], [])


def statements_of_a_start(restored: SinkBench) -> int:
    """How many statements it takes a database without any of the tasks to find and mark them; nothing is kept."""
    told: list[str] = []
    with restored.engine.connect() as connection:
        database_event.listen(connection, "before_cursor_execute", lambda *given: told.append(given[2]))
        assert go_on_from_published(connection, restored.settings) > 0
        connection.rollback()
    return len(told)


def test_the_database_is_asked_as_often_for_many_tasks_as_for_few(
    bench: SinkBench, restored: SinkBench
) -> None:
    migrate(restored.settings.database_url)
    asked = []
    for first, count in ((0, 2), (2, 40)):
        numbers = range(first, first + count)
        bench.decide([decision(f"s-{number}", trajectory_id=f"T-{number}") for number in numbers])
        bench.drain()
        asked.append(statements_of_a_start(restored))
    assert asked[0] == asked[1]


def found_lacking(bench: SinkBench) -> int:
    with bench.engine.begin() as connection:
        return go_on_from_published(connection, bench.settings)


def test_a_task_that_had_ended_when_its_resident_was_erased_is_not_taken_for_one_that_a_backup_lacks(
    bench: SinkBench, erase: Erasures
) -> None:
    hit = decision("s-1")
    bench.decide([hit])
    bench.drain()
    task_id = task_of(bench, "T-1")
    finish(bench, task_id)
    erase(bench, hit)
    bench.drain()
    assert found_lacking(bench) == 0
    assert task_id not in {row["aggregate_id"] for row in bench.rows(outbox)}


def test_a_task_that_retention_destroyed_is_not_taken_for_one_that_a_backup_lacks(bench: SinkBench) -> None:
    bench.decide([decision("s-1", trajectory_id="T-1")])
    bench.drain()
    take_tasks_away(bench.engine)
    assert found_lacking(bench) == 0
    assert bench.rows(outbox) == []


def test_after_a_restore_no_version_of_a_task_follows_the_one_that_its_erasure_cancelled(
    bench: SinkBench, restored: SinkBench, erase: Erasures
) -> None:
    hit, other = decision("s-1"), decision("s-2", trajectory_id="T-2")
    bench.decide([hit, other])
    bench.drain()
    erased, kept = task_of(bench, "T-1"), task_of(bench, "T-2")
    finish(bench, kept)
    erase(bench, hit)
    bench.drain()
    restored.drain()
    gone = {"action": CorrectionAction.WITHDRAWN, "cause": CorrectionCause.ERASED}
    restored.decide([regular("s-1", revision=1, **gone)])
    restored.drain()
    last = {kept: (0, TaskStatus.OPEN), erased: (0, TaskStatus.OPEN)}
    for event in restored.task_events(8):
        last[event.task_id] = max(last[event.task_id], (event.version, event.status))
    assert last[erased] == (2, TaskStatus.CANCELLED)
    assert last[kept][0] > 2


def test_a_restore_is_noticed_behind_tasks_that_are_destroyed(
    bench: SinkBench, restored: SinkBench, erase: Erasures
) -> None:
    hits = [decision(f"s-{number}", trajectory_id=f"T-{number}") for number in range(8)]
    bench.decide(hits)
    bench.drain()
    # Both partitions end in tasks that are erased; what the ledger did by hand stands in the restored database.
    late = [task_of(bench, f"T-{number}") for number in range(8)]
    erase(bench, *hits[4:])
    bench.drain()
    migrate(restored.settings.database_url)
    with restored.engine.begin() as connection:
        connection.execute(
            tasks.insert(),
            [
                {
                    "task_id": task_id, "version": 1, "kind": "CONTACT_ON_RELAPSE", "status": "DONE",
                    "municipality": MUNICIPALITY, "team": "noord", "due_on": date(2026, 3, 9),
                    "opened_on": date(2026, 3, 2), "candidates": [], "rung": 0, "policy_version": "p",
                }
                for task_id in late[4:]
            ],
        )  # fmt: skip
        tombstones.lay_for_tasks(connection, late[4:], date(2026, 3, 9))
        connection.execute(tasks.delete())
    assert found_lacking(restored) == 4
