"""Whatever stands in a record that has its schema, the sink refuses it or can store it and let deadlines run on it."""

import random
from datetime import date
from typing import Any, NamedTuple

import pytest
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.followup import TaskUpdateKind
from signaalwissel.schemas.internal import DeadLetter
from signaalwissel.schemas.routing import Candidate, CorrectionAction, CorrectionCause, Decision, TrueReason
from signaalwissel.schemas.signal import Partner, PartnerKind
from signaalwissel.schemas.trajectory import Counsellor, TrajectoryEventKind
from signaalwissel.sinks import dead_letters, tables
from signaalwissel.sinks.inbox import Inbox
from signaalwissel.sinks.records import Batch, ReceivedState, ReceivedUpdate
from signaalwissel.sinks.settings import (
    DEAD_LETTERS,
    DECISIONS,
    TASK_UPDATES,
    TRAJECTORY_STATES,
    SinkSettings,
)
from signaalwissel.sinks.storable import REVISION_MAX, check_storable_decision, check_storable_letter
from signaalwissel.sinks.writer import Writer

from tests.processors.followup_support import address_only, at_noon, decision, update
from tests.sinks.clock_support import MONDAY, Office, state
from tests.sinks.sink_support import POLICIES, seal

# Random: an index takes a long text that can be compressed.
LONG = random.Random(1).randbytes(50_000).hex()
LAST_DAY = date(9999, 12, 31)
LAST_MOMENT = 253_402_300_799_999
ABSURD = (
    LONG,
    "",
    "a\x00b",
    "a\nb",
    LAST_DAY,
    date.min,
    LAST_MOMENT,
    2**31 - 1,
    -(2**31),
    b"",
    b"x" * 100_000,
)
LETTER = DeadLetter(
    "d-1", "intake", "signals", 0, 7, 1_772_400_000_000, "X", None, "must", "0344", "s-1", b"s"
)


class Record(NamedTuple):
    value: bytes
    topic: str
    partition: int = 0
    offset: int = 5
    timestamp: int = at_noon(date(2026, 3, 5))
    key: bytes | None = b"k"
    headers: tuple[tuple[str, bytes | None], ...] = ()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"last_day": LAST_DAY}, "last_day"),
        ({"routing_id": LONG}, "routing_id"),
        ({"signal_id": "a\x00b"}, "signal_id"),
        ({"municipality": ""}, "municipality"),
        ({"partner": Partner(LONG, PartnerKind.RENT)}, "partner.partner_id"),
        ({"trajectory_id": LONG}, "trajectory_id"),
        ({"client": 2}, "client"),
        ({"counsellor": Counsellor("b\x00", "t")}, "counsellor.counsellor_id"),
        ({"counsellor": Counsellor("b", LONG)}, "counsellor.team"),
        ({"candidates": (Candidate("T-1", 0), Candidate(LONG, 0))}, "candidates[1].trajectory_id"),
        ({"candidates": (Candidate("T-1", 9),)}, "candidates[0].client"),
        ({"revision": REVISION_MAX + 1}, "revision"),
        ({"revision": -1}, "revision"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_decision_is_refused_with_the_field_that_does_not_fit(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Rejected) as refused:
        check_storable_decision(decision()._replace(**changes))
    assert (refused.value.code, refused.value.field) == (RejectionCode.INVALID_FIELD, field)
    assert LONG not in str(refused.value)


def test_a_text_with_a_zero_character_is_refused_with_its_field() -> None:
    with pytest.raises(DoesNotFit) as refused:
        check_storable_decision(decision(explanation="a\x00b"))
    assert refused.value.field == "explanation"


@pytest.mark.parametrize(
    ("field", "value"),
    [("dead_letter_id", LONG), ("dead_letter_id", ""), ("timestamp", LAST_MOMENT), ("record_id", LONG)],
    ids=str,
)
def test_a_dead_letter_is_refused_with_the_field_that_does_not_fit(field: str, value: Any) -> None:
    with pytest.raises(Rejected) as refused:
        check_storable_letter(LETTER._replace(**{field: value}))
    assert refused.value.field == field


def encodings(name: str, record: Any) -> list[bytes]:
    """The record with each of its fields absurd in turn, as far as its schema can carry that."""
    written = []
    for field in record._fields:
        for value in ABSURD:
            # A schema writes what has its type; the rest no writer can send either.
            if type(value) is type(getattr(record, field)):
                try:
                    written.append(codec(name).encode(record._replace(**{field: value})))
                except DoesNotFit:
                    continue
    return written


def taken(topic: str, *values: bytes) -> Batch:
    """What the sink makes of these records."""
    batch = Batch()
    Inbox(SinkSettings(bootstrap="", database_url=""), seal).add(
        topic, [Record(value, topic) for value in values], batch
    )
    return batch


def store(office: Office, batch: Batch) -> None:
    with office.engine.begin() as connection:
        Writer(office.settings, POLICIES, seal, office.time).store(connection, batch)


def test_whatever_a_decision_says_it_is_refused_or_stored(database_url: str) -> None:
    office = Office(database_url)
    erased = {"action": CorrectionAction.WITHDRAWN, "cause": CorrectionCause.ERASED, "revision": 3}
    kinds: list[Decision] = [
        decision(previous_routing_id="r", caused_by_event_id="e", window_ends_on=MONDAY),
        address_only("s-2"),
        decision("s-3", trajectory_id="T-3", reason=TrueReason.COMPLETED_WITHIN_WINDOW),
        decision("s-4", **erased),
    ]
    stored = refused = 0
    for value in [value for kind in kinds for value in encodings("Decision", kind)]:
        batch = taken(DECISIONS, value)
        assert len(batch.decisions) + len(batch.dead_letters) == 1
        stored, refused = stored + len(batch.decisions), refused + len(batch.dead_letters)
        # Each under an id of its own: what stands already is not stored again.
        office.store(*(made._replace(routing_id=f"{made.routing_id}-{stored}") for made in batch.decisions))
    office.tick(date(2026, 9, 1))
    assert len(office.rows(tables.decisions)) == stored > 40
    assert refused > 40


def test_whatever_a_dead_letter_says_it_is_refused_or_stored(database_url: str) -> None:
    office = Office(database_url)
    batch = taken(DEAD_LETTERS, *encodings("DeadLetter", LETTER._replace(field="arrears")))
    assert {kept.code for kept in batch.dead_letters} >= {"INVALID_FIELD", "UNREADABLE", "X"}
    with office.engine.begin() as connection:
        # Each under an id of its own: what stands already is not stored again.
        letters = [
            kept._replace(dead_letter_id=f"{kept.dead_letter_id}-{n}")
            for n, kept in enumerate(batch.dead_letters)
        ]
        dead_letters.record(connection, letters)
    assert len(office.rows(tables.dead_letters)) == len(letters)


def test_whatever_a_trajectory_says_it_is_refused_or_stored(database_url: str) -> None:
    office = Office(database_url)
    office.store(decision())
    told = state(
        (TrajectoryEventKind.APPLIED, MONDAY),
        (TrajectoryEventKind.ADMITTED, MONDAY),
        (TrajectoryEventKind.MONITORING_STARTED, MONDAY),
        counsellor=Counsellor("b-17", "team"),
    )
    values = encodings("TrajectoryState", told)
    for position, fact in enumerate(told.facts):
        for field in ("event_id", "sequence", "occurred_on", "recorded_at"):
            for value in ABSURD:
                if type(value) is type(getattr(fact, field)):
                    facts = list(told.facts)
                    facts[position] = fact._replace(**{field: value})
                    values.append(codec("TrajectoryState").encode(told._replace(facts=tuple(facts))))
    stored = refused = 0
    for number, value in enumerate(values):
        batch = taken(TRAJECTORY_STATES, value)
        stored, refused = stored + len(batch.states), refused + len(batch.dead_letters)
        batch.states = [
            ReceivedState(told._replace(trajectory_id=f"{told.trajectory_id}-{number}"), data)
            for told, data in batch.states
        ]
        store(office, batch)
    office.tick(date(2026, 9, 1))
    assert min(stored, refused) > 10


@pytest.mark.parametrize(("hours", "refused"), [(24, False), (25, True)])
def test_what_will_have_happened_only_more_than_a_day_from_now_is_refused(
    hours: int, *, refused: bool
) -> None:
    # A contact in the year 2962 would have its plan evaluated in that year, and nobody would hear of it before.
    said = update(TaskUpdateKind.CONTACT_MADE, occurred_at=Record(b"", "").timestamp + hours * 3_600_000)
    batch = taken(TASK_UPDATES, codec("TaskUpdate").encode(said))
    assert [letter.field for letter in batch.dead_letters] == ["occurred_at"] * refused
    assert len(batch.updates) == (not refused)


def test_whatever_a_task_update_says_it_is_refused_or_applied(database_url: str) -> None:
    office = Office(database_url)
    kinds = (TaskUpdateKind.CONTACT_MADE, TaskUpdateKind.CONTACT_ATTEMPTED, TaskUpdateKind.ACCEPTED)
    applied = refused = 0
    for kind in kinds:
        for value in encodings("TaskUpdate", update(kind, trajectory_id="T-1", client=0)):
            batch = taken(TASK_UPDATES, value)
            applied, refused = applied + len(batch.updates), refused + len(batch.dead_letters)
            for number, (said, record) in enumerate(batch.updates):
                name = f"{applied}-{number}"
                office.store(decision(f"s-{name}", trajectory_id=f"T-{name}"))
                (task,) = [one for one in office.tasks() if one.trajectory_id == f"T-{name}"]
                own = said._replace(task_id=task.task_id, update_id=f"{said.update_id}-{name}")
                store(office, Batch(updates=[ReceivedUpdate(own, record)]))
    office.tick(date(2026, 9, 1))
    assert min(applied, refused) > 5
