"""The proof of destruction: how much of which kind, when, under which period and why; nothing of whom.

Flows in: what a batch destroyed, in its own transaction. Flows out: a row for each municipality, kind and day.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from signaalwissel.processors.retention import DataKind, period_of
from signaalwissel.sinks.retention_scope import Scope
from signaalwissel.sinks.retention_tables import retention_proofs
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

_P = retention_proofs.c


@dataclass(frozen=True, slots=True)
class Proof:
    """So much was destroyed that day; `municipality` is empty for what belonged to none."""

    municipality: str
    kind: DataKind
    destroyed_on: date
    count: int
    months: int | None
    justification: str | None
    policy_version: str | None


def record(connection: Connection, scope: Scope, kind: DataKind, count: int) -> None:
    """Add to the proof of today, in the transaction that destroys."""
    period = period_of(kind, scope.policy)
    statement = insert(retention_proofs)
    row: dict[str, Any] = {
        "municipality": scope.municipality,
        "kind": kind.value,
        "destroyed_on": scope.today,
        "count": count,
        "months": period and period.months,
        "justification": period and period.justification,
        "policy_version": period and scope.policy.version,
    }
    changed = {name: statement.excluded[name] for name in ("months", "justification", "policy_version")}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["municipality", "kind", "destroyed_on"],
            set_={**changed, "count": _P.count + statement.excluded["count"]},
        ),
        [row],
    )


def latest(connection: Connection, municipality: str | None = None) -> list[Proof]:
    """The last proof of each kind, of one municipality or of all."""
    statement = (
        select(retention_proofs)
        .ext(distinct_on(_P.municipality, _P.kind))
        .order_by(_P.municipality, _P.kind, _P.destroyed_on.desc())
    )
    if municipality is not None:
        statement = statement.where(_P.municipality == municipality)
    return [
        Proof(row[0], DataKind(row[1]), row[2], row[3], row[4], row[5], row[6])
        for row in connection.execute(statement)
    ]
