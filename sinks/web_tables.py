"""Indexes that the web pages walk: the work list in its order, figures, and who looked at a signal."""

from signaalwissel.sinks.accounting_tables import audit_events
from signaalwissel.sinks.tables import tasks
from sqlalchemy import Index, text

_OPEN = text("status NOT IN ('DONE', 'CANCELLED', 'EXPIRED')")
_C = tasks.c

INDEXES = (
    Index("ix_tasks_work_list", _C.municipality, _C.due_on, _C.task_id, postgresql_where=_OPEN),
    Index(
        "ix_tasks_work_list_assignee",
        _C.municipality,
        _C.assignee,
        _C.due_on,
        _C.task_id,
        postgresql_where=_OPEN,
    ),
    Index("ix_tasks_work_list_team", _C.municipality, _C.team, _C.due_on, _C.task_id, postgresql_where=_OPEN),
    Index(
        "ix_tasks_figures",
        _C.municipality,
        _C.opened_on,
        postgresql_where=text("kind = 'CONTACT_ON_RELAPSE'"),
    ),
    Index(
        "ix_audit_events_trace_id",
        audit_events.c.trace_id,
        postgresql_where=text("trace_id IS NOT NULL"),
    ),
)
