"""One batch in one database transaction: offsets, audit trail, trajectories, tasks, outbox, dead letters.

Flows in: a Batch. Flows out: all of it in the database, or nothing.
"""

from collections.abc import Sequence

from signaalwissel.processors.followup_counsellors import moved
from signaalwissel.processors.followup_decisions import erases_signal, touches_tasks
from signaalwissel.processors.followup_tasks import Outcome, ref_of
from signaalwissel.processors.policy import Policies
from signaalwissel.schemas.internal import DeadLetter
from signaalwissel.schemas.routing import Decision
from signaalwissel.sinks import audit, dead_letters, offsets, outbox, task_store, trajectories, updates
from signaalwissel.sinks.casebook import Casebook, TrajectoryKey
from signaalwissel.sinks.records import Batch
from signaalwissel.sinks.refusals import Seal
from signaalwissel.sinks.settings import SinkSettings
from signaalwissel.sinks.trajectories import NewCounsellor
from sqlalchemy import Connection, text

TASKS_LOCK = 7_223_002
_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")


class Writer:
    """Stores batches.

    Args:
        settings: Topics and CloudEvents source.
        policies: The municipalities' policies.
        seal: Seals the originals of refused task updates.
    """

    def __init__(self, settings: SinkSettings, policies: Policies, seal: Seal) -> None:
        self._settings = settings
        self._policies = policies
        self._seal = seal

    def store(self, connection: Connection, batch: Batch) -> None:
        """Store a batch in the caller's transaction.

        Raises:
            Zombie: Another sink has gone on with this sink's work.
        """
        # First, so that a zombie learns of it before it does any work.
        offsets.advance(connection, batch.progress)
        fresh = audit.record(connection, batch.decisions)
        touching = [decision for decision in fresh if touches_tasks(decision)]
        letters = batch.dead_letters
        if touching or batch.states or batch.updates:
            letters = [*letters, *self._follow_up(connection, batch, touching)]
        dead_letters.record(connection, letters)

    def _follow_up(
        self, connection: Connection, batch: Batch, touching: Sequence[Decision]
    ) -> list[DeadLetter]:
        # Decisions about one trajectory come in several partitions, so in several sinks: one at a time works on
        # tasks. The audit trail, which is most of the work, needs no such order.
        connection.execute(_LOCK, {"lock": TASKS_LOCK})
        keys = {TrajectoryKey(state.municipality, state.trajectory_id) for state, _ in batch.states}
        keys |= {
            TrajectoryKey(d.municipality, d.trajectory_id) for d in touching if d.trajectory_id is not None
        }
        known = trajectories.known(connection, keys)
        changes = trajectories.record(connection, batch.states, known)
        counsellors = {key: found.counsellor for key, found in known.items() if found.counsellor is not None}
        casebook = Casebook(
            task_store.load(connection, _wanted(batch, touching, changes)), counsellors, self._policies
        )
        _move(casebook, changes)
        for decision in touching:
            casebook.follow(decision)
        refused = updates.apply_all(connection, batch.updates, casebook, self._seal)
        self._save(connection, casebook, touching)
        return refused

    def _save(self, connection: Connection, casebook: Casebook, touching: Sequence[Decision]) -> None:
        if not casebook.versions:
            return
        task_store.save(connection, casebook.stored, casebook.changed())
        erased = {ref_of(decision) for decision in touching if erases_signal(decision)}
        versions = casebook.versions
        if erased:
            forgotten = casebook.told_of(erased)
            outbox.forget(connection, forgotten)
            # Of those only the present version is published: the others may still tell of the signal.
            present = {task.task_id: task.version for task in casebook.changed()}
            versions = [t for t in versions if t.task_id not in forgotten or t.version == present[t.task_id]]
        entries = [outbox.task_entry(task, self._settings) for task in versions]
        entries += [outbox.command_entry(command, self._settings) for command in casebook.commands]
        outbox.put(connection, entries, self._settings)


def _wanted(
    batch: Batch, touching: Sequence[Decision], changes: Sequence[NewCounsellor]
) -> task_store.Wanted:
    pairs = {TrajectoryKey(d.municipality, d.trajectory_id) for d in touching if d.trajectory_id is not None}
    return task_store.Wanted(
        task_ids={update.task_id for update, _ in batch.updates},
        refs={ref_of(decision) for decision in touching},
        trajectories=pairs | {change.key for change in changes},
    )


def _move(casebook: Casebook, changes: Sequence[NewCounsellor]) -> None:
    for key, counsellor, fact in changes:
        policy = casebook.policy(key.municipality)
        for task in casebook.of_trajectory(key):
            changed = moved(task, counsellor, fact.recorded_at, policy)
            if changed is not None:
                casebook.take(Outcome((changed,)))
