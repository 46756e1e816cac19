"""The agenda of trajectories that something happened to, or whose day has come (design 5).

Flows in: trajectories, with their tasks in the casebook. Flows out: the tasks and notices that they need today, in
the casebook, and the day on which the clock looks at each of them again.
"""

from collections.abc import Iterable
from datetime import date

from signaalwissel.processors.followup_agenda import Agenda, TrajectoryView, reconcile
from signaalwissel.processors.followup_notices import Notice, addressees
from signaalwissel.processors.followup_tasks import Moment, Outcome
from signaalwissel.schemas.followup import NoticeKind
from signaalwissel.sinks import found, notices, trajectories
from signaalwissel.sinks.casebook import Casebook, TrajectoryKey
from signaalwissel.sinks.settings import SinkError
from sqlalchemy import Connection


class ClockStuck(SinkError):
    """What was handled asks to be handled again at once: a defect of ours."""

    def __init__(self, what: str, next_on: date, today: date) -> None:
        super().__init__(
            f"the clock: {what} is handled up to {today}, but asks to be handled again on {next_on}. This is a defect:"
            " report it. SIGNAALWISSEL_CLOCK=off lets the sink store records until it is mended; no deadline runs then."
        )


def bring_up_to_date(
    connection: Connection, casebook: Casebook, keys: Iterable[TrajectoryKey], moment: Moment
) -> None:
    """Bring the tasks and notices of trajectories up to date; those of which no state came yet wait for it.

    Args:
        connection: In a transaction that holds the tasks' lock.
        casebook: Holds every task of these trajectories.
        keys: The trajectories.
        moment: Now.

    Raises:
        ClockStuck: A trajectory asks to be looked at again on a day that has been.
    """
    views = _views(connection, casebook, keys)
    next_days: dict[TrajectoryKey, date | None] = {}
    given: list[Notice] = []
    for key, view in views.items():
        agenda: Agenda = reconcile(view, moment, casebook.policy(key.municipality))
        casebook.take(Outcome(agenda.tasks))
        given += agenda.notices
        if agenda.next_on is not None and agenda.next_on <= moment.today:
            raise ClockStuck(f"trajectory {'/'.join(key)}", agenda.next_on, moment.today)
        next_days[key] = agenda.next_on
    casebook.notices.extend(given)
    trajectories.look_at(connection, next_days)
    informed_in = {n.municipality for n in given if n.kind is NoticeKind.PROCESSING_NOTICE_GIVEN}
    if informed_in:
        trajectories.look_at_informing(connection, informed_in)
    erased = [key for key, view in views.items() if view.erased]
    if erased:
        found.forget(connection, erased)


def _views(
    connection: Connection, casebook: Casebook, keys: Iterable[TrajectoryKey]
) -> dict[TrajectoryKey, TrajectoryView]:
    states = trajectories.states(connection, sorted(keys))
    days = found.load(connection, states)
    views = {
        key: TrajectoryView(
            municipality=key.municipality,
            trajectory_id=key.trajectory_id,
            facts=state.facts,
            tasks=tuple(casebook.of_trajectory(key)),
            counsellor=trajectories.counsellor_of(state),
            erased=state.erased,
            found=days.get(key, {}),
            policies={task.policy_version: casebook.policy_of(task) for task in casebook.of_trajectory(key)},
        )
        for key, state in states.items()
    }
    residents = {key: addressees(view) for key, view in views.items()}
    told = notices.settled(connection, views, frozenset().union(*residents.values()))
    return {key: view._replace(settled_notices=told.of(key, residents[key])) for key, view in views.items()}
