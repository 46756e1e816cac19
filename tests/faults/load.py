"""What a row of the matrix sends, and what the independent oracle says must become of it.

In: a number of signals, a seed, a municipality that no other row has. Out: lines as partners send them, and the
answers. It runs in a process of its own, beside the servers that start.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from signaalwissel.processors.identifiers import signal_ref
from signaalwissel.sources.generator import generate

from tests.oracle import intake
from tests.oracle.answers import outcomes_of
from tests.oracle.intake import Line
from tests.oracle.model import COUNSELLOR, Ledger, SignalId
from tests.oracle.wording import bsn_is_valid

# What waits for its application does so in Kafka's time, and a run takes minutes, not thirty days.
PATIENCE = timedelta(days=36_500)
_UNSENDABLE = {"UNREADABLE", "NULL_VALUE"}
"""What fits no schema nobody can send as a record; row 10 sends such bytes."""


class Expected(NamedTuple):
    """What the oracle says of a delivery; the trajectory where the route is the counsellor's."""

    route: str
    trajectory_id: str | None


Letter = tuple[str | None, str, str | None]
"""Municipality where the record names one, topic and record id of what must become a dead letter."""


@dataclass(frozen=True)
class Load:
    """Lines and what must become of them.

    Attributes:
        lines: In the order in which they are sent.
        municipalities: Whose they are; no other load has them.
        expected: The final answer to each accepted delivery, by its ref.
        letters: How often each record must become a dead letter.
        ignored: Signals that are the same signal again.
        events: Of each trajectory the ids of the events that count; none of one that was erased.
        erased: Refs of signals that were accepted and whose resident was erased behind it: no table may keep them.
        unapplied: Of each trajectory whose application never came the ids of the events that wait for it.
        deliveries: Moments of receipt of each signal.
        signals: How many of the lines are signals.
        refused: How many of those are refused.
        bsns: Every citizen service number in the lines, none of which may be seen anywhere.
    """

    lines: list[Line]
    municipalities: frozenset[str]
    expected: dict[bytes, Expected]
    letters: Counter[Letter]
    ignored: int
    events: dict[tuple[str, str], frozenset[str]]
    deliveries: dict[tuple[str, str, str], frozenset[int]]
    bsns: frozenset[str]
    signals: int
    refused: int
    unapplied: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    erased: frozenset[bytes] = frozenset()


def count_signals(lines: Iterable[Line]) -> int:
    """How many of the lines are signals."""
    return sum(line["topic"] == "signals" for line in lines)


def merged(loads: Sequence[Load]) -> Load:
    """Loads as one, without their lines: to be judged together."""
    return Load(
        lines=[],
        municipalities=frozenset(one for load in loads for one in load.municipalities),
        expected={ref: right for load in loads for ref, right in load.expected.items()},
        letters=sum((load.letters for load in loads), Counter()),
        ignored=sum(load.ignored for load in loads),
        events={key: ids for load in loads for key, ids in load.events.items()},
        deliveries={key: moments for load in loads for key, moments in load.deliveries.items()},
        bsns=frozenset(one for load in loads for one in load.bsns),
        signals=sum(load.signals for load in loads),
        refused=sum(load.refused for load in loads),
        unapplied={key: ids for load in loads for key, ids in load.unapplied.items()},
        erased=frozenset(ref for load in loads for ref in load.erased),
    )


def make_load(signals: int, seed: int, municipality: str, *, per_resident: float = 3.0) -> Load:
    """A month of one municipality."""
    residents = max(int(signals / per_resident), 10)
    return load_of(list(generate(residents, signals, seed, municipalities=(municipality,), history=0.3)))


def load_of(lines: list[Line]) -> Load:
    """The oracle's answers to lines; those that fit no schema are left out."""
    unsendable = {
        refusal.line
        for refusal in intake.run(lines, PATIENCE).refusals
        if any(code in _UNSENDABLE for code, _ in refusal.defects)
    }
    sent = [line for number, line in enumerate(lines) if number not in unsendable]
    ledger = intake.run(sent, PATIENCE)
    return Load(
        lines=sent,
        municipalities=frozenset(_municipalities(sent)),
        expected={
            ref_of(name): Expected(answer.route, answer.trajectory_id if answer.route == COUNSELLOR else None)
            for name, answer in outcomes_of(ledger).items()
        },
        letters=Counter(
            (_shown(sent[refusal.line]), refusal.topic, refusal.record_id) for refusal in ledger.refusals
        ),
        ignored=len(ledger.ignored),
        events=_events(ledger),
        deliveries=_deliveries(ledger),
        bsns=frozenset(_bsns(sent)),
        signals=count_signals(sent),
        refused=sum(refusal.topic == "signals" for refusal in ledger.refusals),
        unapplied=dict(ledger.unapplied),
    )


def sound(lines: list[Line]) -> list[Line]:
    """Lines that are accepted, each once: of the others the order of arrival decides which one counts."""
    ledger = intake.run(lines, PATIENCE)
    gone = {refusal.line for refusal in ledger.refusals} | set(ledger.ignored)
    kept = [line for number, line in enumerate(lines) if number not in gone]
    return kept if len(kept) == len(lines) else sound(kept)


def ref_of(name: SignalId) -> bytes:
    """A delivery in 16 bytes, as derived ids hold it."""
    received_at = round(datetime.fromisoformat(name.received_at).timestamp() * 1000)
    return signal_ref(name.municipality, name.partner_id, name.signal_id, received_at)


def _events(ledger: Ledger) -> dict[tuple[str, str], frozenset[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for step in ledger.steps:
        if step.trajectory is None:
            continue
        ids = found.setdefault(step.trajectory, set())
        if any(event["kind"] == "ERASED" for event in step.events):
            ids.clear()
            continue
        ids |= {event["event_id"] for event in step.events}
        ids -= {event["event_id"] for event in step.dropped}
    return {key: frozenset(ids) for key, ids in found.items()}


def _deliveries(ledger: Ledger) -> dict[tuple[str, str, str], frozenset[int]]:
    found: dict[tuple[str, str, str], set[int]] = {}
    for step in ledger.steps:
        if step.signal is not None:
            name = step.signal.id
            moment = round(datetime.fromisoformat(name.received_at).timestamp() * 1000)
            found.setdefault(name[:3], set()).add(moment)
    return {key: frozenset(moments) for key, moments in found.items()}


def _shown(line: Line) -> str | None:
    """The municipality of a line where it has the form of one: what a dead letter may name."""
    municipality = line["value"].get("municipality")
    return municipality if isinstance(municipality, str) and re.fullmatch("[0-9]{4}", municipality) else None


def _municipalities(lines: list[Line]) -> Iterator[str]:
    return filter(None, map(_shown, lines))


def _bsns(lines: list[Line]) -> Iterator[str]:
    for line in lines:
        value: dict[str, Any] = line["value"]
        for person in (value.get("subject"), *(value.get("clients") or ())):
            bsn = person.get("bsn") if isinstance(person, dict) else None
            if isinstance(bsn, str) and len(bsn) == 9:
                yield bsn


def nobodys_numbers() -> Iterator[str]:
    """Citizen service numbers that pass the check and belong to nobody here."""
    return (str(number) for number in itertools.count(200_000_000) if bsn_is_valid(str(number)))
