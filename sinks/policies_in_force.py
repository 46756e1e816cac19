"""Which policy is in force for whom, in the audit trail, whenever that changes.

Flows in: the policies that this process starts with. Flows out: an event where they are not those of the last one.
"""

from signaalwissel.processors.policy import Policies
from signaalwissel.sinks.accounting_tables import audit_events
from signaalwissel.sinks.ledger import CONSOLE, Event, EventKind, Ledger
from sqlalchemy import Connection, select, text

_LOCK = text("SELECT pg_advisory_xact_lock(7223017)")
_LAST = (
    select(audit_events.c.details)
    .where(audit_events.c.kind == EventKind.POLICIES_IN_FORCE)
    .order_by(audit_events.c.event_id.desc())
    .limit(1)
)


def note_policies(connection: Connection, policies: Policies) -> None:
    """Put the policies and registers that are in force from now on in the audit trail, in the caller's transaction."""
    codes = {"default": policies.default, **{code: policies[code] for code in policies}}
    registers = {code: policies.register_of(code).version for code in codes}
    details = {"policies": {code: policy.version for code, policy in codes.items()}, "registers": registers}
    # Several sinks start at the same time.
    connection.execute(_LOCK)
    if connection.execute(_LAST).scalar() == details:
        return
    ledger = Ledger(CONSOLE, policies.register_of)
    ledger.event(Event(EventKind.POLICIES_IN_FORCE, "sink", "policies", details=details))
    ledger.store(connection)
