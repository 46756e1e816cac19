"""The whole journey of a signal: every decision about it, every task that it was in, every refusal.

Flows in: a partner's signal number. Flows out: plain values for whoever shows them. No personal data: the sealed
subject stays where it is.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.identifiers import signal_ref
from signaalwissel.schemas.routing import Candidate
from signaalwissel.sinks import task_store
from signaalwissel.sinks.copying import millis_of
from signaalwissel.sinks.dead_letters import DeadLetterFilter, DeadLetterRow, dead_letters_in
from signaalwissel.sinks.tables import decisions
from sqlalchemy import Connection, Engine, Row, select


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One revision of a decision; after an erasure most of it is None."""

    routing_id: str
    revision: int
    route: str
    reason: str | None
    explanation: str | None
    policy_version: str
    reference_date: date | None
    last_day: date
    decided_at: datetime
    arrears_cents: int | None
    arrears_since: date | None
    signalled_on: date | None
    crisis: bool | None
    warm_transfer: bool | None
    trajectory_id: str | None
    trajectory_state: str | None
    client: int | None
    counsellor_id: str | None
    team: str | None
    window_ends_on: date | None
    debt_timing: str | None
    matched_by: str | None
    evidence: str | None
    candidates: tuple[Candidate, ...]
    action: str | None
    cause: str | None
    caused_by_event_id: str | None
    previous_routing_id: str | None


@dataclass(frozen=True, slots=True)
class DeliveryJourney:
    """One accepted delivery of a signal.

    `number_used_again` flags a number that the partner used for an earlier signal too (domain 8.15).
    """

    municipality: str
    partner_id: str
    partner_kind: str
    signal_id: str
    received_at: datetime
    number_used_again: bool
    decisions: tuple[DecisionRow, ...]
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class SignalJourney:
    """Everything known of a signal number: deliveries in order of receipt, and what was refused under it."""

    deliveries: tuple[DeliveryJourney, ...]
    dead_letters: tuple[DeadLetterRow, ...]


_SHOWN = tuple(name for name in DecisionRow.__slots__ if name != "candidates")
_REFUSALS_MAX = 100
# Not the seal and not the match key: nobody reads those here, and a reader of the pages may not.
_READ = tuple(column for column in decisions.columns if column.name not in {"sealed_subject", "match_key"})


def signal_journey(engine: Engine, municipality: str | None, signal_id: str) -> SignalJourney:
    """The journey of a signal number, in one municipality or in all of them; empty where nothing is known."""
    with engine.connect() as connection:
        return journey_in(connection, municipality, signal_id)


def journey_in(connection: Connection, municipality: str | None, signal_id: str) -> SignalJourney:
    """The same, of what a connection sees."""
    statement = select(*_READ).where(decisions.c.signal_id == signal_id)
    if municipality is not None:
        statement = statement.where(decisions.c.municipality == municipality)
    statement = statement.order_by(
        decisions.c.municipality, decisions.c.partner_id, decisions.c.received_at, decisions.c.revision
    )
    rows: defaultdict[tuple[Any, ...], list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(statement):
        rows[row.municipality, row.partner_id, row.received_at].append(row)
    refs = {key: signal_ref(key[0], key[1], signal_id, millis_of(key[2])) for key in rows}
    tasks = task_store.load(connection, task_store.Wanted(refs=refs.values()))
    seen = set()
    deliveries = []
    for key, found in rows.items():
        first = found[0]
        deliveries.append(
            DeliveryJourney(
                municipality=first.municipality,
                partner_id=first.partner_id,
                partner_kind=first.partner_kind,
                signal_id=signal_id,
                received_at=first.received_at,
                number_used_again=key[:2] in seen,
                decisions=tuple(map(_shown, found)),
                tasks=tuple(task for task in tasks if task.knows(refs[key])),
            )
        )
        seen.add(key[:2])
    wanted = DeadLetterFilter(
        status=None, municipality=municipality, record_id=signal_id, limit=_REFUSALS_MAX
    )
    return SignalJourney(tuple(deliveries), tuple(dead_letters_in(connection, wanted)))


def _shown(row: Row[Any]) -> DecisionRow:
    candidates = tuple(Candidate(*candidate) for candidate in row.candidates or ())
    return DecisionRow(**{name: getattr(row, name) for name in _SHOWN}, candidates=candidates)
