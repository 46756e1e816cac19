"""Roles in PostgreSQL: what each program may do with which table; everything else is refused by the database.

Flows in: the tables of this version. Flows out: one table of rights, from which the roles are granted and the tests of
every cell are made. Migrations are run by the owner of the tables, who is none of these: so whoever breaks into sink or
pages changes no table and switches no trigger off (OWASP ASVS 13.2.2). Retention deletes, so the sink may delete what it
says is destroyed; that somebody else said so is what `audit verify` finds. What it said stays: until its period is over
the database lets nobody take the trail itself away.

A role has no login of its own until whoever runs the database gives it one. Row-level security stays below the rights:
what pages read for somebody is read as `signaalwissel_reader`, which sees their municipalities alone.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """Who works with the database, but the owner."""

    SINK = "signaalwissel_sink"
    WEB = "signaalwissel_web"
    GATEWAY = "signaalwissel_gateway"
    STAFF = "signaalwissel_staff"


class Privilege(StrEnum):
    """What may be done with the rows of a table."""

    SELECT = "SELECT"
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


class Right(NamedTuple):
    """What a role may do with a table.

    Attributes:
        privileges: On the whole table.
        columns: What may be read of it where the whole may not.
    """

    privileges: frozenset[Privilege]
    columns: tuple[str, ...] = ()

    def told(self) -> str:
        """As SQL names it: `INSERT, SELECT (kind, at)`."""
        read = [f"{Privilege.SELECT} ({', '.join(self.columns)})"] if self.columns else []
        return ", ".join([*sorted(self.privileges), *read])


_WRITTEN = frozenset({Privilege.INSERT})
_ADDED = frozenset({Privilege.SELECT, Privilege.INSERT})
_READ = frozenset({Privilege.SELECT})
_NOT_WHOLE: frozenset[Privilege] = frozenset()
_KEPT = _ADDED | {Privilege.UPDATE}
_PASSING = _ADDED | {Privilege.DELETE}
_ALL = frozenset(Privilege)


def _whole(names: str, privileges: frozenset[Privilege]) -> Mapping[str, Right]:
    return {name: Right(privileges) for name in names.split()}


_ACCOUNT: Mapping[str, Right] = {
    # A chain is moved on, never begun anew: triggers refuse the rest to everybody.
    **_whole("audit_chains", _KEPT),
    # It goes on from the hash that its chain has: what was put on record before is not read.
    **_whole("audit_blocks audit_events", _WRITTEN),
    # How much waits, and for how long: while that is too much, nothing may be told.
    "processing_log": Right(_WRITTEN, ("created_at", "lines", "sent_at")),
}
"""What it takes to put on record what is done."""

_SINK: Mapping[str, Right] = {
    **_whole("decisions tasks task_history notices trajectories", _ALL),
    **_whole("task_signals task_updates commands trajectory_keys", _ALL),
    **_whole("found outbox dead_letters open_klant_handovers feedback_deliveries", _ALL),
    **_whole("retention_terms retention_holds retention_tombstones erasure_ledger objections", _ALL),
    **_whole("audit_blocks audit_events audit_starts processing_log", _ALL),
    **_whole("audit_chains consumed_offsets retention_days retention_proofs retained_figures", _KEPT),
    **_whole("policies subject_requests", _PASSING),
    **_whole("audit_kept alembic_version", _READ),
}

_WEB: Mapping[str, Right] = {
    **_ACCOUNT,
    **_whole("ended_sessions", _ALL),
    **_whole("running_sessions", _ALL),
    # Aside, open again, offered again.
    "dead_letters": Right(_READ | {Privilege.UPDATE}),
    # Counts for the page Beheer: of no resident, of no municipality.
    "audit_events": Right(_WRITTEN, ("kind", "at")),
    "tasks": Right(_NOT_WHOLE, ("status",)),
    "decisions": Right(_NOT_WHOLE, ("decided_at", "received_at", "revision", "last_day")),
    "outbox": Right(_NOT_WHOLE, ("created_at", "sent_at")),
    "open_klant_handovers": Right(_NOT_WHOLE, ("status", "failing_since", "last_error", "next_attempt_at")),
    "feedback_deliveries": Right(_NOT_WHOLE, ("sent_at", "failing_since", "last_error")),
    **_whole("consumed_offsets retention_proofs alembic_version", _READ),
}

_GATEWAY: Mapping[str, Right] = {
    # Checks put on record who asked.
    **_ACCOUNT,
    **_whole("alembic_version", _READ),
}

_STAFF: Mapping[str, Right] = {
    **_SINK,
    # Rights of residents, sessions of people: what commands do and the sink does not.
    **_whole("subject_requests", _PASSING),
    **_whole("ended_sessions", _ALL),
}

RIGHTS: Mapping[Role, Mapping[str, Right]] = {
    Role.SINK: _SINK,
    Role.WEB: _WEB,
    Role.GATEWAY: _GATEWAY,
    Role.STAFF: _STAFF,
}

READS_IN_SCOPE = (Role.WEB, Role.GATEWAY)
"""Who takes the role of the reader for what it shows."""
