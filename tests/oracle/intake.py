"""What becomes of every line: accepted, ignored, refused or waiting (domain 8.15, 8.16).

In: lines in the order of arrival. Out: a ledger whose steps hold the accepted signals and the events from the line on
which they count: events that wait for their application come with the line of the application. An event of which it is
not certain whom it concerns counts, but waits as well: it is dropped when in the end it concerns nobody.
"""

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.oracle import validity
from tests.oracle.calendar import amsterdam_day, days_from_to, moment_text
from tests.oracle.model import Ledger, Record, Refusal, Signal, SignalId, Step, TrajectoryKey, moment_of
from tests.oracle.naming import concerned
from tests.oracle.reading import read
from tests.oracle.wording import address_of

RESEND_PERIOD = timedelta(days=35)
ORPHAN_PERIOD = timedelta(days=30)
Line = dict[str, Any]


def canonical(record: Record) -> str:
    """The content as one text, so that two records can be compared and ordered."""
    return json.dumps(record, default=str, sort_keys=True, separators=(",", ":"))


def standing_facts(events: Sequence[Record]) -> list[Record]:
    """One fact per event id, whatever came twice: the one recorded first, then the lowest content."""
    standing: dict[str, Record] = {}
    for event in events:
        other = standing.setdefault(event["event_id"], event)
        if other is not event:
            standing[event["event_id"]] = min(other, event, key=lambda e: (e["recorded_at"], canonical(e)))
    return list(standing.values())


class _Waiting(NamedTuple):
    """An event that waits: the line it came with, and since when."""

    line: int
    topic: str
    since: datetime


@dataclass
class _Book:
    """A trajectory at the door: one event per id, and those of them that wait."""

    erased: bool = False
    events: dict[str, Record] = field(default_factory=dict)
    waiting: dict[str, _Waiting] = field(default_factory=dict)

    @property
    def applied(self) -> bool:
        return any(event["kind"] == "APPLIED" for event in self.events.values())

    def with_event(self, event: Record) -> list[Record]:
        return [*(old for name, old in self.events.items() if name != event["event_id"]), event]

    def drop(self, names: Sequence[str]) -> tuple[Record, ...]:
        for name in names:
            del self.waiting[name]
        return tuple(self.events.pop(name) for name in names)


class Intake:
    """Reads lines one after the other into a ledger."""

    def __init__(self, orphan_period: timedelta = ORPHAN_PERIOD) -> None:
        self._orphan_period = orphan_period
        self.ledger = Ledger()
        self._clock: datetime | None = None
        self._books: dict[TrajectoryKey, _Book] = {}
        # In the order of the clock, which never goes back; what no longer waits stays in it and leads to nothing.
        self._began_to_wait: deque[tuple[datetime, TrajectoryKey]] = deque()
        self._accepted: dict[tuple[str, str, str], list[Record]] = {}

    def take(self, number: int, line: Line) -> None:
        topic = line["topic"]
        stem = topic.split(".")[0]
        if stem not in ("signals", "trajectories"):
            return
        name, checks = (
            ("EarlySignal", validity.signal_defects)
            if stem == "signals"
            else ("TrajectoryEvent", validity.event_defects)
        )
        record, misfits = read(name, line["value"])
        record_id = record.get("signal_id" if stem == "signals" else "event_id")
        if line["value"] is None:
            defects: list[validity.Defect] = [("NULL_VALUE", None)]
        elif misfits:
            defects = [("UNREADABLE", path) for path in misfits]
        else:
            defects = checks(record)
        if defects:
            self._refuse(number, topic, record_id, defects)
            return
        self._advance(number, record)
        if stem == "signals":
            self._take_signal(number, topic, record)
        else:
            self._take_event(number, topic, record)

    def unapplied(self) -> dict[TrajectoryKey, frozenset[str]]:
        """The trajectories whose application has not come, and the events that wait for it."""
        return {
            key: frozenset(book.events)
            for key, book in self._books.items()
            if book.events and not book.applied
        }

    def _refuse(self, number: int, topic: str, record_id: str | None, defects: list[validity.Defect]) -> None:
        self.ledger.refusals.append(Refusal(number, topic, record_id, tuple(defects)))

    def _advance(self, number: int, record: Record) -> None:
        """The clock is the highest moment that any sound line carried, this one included."""
        if self._clock is not None and moment_of(record) <= self._clock:
            return
        self._clock = moment_of(record)
        overdue = set()
        while self._began_to_wait and self._clock - self._began_to_wait[0][0] > self._orphan_period:
            overdue.add(self._began_to_wait.popleft()[1])
        for key in sorted(overdue):
            self._expire(number, key, self._clock)

    def _expire(self, number: int, key: TrajectoryKey, clock: datetime) -> None:
        book = self._books[key]
        late = [name for name, entry in book.waiting.items() if clock - entry.since > self._orphan_period]
        everything, applied = list(book.events.values()), book.applied
        lost = [n for n in late if not applied or not concerned(everything, book.events[n]).positions]
        for name in lost:
            self._refuse(book.waiting[name].line, book.waiting[name].topic, name, [("ORPHANED_EVENT", None)])
        dropped = book.drop(lost)
        for name in set(late) - set(lost):
            del book.waiting[name]
        if applied and dropped:
            self.ledger.steps.append(Step(number, trajectory=key, dropped=dropped))

    def _take_signal(self, number: int, topic: str, record: Record) -> None:
        partner = record["partner"]["partner_id"]
        name = (record["municipality"], partner, record["signal_id"])
        accepted = self._accepted.setdefault(name, [])
        near = [old for old in accepted if abs(old["received_at"] - record["received_at"]) <= RESEND_PERIOD]
        if any({**old, "received_at": None} == {**record, "received_at": None} for old in near):
            self.ledger.ignored.append(number)
        elif near:
            self._refuse(number, topic, record["signal_id"], [("CONFLICTING_RESEND", None)])
        else:
            accepted.append(record)
            self.ledger.steps.append(Step(number, signal=_signal(record)))

    def _take_event(self, number: int, topic: str, record: Record) -> None:
        key, name = (record["municipality"], record["trajectory_id"]), record["event_id"]
        book = self._books.setdefault(key, _Book())
        known = book.events.get(name)
        if book.erased or (known is not None and standing_facts([known, record])[0] == known):
            return
        if record["kind"] == "ERASED":
            # An erasure waits for nothing: it holds whatever comes or fails to come.
            self._books[key] = _Book(erased=True)
            self.ledger.steps.append(Step(number, trajectory=key, events=(record,)))
            return
        together = book.with_event(record)
        naming = concerned(together, record)
        is_applied = book.applied or record["kind"] == "APPLIED"
        if is_applied and naming.refused:
            self._refuse(number, topic, name, [("MISSING_FIELD", "clients")])
            return
        first = is_applied and not book.applied
        book.events[name] = record
        if not is_applied or not naming.settled:
            assert self._clock is not None, "the line that came has told the time"
            book.waiting.pop(name, None)
            book.waiting[name] = _Waiting(number, topic, self._clock)
            self._began_to_wait.append((self._clock, key))
        if is_applied:
            others = [event for event in together if event is not record] if first else []
            self._review(number, key, (record, *others))

    def _review(self, number: int, key: TrajectoryKey, events: tuple[Record, ...]) -> None:
        """Who waits no longer: those of whom all is certain now, and those who should have named their client."""
        book = self._books[key]
        everything = list(book.events.values())
        namings = {name: concerned(everything, book.events[name]) for name in book.waiting}
        nameless = [name for name, naming in namings.items() if naming.refused]
        for name in nameless:
            entry = book.waiting[name]
            self._refuse(entry.line, entry.topic, name, [("MISSING_FIELD", "clients")])
        for name, naming in namings.items():
            if naming.settled:
                del book.waiting[name]
        dropped = book.drop(nameless)
        self.ledger.steps.append(Step(number, trajectory=key, events=events, dropped=dropped))


def _signal(record: Record) -> Signal:
    received_on = amsterdam_day(record["received_at"])
    bsn = record["subject"]["bsn"]
    identity = ("bsn", bsn) if bsn is not None else address_of(record["subject"])
    assert identity is not None, "a signal without identity is refused before"
    return Signal(
        id=SignalId(
            record["municipality"],
            record["partner"]["partner_id"],
            record["signal_id"],
            moment_text(record["received_at"]),
        ),
        record=record,
        days=days_from_to(record["signalled_on"] or received_on, received_on),
        identity=identity,
    )


def run(lines: Sequence[Line], orphan_period: timedelta = ORPHAN_PERIOD) -> Ledger:
    """The ledger of all lines; an event waits so long for its application."""
    intake = Intake(orphan_period)
    for number, line in enumerate(lines):
        intake.take(number, line)
    intake.ledger.unapplied.update(intake.unapplied())
    return intake.ledger
