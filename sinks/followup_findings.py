"""Whether anything fell out of the follow-up: hits without a task, tasks without an owner or a next day (domain 8.10).

Flows in: a database. Flows out: what should not be, each with the ids that lead to it; an empty list is the proof that
no hit was lost and none ended in silence.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.sinks.last_revisions import IS_LAST
from signaalwissel.sinks.timekeeping import DatabaseTime
from sqlalchemy import Connection, Engine, text

# Hits of which no later revision is known, and which no task about them runs for or was done for. One that came when
# the task was done counts as long as the task holds what it can repeat.
_UNATTENDED = text(
    f"""
    SELECT decisions.routing_id, decisions.municipality, decisions.trajectory_id, (
        SELECT min(tasks.task_id) FROM task_signals JOIN tasks USING (task_id)
        WHERE task_signals.signal_ref = decode(split_part(decisions.routing_id, '-', 1), 'hex')
            AND tasks.kind = 'CONTACT_ON_RELAPSE'
            AND tasks.municipality = decisions.municipality AND tasks.trajectory_id = decisions.trajectory_id
    ) AS ended
    FROM decisions
    WHERE decisions.route = 'COUNSELLOR_FOLLOWUP'
        AND {IS_LAST}
        AND NOT EXISTS (
            SELECT FROM task_signals JOIN tasks USING (task_id)
            WHERE task_signals.signal_ref = decode(split_part(decisions.routing_id, '-', 1), 'hex')
                AND NOT task_signals.left
                AND (NOT task_signals.late OR EXISTS (
                    SELECT FROM task_signals AS said
                    WHERE said.task_id = task_signals.task_id AND NOT said.left AND NOT said.late
                ))
                AND tasks.kind = 'CONTACT_ON_RELAPSE'
                AND tasks.municipality = decisions.municipality AND tasks.trajectory_id = decisions.trajectory_id
                AND tasks.status NOT IN ('CANCELLED', 'EXPIRED')
        )
    """  # noqa: S608 a constant of another module
)
_ADRIFT = text(
    """
    SELECT task_id, municipality, trajectory_id, next_on FROM tasks
    WHERE status NOT IN ('DONE', 'CANCELLED', 'EXPIRED')
        AND (next_on IS NULL OR coalesce(assignee, '') = '' AND team = '')
    """
)
_WAITING = text(
    """
    SELECT count(*), min(next_on) FROM (
        SELECT next_on FROM tasks WHERE next_on <= :day
        UNION ALL SELECT next_on FROM trajectories WHERE next_on <= :day
    ) AS due
    """
)


class Fault(StrEnum):
    """What is wrong."""

    NO_TASK = "NO_TASK"
    ENDED_IN_SILENCE = "ENDED_IN_SILENCE"
    NO_OWNER = "NO_OWNER"
    NO_NEXT_DAY = "NO_NEXT_DAY"


@dataclass(frozen=True, slots=True)
class FollowUpFinding:
    """A hit or a task that nobody would look at again; `routing_id` for a hit, `task_id` where there is a task."""

    fault: Fault
    municipality: str
    trajectory_id: str | None
    routing_id: str | None = None
    task_id: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the clock should have handled on an earlier day, and since when; 0 and None when it is up to date."""

    count: int
    since: date | None


def follow_up_findings(engine: Engine) -> list[FollowUpFinding]:
    """Every hit without a task that runs or was done, and every running task without an owner or a next day."""
    with engine.connect() as connection:
        return findings_in(connection)


def findings_in(connection: Connection) -> list[FollowUpFinding]:
    """The same, of what a connection sees."""
    lost = [
        FollowUpFinding(
            Fault.NO_TASK if row.ended is None else Fault.ENDED_IN_SILENCE,
            row.municipality,
            row.trajectory_id,
            routing_id=row.routing_id,
            task_id=row.ended,
        )
        for row in connection.execute(_UNATTENDED)
    ]
    adrift = [
        FollowUpFinding(
            Fault.NO_OWNER if row.next_on is not None else Fault.NO_NEXT_DAY,
            row.municipality,
            row.trajectory_id,
            task_id=row.task_id,
        )
        for row in connection.execute(_ADRIFT)
    ]
    return [*lost, *adrift]


def waiting_for_the_clock(engine: Engine) -> Waiting:
    """What was due before today, by the database's clock, and was not handled."""
    with engine.connect() as connection:
        today = amsterdam_day(DatabaseTime().now(connection))
        count, since = connection.execute(_WAITING, {"day": today - timedelta(days=1)}).one()
    return Waiting(count, since)
