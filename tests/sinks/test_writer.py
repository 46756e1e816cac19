from typing import Any

import pytest
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskUpdate, TaskUpdateKind
from signaalwissel.schemas.routing import Candidate, CorrectionAction, CorrectionCause, Decision
from signaalwissel.sinks import task_store
from signaalwissel.sinks.audit import COLUMNS
from signaalwissel.sinks.casebook import Casebook
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.offsets import Zombie, begin
from signaalwissel.sinks.records import Batch, Place, Progress, ReceivedUpdate
from signaalwissel.sinks.settings import TASKS, SinkSettings
from signaalwissel.sinks.tables import METADATA, decisions, outbox, task_history, task_signals, tasks
from signaalwissel.sinks.writer import Writer
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from tests.processors.followup_support import address_only, decision, regular, to_regular, update
from tests.sinks.sink_support import POLICIES, seal


@pytest.fixture
def engine(database_url: str) -> Engine:
    migrate(database_url)
    return open_engine(database_url, name="test")


def store(engine: Engine, *made: Decision) -> None:
    settings = SinkSettings(bootstrap="", database_url="", clock=False)
    with engine.begin() as connection:
        Writer(settings, POLICIES, seal).store(connection, Batch(decisions=list(made)))


def rows(engine: Engine, table: Any) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def test_the_audit_trail_has_every_field_of_a_decision(engine: Engine) -> None:
    made = address_only(named=True, trajectory_id="T-9", revision=1, caused_by_event_id="e-1", client=1)
    store(engine, made)
    (row,) = rows(engine, decisions)
    partner = row.pop("partner_id"), row.pop("partner_kind")
    assert partner == (made.partner.partner_id, made.partner.kind)
    assert (row.pop("counsellor_id"), row.pop("counsellor_team")) == (None, None)
    assert row.pop("arrears_cents") == made.arrears
    assert row.pop("candidates") == [["T-1", 0], ["T-2", 1]]
    for moment in ("decided_at", "received_at"):
        assert int(row.pop(moment).timestamp() * 1000) == getattr(made, moment)
    assert row == {name: getattr(made, name) for name in row}
    assert len(COLUMNS) == len(Decision._fields) + 2


def test_what_is_stored_of_a_task_is_what_the_rules_made(engine: Engine) -> None:
    story = [decision(), decision("s-2", arrears=90_000), to_regular(), address_only("s-3")]
    book = Casebook([], {}, POLICIES)
    for made in story:
        book.follow(made)
        store(engine, made)
    with engine.connect() as connection:
        stored = task_store.by_ids(connection, [task.task_id for task in book.changed()])
    assert stored == sorted(book.changed(), key=lambda task: task.task_id)


def test_a_batch_or_one_by_one_gives_the_same_versions(engine: Engine) -> None:
    store(engine, decision(), decision("s-2", arrears=90_000), to_regular(), to_regular("s-2"))
    events = [codec("TaskEvent").decode(bytes(row["value"])) for row in rows(engine, outbox)]
    assert [event.version for event in events] == [1, 2, 3, 4]
    assert [len(event.signals) for event in events] == [1, 2, 1, 0]


def test_one_relapse_ends_and_another_opens_in_the_same_batch(engine: Engine) -> None:
    store(engine, decision())
    store(engine, to_regular(), decision("s-2", arrears=90_000))
    assert sorted(row["status"] for row in rows(engine, tasks)) == ["CANCELLED", "OPEN"]


def test_the_database_refuses_a_second_running_relapse_task(engine: Engine) -> None:
    store(engine, decision())
    (row,) = rows(engine, tasks)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(insert(tasks), row | {"task_id": "another"})


def erasure(signal_id: str = "s-1") -> Decision:
    return to_regular(
        signal_id, 2, action=CorrectionAction.WITHDRAWN, cause=CorrectionCause.ERASED, explanation="weg"
    )


def test_of_an_erased_signal_only_ids_stay(engine: Engine) -> None:
    store(engine, decision(), decision("s-2", arrears=90_000), address_only("s-1", revision=1))
    store(engine, erasure())
    (gone,) = [row for row in rows(engine, decisions) if row["signal_id"] == "s-1"]
    assert (gone["revision"], gone["action"], gone["cause"]) == (2, "WITHDRAWN", "ERASED")
    for name in ("sealed_subject", "match_key", "arrears_cents", "reason", "explanation", "candidates"):
        assert gone[name] is None
    assert {row["signal_id"] for row in rows(engine, task_signals)} == {"s-2"}
    assert not any("T-1" in (row["note"] or "") for row in rows(engine, task_history))
    published = [bytes(row["value"]) for row in rows(engine, outbox) if row["topic"] == TASKS]
    events = [codec("TaskEvent").decode(value) for value in published]
    assert len(events) == 2
    assert all(signal.signal_id != "s-1" for event in events for signal in event.signals)


def test_a_signal_that_comes_and_is_erased_in_one_batch_leaves_nothing(engine: Engine) -> None:
    store(engine, decision(), address_only(revision=1, candidates=(Candidate("T-1", 0),)), erasure())
    (gone,) = rows(engine, decisions)
    assert (gone["revision"], gone["sealed_subject"]) == (2, None)
    assert rows(engine, task_signals) == []
    assert all(b"s-1" not in bytes(row["value"]) for row in rows(engine, outbox))


class Received:
    topic, partition, offset, timestamp, key, value, headers = "u", 0, 0, 0, None, b"", ()


def apply(engine: Engine, *said: TaskUpdate) -> None:
    writer = Writer(SinkSettings(bootstrap="", database_url="", clock=False), POLICIES, seal)
    with engine.begin() as connection:
        writer.store(connection, Batch(updates=[ReceivedUpdate(one, Received()) for one in said]))


def test_a_refused_update_can_be_mended_and_an_applied_one_is_applied_once(engine: Engine) -> None:
    store(engine, decision())
    task_id = rows(engine, tasks)[0]["task_id"]

    said = [
        update(TaskUpdateKind.PLAN_EVALUATED, task_id),
        update(TaskUpdateKind.ACCEPTED, task_id),
        update(TaskUpdateKind.CONTACT_MADE, task_id),
    ]
    for _ in range(2):
        apply(engine, *said)
    (row,) = rows(engine, tasks)
    assert (row["status"], row["version"]) == ("ACCEPTED", 2)


def test_two_task_systems_may_use_the_same_number_for_their_updates(engine: Engine) -> None:
    store(engine, decision(), decision("s-2", trajectory_id="T-2"))
    said = [
        update(TaskUpdateKind.CONTACT_MADE, row["task_id"], update_id="u-1") for row in rows(engine, tasks)
    ]
    apply(engine, *said)
    apply(engine, *said)
    assert [(row["status"], row["version"]) for row in rows(engine, tasks)] == [("DONE", 2), ("DONE", 2)]


def test_a_regular_decision_costs_no_look_at_tasks(engine: Engine) -> None:
    store(engine, regular())
    assert rows(engine, tasks) == []
    assert set(METADATA.tables) >= {"tasks"}


def test_offsets_that_moved_roll_the_whole_batch_back(engine: Engine) -> None:
    place = Place("decisions", 0)
    with engine.begin() as connection:
        begin(connection, {place: 10})
    writer = Writer(SinkSettings(bootstrap="", database_url="", clock=False), POLICIES, seal)
    batch = Batch(progress={place: Progress(9, 12)}, decisions=[decision()])
    with pytest.raises(Zombie, match="another sink has gone on"), engine.begin() as connection:
        writer.store(connection, batch)
    assert rows(engine, decisions) == []
