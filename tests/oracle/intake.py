"""What becomes of every line: accepted, ignored, refused or waiting (domain 8.15, 8.16).

In: lines in the order of arrival. Out: a ledger whose steps hold the accepted signals and the events from the line on
which they count: events that wait for their application come with the line of the application.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.oracle import validity
from tests.oracle.calendar import amsterdam_day, days_from_to, moment_text
from tests.oracle.model import Ledger, Record, Refusal, Signal, SignalId, Step, TrajectoryKey, moment_of
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


@dataclass
class _Book:
    """A trajectory at the door."""

    applied: bool = False
    erased: bool = False
    events: list[Record] = field(default_factory=list)
    waiting: list[tuple[int, str, Record]] = field(default_factory=list)
    waiting_since: datetime | None = None

    def has_two_clients(self) -> bool:
        lists = [e["clients"] for e in standing_facts(self.events) if e["kind"] in validity.LISTING_KINDS]
        return not self.erased and any(len(clients) > 1 for clients in lists)


class Intake:
    """Reads lines one after the other into a ledger."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self._clock: datetime | None = None
        self._books: dict[TrajectoryKey, _Book] = {}
        self._with_waiting: set[TrajectoryKey] = set()
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
        self._advance(record)
        record_id = record.get("signal_id" if stem == "signals" else "event_id")
        if line["value"] is None:
            defects: list[validity.Defect] = [("NULL_VALUE", None)]
        elif misfits:
            defects = [("UNREADABLE", path) for path in misfits]
        else:
            defects = checks(record)
        if defects:
            self._refuse(number, topic, record_id, defects)
        elif stem == "signals":
            self._take_signal(number, topic, record)
        else:
            self._take_event(number, topic, record)

    def _refuse(self, number: int, topic: str, record_id: str | None, defects: list[validity.Defect]) -> None:
        self.ledger.refusals.append(Refusal(number, topic, record_id, tuple(defects)))

    def _advance(self, record: Record) -> None:
        """The clock is the highest moment that any line carried, this one and refused ones included."""
        if record.get("received_at") is None and record.get("recorded_at") is None:
            return
        moment = moment_of(record)
        if not validity.moment_is_sane(moment) or (self._clock is not None and moment <= self._clock):
            return
        self._clock = moment
        for key in sorted(self._with_waiting):
            book = self._books[key]
            if book.waiting_since is not None and moment - book.waiting_since > ORPHAN_PERIOD:
                for number, topic, event in _one_line_per_fact(book.waiting):
                    self._refuse(number, topic, event["event_id"], [("ORPHANED_EVENT", None)])
                book.waiting, book.waiting_since = [], None
                self._with_waiting.discard(key)

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
        key = (record["municipality"], record["trajectory_id"])
        book = self._books.setdefault(key, _Book())
        released: list[tuple[int, str, Record]] = [(number, topic, record)]
        if record["kind"] == "ERASED":
            # An erasure waits for nothing: it holds whatever comes or fails to come.
            book.erased, book.waiting, book.waiting_since = True, [], None
        elif not book.applied and not book.erased:
            if record["kind"] != "APPLIED":
                book.waiting.append((number, topic, record))
                book.waiting_since = book.waiting_since or self._clock
                self._with_waiting.add(key)
                return
            released += _one_line_per_fact(book.waiting)
            book.applied, book.waiting, book.waiting_since = True, [], None
        self._with_waiting.discard(key)
        self._release(key, book, released)

    def _release(self, key: TrajectoryKey, book: _Book, released: list[tuple[int, str, Record]]) -> None:
        known = book.events
        book.events = known + [event for _, _, event in released]
        counting = []
        for number, topic, event in released:
            if validity.must_name_its_client(event) and event not in known and book.has_two_clients():
                self._refuse(number, topic, event["event_id"], [("MISSING_FIELD", "clients")])
            else:
                counting.append(event)
        book.events = known + counting
        if counting:
            self.ledger.steps.append(Step(released[0][0], trajectory=key, events=tuple(counting)))


def _one_line_per_fact(waiting: list[tuple[int, str, Record]]) -> list[tuple[int, str, Record]]:
    """The same event that came twice waits once, as the one that stands."""
    facts = standing_facts([event for _, _, event in waiting])
    return [next(entry for entry in waiting if entry[2] == fact) for fact in facts]


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


def run(lines: Sequence[Line]) -> Ledger:
    """The ledger of all lines."""
    intake = Intake()
    for number, line in enumerate(lines):
        intake.take(number, line)
    return intake.ledger
