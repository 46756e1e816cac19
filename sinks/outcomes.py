"""How every accepted signal stands now, as the database has it: for whoever checks the whole.

Flows in: an engine. Flows out: one row per accepted delivery, with its last revision and whether its task is there.
"""

from collections.abc import Iterator
from typing import NamedTuple

from signaalwissel.schemas.followup import TaskKind, TaskStatus
from signaalwissel.schemas.routing import Route
from signaalwissel.schemas.units import Millis
from signaalwissel.sinks.copying import millis_of
from signaalwissel.sinks.tables import decisions, task_signals, tasks
from sqlalchemy import Engine, and_, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.sql import Select

_CHUNK = 10_000


class StoredOutcome(NamedTuple):
    """The last revision of an accepted delivery.

    `trajectory_id` only where the route is the counsellor's; `on_task` tells whether an unfinished or finished
    relapse task of that trajectory holds the signal.
    """

    municipality: str
    partner_id: str
    signal_id: str
    received_at: Millis
    revision: int
    route: str
    trajectory_id: str | None
    on_task: bool


def stored_outcomes(engine: Engine) -> Iterator[StoredOutcome]:
    """Every accepted delivery, in no particular order."""
    with engine.connect().execution_options(yield_per=_CHUNK) as connection:
        for row in connection.execute(_last_revisions()):
            followed = row.route == Route.COUNSELLOR_FOLLOWUP.value
            yield StoredOutcome(
                row.municipality,
                row.partner_id,
                row.signal_id,
                millis_of(row.received_at),
                row.revision,
                row.route,
                row.trajectory_id if followed else None,
                row.task_id is not None,
            )


class Busy(NamedTuple):
    """A counsellor with contacts to make on relapses, and how many."""

    municipality: str
    counsellor_id: str
    team: str
    tasks: int


def busiest_counsellor(engine: Engine) -> Busy | None:
    """Who has most contacts to make; None where nobody has any."""
    count = func.count()
    statement = (
        select(tasks.c.municipality, tasks.c.assignee, tasks.c.team, count)
        .where(tasks.c.kind == TaskKind.CONTACT_ON_RELAPSE.value, tasks.c.assignee.is_not(None))
        .where(tasks.c.status.in_((TaskStatus.OPEN.value, TaskStatus.ACCEPTED.value)))
        .group_by(tasks.c.municipality, tasks.c.assignee, tasks.c.team)
        .order_by(count.desc(), tasks.c.municipality, tasks.c.assignee)
        .limit(1)
    )
    with engine.connect() as connection:
        row = connection.execute(statement).first()
    return None if row is None else Busy(row[0], row[1], row[2], row[3])


def count_deliveries(engine: Engine) -> int:
    """How many deliveries have their first decision stored."""
    with engine.connect() as connection:
        statement = select(func.count()).select_from(decisions).where(decisions.c.revision == 0)
        return int(connection.execute(statement).scalar_one())


def count_tasks(engine: Engine) -> int:
    """How many tasks there are."""
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(tasks)).scalar_one())


def _last_revisions() -> Select[tuple[object, ...]]:
    delivery = func.split_part(decisions.c.routing_id, "-", 1)
    last = (
        select(decisions, delivery.label("delivery"))
        .ext(distinct_on(delivery))
        .order_by(delivery, decisions.c.revision.desc())
        .subquery()
    )
    held = and_(
        task_signals.c.signal_ref == func.decode(last.c.delivery, "hex"), task_signals.c.left.is_(False)
    )
    same = and_(
        tasks.c.task_id == task_signals.c.task_id,
        tasks.c.municipality == last.c.municipality,
        tasks.c.trajectory_id == last.c.trajectory_id,
    )
    joined = last.outerjoin(
        task_signals.join(tasks, tasks.c.task_id == task_signals.c.task_id), and_(held, same)
    )
    return select(
        last.c.municipality,
        last.c.partner_id,
        last.c.signal_id,
        last.c.received_at,
        last.c.revision,
        last.c.route,
        last.c.trajectory_id,
        tasks.c.task_id,
    ).select_from(joined)
