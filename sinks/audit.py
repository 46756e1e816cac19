"""The audit trail: one row for every decision and every revision of it (design 4).

Flows in: decisions. Flows out: their rows, and those of them that were not there before.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from signaalwissel.processors.followup_decisions import erases_signal
from signaalwissel.processors.followup_tasks import ref_of
from signaalwissel.processors.identifiers import routing_id
from signaalwissel.schemas.routing import Decision
from signaalwissel.sinks.copying import copy_rows, moment_of
from signaalwissel.sinks.destruction import Destruction, Why
from signaalwissel.sinks.ledger import Ledger
from signaalwissel.sinks.tables import decisions
from sqlalchemy import Connection, Text, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

COLUMNS = tuple(column.name for column in decisions.columns)

_IDS = bindparam("ids", type_=ARRAY(Text))
_KNOWN = select(decisions.c.routing_id).where(decisions.c.routing_id == any_(_IDS))


def record(connection: Connection, made: Sequence[Decision], ledger: Ledger) -> list[Decision]:
    """Add the decisions that are not in the audit trail yet, and give those, in order.

    Offsets make sure that a record is handled once; that a routing id stands once holds even where the same decision
    was published again, after a rebuild say.
    """
    if not made:
        return []
    ids = [decision.routing_id for decision in made]
    seen = set(connection.execute(_KNOWN, {"ids": ids}).scalars())
    fresh = []
    for decision in made:
        if decision.routing_id not in seen:
            seen.add(decision.routing_id)
            fresh.append(decision)
    erased = [decision for decision in fresh if erases_signal(decision)]
    # Their own ids too: nobody but the matcher makes sure that an id is that of its signal.
    gone = {*_revisions(erased), *(decision.routing_id for decision in erased)}
    _add(connection, [_row(d) for d in fresh if d.routing_id not in gone], ledger)
    if erased:
        Destruction(connection, ledger, Why.ERASED).delete(decisions, decisions.c.routing_id.in_(gone))
        _add(connection, [_erased_row(d) for d in erased], ledger)
    return fresh


def _add(connection: Connection, rows: Sequence[tuple[Any, ...]], ledger: Ledger) -> None:
    copy_rows(connection, decisions, COLUMNS, rows)
    ledger.recorded(decisions.name, rows)


def _revisions(erased: Iterable[Decision]) -> Iterable[str]:
    for decision in erased:
        ref = ref_of(decision)
        yield from (routing_id(ref, revision) for revision in range(decision.revision + 1))


def _row(d: Decision) -> tuple[Any, ...]:
    counsellor_id, counsellor_team = d.counsellor or (None, None)
    return (
        d.routing_id,
        d.signal_id,
        d.municipality,
        d.revision,
        d.route.value,
        d.reason.value,
        d.explanation,
        d.policy_version,
        d.reference_date,
        moment_of(d.decided_at),
        d.partner.partner_id,
        d.partner.kind.value,
        d.arrears,
        d.arrears_since,
        d.signalled_on,
        moment_of(d.received_at),
        d.crisis,
        d.warm_transfer,
        d.sealed_subject,
        d.trajectory_id,
        d.trajectory_state,
        d.client,
        counsellor_id,
        counsellor_team,
        d.team,
        d.window_ends_on,
        d.debt_timing,
        d.matched_by,
        d.evidence,
        json.dumps(d.candidates) if d.candidates else None,
        d.match_key,
        d.last_day,
        d.action,
        d.cause,
        d.caused_by_event_id,
        d.previous_routing_id,
    )


KEPT_AFTER_ERASURE = frozenset(
    {
        "routing_id",
        "signal_id",
        "municipality",
        "revision",
        "route",
        "policy_version",
        "decided_at",
        "partner_id",
        "partner_kind",
        "received_at",
        "last_day",
        "action",
        "cause",
        "previous_routing_id",
    }
)


def _erased_row(decision: Decision) -> tuple[Any, ...]:
    # Ids and the fact of the erasure stay: they prove that it was done.
    row = zip(COLUMNS, _row(decision), strict=True)
    return tuple(value if name in KEPT_AFTER_ERASURE else None for name, value in row)
