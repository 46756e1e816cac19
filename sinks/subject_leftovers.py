"""What came to the sink after a resident was erased, though it was sent before: it goes too.

Flows in: what a batch changed. Flows out: deleted rows of what only the erased left behind. Tasks end first by the
rules, so that task systems hear of it; then their rows go.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date

from signaalwissel.processors.erased_clients import erased_positions
from signaalwissel.processors.followup_tasks import ENDED, ref_of
from signaalwissel.schemas.routing import Decision
from signaalwissel.sinks import task_store, tombstones, trajectories
from signaalwissel.sinks.casebook import Casebook, TrajectoryKey
from signaalwissel.sinks.destruction import Destruction
from signaalwissel.sinks.pairs import PAIRS, arrays
from signaalwissel.sinks.tables import found
from sqlalchemy import Connection, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

_OF_ERASED = text(
    """
    SELECT task_id FROM tasks JOIN trajectories USING (municipality, trajectory_id)
        JOIN unnest(:municipalities, :trajectories) AS wanted (municipality, trajectory_id)
        USING (municipality, trajectory_id)
    WHERE trajectories.erased AND tasks.kind <> 'VERIFY_IDENTITY' AND tasks.status = ANY(:ended)
    """
).bindparams(*PAIRS, bindparam("ended", type_=ARRAY(Text)))


def forget_tasks(
    destruction: Destruction,
    casebook: Casebook,
    states: Iterable[TrajectoryKey],
    erased: Sequence[Decision],
    today: Callable[[], date],
) -> None:
    """Delete tasks that are over and of which nothing but erased signals, or an erased trajectory, was the reason.

    Args:
        destruction: In a transaction that holds the tasks' lock.
        casebook: What the batch changed, saved already.
        states: Trajectories of which a state came.
        erased: Decisions that say that a signal is erased.
        today: Tells which day it is.
    """
    keys = {*states, *casebook.touched()}
    gone: set[str] = set()
    if keys:
        ended = [status.value for status in ENDED]
        gone.update(destruction.connection.execute(_OF_ERASED, {**arrays(keys), "ended": ended}).scalars())
    told = casebook.told_of({ref_of(decision) for decision in erased})
    tasks_now = (casebook.task(task_id) for task_id in told)
    gone.update(task.task_id for task in tasks_now if task is not None and task.ended and not task.reports)
    if gone:
        tombstones.lay_for_tasks(destruction.connection, gone, today())
        task_store.delete(destruction, sorted(gone))


def forget_found(connection: Connection, keys: Iterable[TrajectoryKey]) -> None:
    """Forget that erased clients were found: a decision from before their erasure said so."""
    for key, state in trajectories.states(connection, keys).items():
        place = (found.c.municipality == key.municipality, found.c.trajectory_id == key.trajectory_id)
        if state.erased:
            connection.execute(found.delete().where(*place))
        elif erased := erased_positions(state.facts):
            connection.execute(found.delete().where(*place, found.c.client.in_(erased)))
