"""What the DDAS report is made of: signals by day of receipt, their follow-up, and trajectories, as streams.

Flows in: an engine, days, a municipality. Flows out: rows in order of municipality, in batches. Erased signals and
trajectories are left out.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from signaalwissel.processors.ddas_signals import CaseFacts, Contact, SignalFacts
from signaalwissel.processors.identifiers import signal_ref
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.followup import ContactChannel, ContactOutcome
from signaalwissel.schemas.internal import TrajectoryState
from signaalwissel.schemas.routing import Route, TrueReason
from signaalwissel.schemas.signal import PartnerKind
from signaalwissel.sinks.copying import millis_of
from signaalwissel.sinks.tables import decisions, trajectories
from sqlalchemy import Engine, LargeBinary, Row, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

_D = decisions.c
_BATCH = 500

_CASES = text(
    """
    SELECT tasks.task_id, tasks.municipality, tasks.outcome, array_agg(ts.signal_ref ORDER BY ts.position) AS refs
    FROM tasks JOIN task_signals ts USING (task_id)
    WHERE tasks.kind = 'CONTACT_ON_RELAPSE' AND NOT ts."left" AND ts.last_day BETWEEN :first AND :last
        AND tasks.task_id IN (SELECT task_id FROM task_signals WHERE signal_ref = ANY(:refs) AND NOT "left")
    GROUP BY tasks.task_id ORDER BY tasks.task_id
    """
).bindparams(bindparam("refs", type_=ARRAY(LargeBinary)))
_CONTACTS = text(
    """
    SELECT task_id, occurred_at, channel, reached FROM task_updates
    WHERE task_id = ANY(:ids) AND kind IN ('CONTACT_ATTEMPTED', 'CONTACT_MADE')
    ORDER BY task_id, occurred_at, update_id
    """
)


class Period(NamedTuple):
    """Days of receipt, both included, and one municipality or None for all."""

    first: date
    last: date
    municipality: str | None = None


class ReportedSignal(NamedTuple):
    """A signal; who it is about is sealed."""

    municipality: str
    routing_id: str
    facts: SignalFacts
    sealed_subject: bytes


class Case(NamedTuple):
    """A follow-up with all of its signals that were received in the period."""

    task_id: str
    municipality: str
    facts: CaseFacts


def signals(engine: Engine, period: Period) -> Iterator[list[ReportedSignal]]:
    """The last revision of each accepted delivery, in batches."""
    ordered = (_D.municipality, _D.partner_id, _D.signal_id, _D.received_at)
    statement = (
        select(decisions)
        .ext(distinct_on(*ordered))
        .where(_D.last_day >= period.first, _D.last_day <= period.last)
        .order_by(*ordered, _D.revision.desc())
    )
    if period.municipality is not None:
        statement = statement.where(_D.municipality == period.municipality)
    with engine.connect() as connection:
        for rows in connection.execution_options(yield_per=_BATCH).execute(statement).partitions():
            yield [_signal(row) for row in rows if row.arrears_cents is not None and row.sealed_subject]


def _signal(row: Row[Any]) -> ReportedSignal:
    ref = signal_ref(row.municipality, row.partner_id, row.signal_id, millis_of(row.received_at))
    facts = SignalFacts(
        ref,
        PartnerKind(row.partner_kind),
        row.arrears_cents,
        row.arrears_since,
        row.signalled_on,
        bool(row.crisis),
        bool(row.warm_transfer),
        Route(row.route),
        TrueReason(row.reason),
    )
    return ReportedSignal(row.municipality, row.routing_id, facts, bytes(row.sealed_subject))


def cases_of(engine: Engine, refs: Sequence[bytes], period: Period) -> list[Case]:
    """The follow-ups in which these signals are."""
    wanted = {"refs": list(refs), "first": period.first, "last": period.last}
    with engine.connect() as connection:
        rows = connection.execute(_CASES, wanted).all()
        contacts: dict[str, list[Contact]] = {row.task_id: [] for row in rows}
        for row in connection.execute(_CONTACTS, {"ids": list(contacts)}) if rows else ():
            channel = None if row.channel is None else ContactChannel(row.channel)
            contacts[row.task_id].append(Contact(row.occurred_at, channel, row.reached))
    return [
        Case(
            row.task_id,
            row.municipality,
            CaseFacts(
                [bytes(ref) for ref in row.refs],
                None if row.outcome is None else ContactOutcome(row.outcome),
                contacts[row.task_id],
            ),
        )
        for row in rows
    ]


def states(engine: Engine, municipality: str | None) -> Iterator[TrajectoryState]:
    """The newest state of each trajectory that is not erased."""
    columns = trajectories.c
    statement = (
        select(columns.state)
        .where(columns.erased.is_(False))
        .order_by(columns.municipality, columns.trajectory_id)
    )
    if municipality is not None:
        statement = statement.where(columns.municipality == municipality)
    with engine.connect() as connection:
        for row in connection.execution_options(yield_per=_BATCH).execute(statement):
            yield read_trajectory_state(bytes(row.state))
