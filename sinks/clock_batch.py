"""One batch of the clock in one database transaction.

Flows in: the tasks and trajectories whose day has come, the longest overdue first. Flows out: all that follows from it
in the database, or nothing.
"""

from collections.abc import Sequence

from signaalwissel.processors.followup_clock import tick
from signaalwissel.processors.followup_tasks import Moment, Outcome, Task
from signaalwissel.processors.policy import Policies
from signaalwissel.sinks import saving, task_store, trajectories
from signaalwissel.sinks.agendas import ClockStuck, bring_up_to_date
from signaalwissel.sinks.casebook import Casebook, TrajectoryKey
from signaalwissel.sinks.ledger import CLOCK, Ledger
from signaalwissel.sinks.policy_shelf import PolicyShelf
from signaalwissel.sinks.settings import SinkSettings
from signaalwissel.sinks.task_lock import lock_tasks
from signaalwissel.sinks.timekeeping import Observer, TimeSource, moment_at
from sqlalchemy import Connection


class ClockBatch:
    """Handles batches.

    Args:
        settings: How much a batch holds, topics and CloudEvents source.
        policies: The municipalities' policies.
        time_source: Tells which day it is.
        observer: Is told every step.
    """

    def __init__(
        self, settings: SinkSettings, policies: Policies, time_source: TimeSource, observer: Observer
    ) -> None:
        self._settings = settings
        self._policies = policies
        self._shelf = PolicyShelf(policies)
        self._time = time_source
        self._observe = observer

    def run(self, connection: Connection) -> int:
        """Handle what is due, and give how many tasks and trajectories that was.

        Raises:
            ClockStuck: A rule leaves a task or trajectory due that it has handled.
        """
        with connection.begin():
            # Without the lock: most of the time there is nothing to do.
            due = self._due(connection, moment_at(self._time, connection))
        if not any(due):
            return 0
        with connection.begin():
            lock_tasks(connection)
            self._observe("clock.locked")
            # Anew: another transaction may have handled it while this one waited, and midnight may have passed.
            moment = moment_at(self._time, connection)
            ids, keys = self._due(connection, moment)
            stored = task_store.by_ids(connection, ids)
            self._observe("clock.loaded")
            casebook = self._handle(connection, stored, keys, moment)
            self._observe("clock.computed")
            ledger = Ledger(CLOCK, self._policies.register_of)
            saving.save(connection, casebook, self._settings, ledger)
            ledger.store(connection)
            self._observe("clock.saved")
        self._observe("clock.committed")
        return len(ids) + len(keys)

    def _due(self, connection: Connection, moment: Moment) -> tuple[list[str], list[TrajectoryKey]]:
        most = self._settings.clock_batch
        ids = task_store.due(connection, moment.today, most)
        return ids, trajectories.due(connection, moment.today, most - len(ids))

    def _handle(
        self, connection: Connection, stored: Sequence[Task], keys: list[TrajectoryKey], moment: Moment
    ) -> Casebook:
        casebook = Casebook(stored, {}, self._policies, self._shelf.versions(connection, stored))
        for task in stored:
            outcome = tick(task, moment, casebook.policy_of(task))
            _check_progress(outcome, task, moment)
            casebook.take(outcome)
        # What came to its end makes room for what is next on the trajectory's agenda.
        wanted = {*keys, *casebook.ended_trajectories()}
        others = task_store.load(connection, task_store.Wanted(trajectories=wanted))
        self._shelf.versions(connection, others)
        casebook.add(others)
        bring_up_to_date(connection, casebook, wanted, moment)
        return casebook


def _check_progress(outcome: Outcome, task: Task, moment: Moment) -> None:
    after = next((one for one in outcome.tasks if one.task_id == task.task_id), task)
    if after.next_on is not None and after.next_on <= moment.today:
        raise ClockStuck(f"task {task.task_id}", after.next_on, moment.today)
