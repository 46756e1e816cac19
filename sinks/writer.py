"""One batch in one database transaction: offsets, audit trail, trajectories, tasks, notices, outbox, dead letters.

Flows in: a Batch. Flows out: all of it in the database, or nothing.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from signaalwissel.processors import processing_lines
from signaalwissel.processors.followup_counsellors import moved
from signaalwissel.processors.followup_decisions import erases_signal, touches_tasks
from signaalwissel.processors.followup_tasks import Outcome, ref_of
from signaalwissel.processors.policy import Policies
from signaalwissel.schemas.internal import DeadLetter
from signaalwissel.schemas.routing import Decision
from signaalwissel.sinks import (
    audit,
    dead_letters,
    found,
    offsets,
    saving,
    subject_leftovers,
    subject_objections,
    task_store,
    tombstones,
    trajectories,
    updates,
)
from signaalwissel.sinks.agendas import bring_up_to_date
from signaalwissel.sinks.casebook import Casebook, TrajectoryKey
from signaalwissel.sinks.counts import Stored
from signaalwissel.sinks.destruction import Destruction, Why
from signaalwissel.sinks.found import FirstDays
from signaalwissel.sinks.ledger import Ledger, chain_of_sink
from signaalwissel.sinks.policy_shelf import PolicyShelf
from signaalwissel.sinks.records import Batch
from signaalwissel.sinks.refusals import Seal
from signaalwissel.sinks.settings import SinkSettings
from signaalwissel.sinks.task_lock import lock_tasks
from signaalwissel.sinks.timekeeping import DatabaseTime, TimeSource, moment_at
from signaalwissel.sinks.trajectories import LOOK_NOW, NewCounsellor
from sqlalchemy import Connection


class _News(NamedTuple):
    """What a batch says that follow-up depends on."""

    batch: Batch
    touching: Sequence[Decision]
    found: FirstDays

    @property
    def pairs(self) -> set[TrajectoryKey]:
        decided = ((d.municipality, d.trajectory_id) for d in self.touching)
        return {TrajectoryKey(municipality, number) for municipality, number in decided if number is not None}

    @property
    def empty(self) -> bool:
        return not (self.touching or self.found or self.batch.states or self.batch.updates)


class Writer:
    """Stores batches.

    Args:
        settings: Topics and CloudEvents source, and whether deadlines run.
        policies: The municipalities' policies.
        seal: Seals the originals of refused task updates.
        time: Tells which day it is.
    """

    def __init__(
        self, settings: SinkSettings, policies: Policies, seal: Seal, time: TimeSource | None = None
    ) -> None:
        self._settings = settings
        self._policies = policies
        self._shelf = PolicyShelf(policies)
        self._seal = seal
        self._time = time or DatabaseTime()

    def store(self, connection: Connection, batch: Batch) -> Stored:
        """Store a batch in the caller's transaction, and give what was new in it.

        Raises:
            Zombie: Another sink has gone on with this sink's work.
        """
        # First, so that a zombie learns of it before it does any work.
        offsets.advance(connection, batch.progress)
        batch = tombstones.spared(connection, batch, lambda: self._today(connection))
        ledger = Ledger(chain_of_sink(self._settings.instance), self._policies.register_of)
        fresh = audit.record(connection, batch.decisions, ledger)
        ledger.lines(processing_lines.of_decision(d, batch.traces.get(d.routing_id)) for d in fresh)
        touching = [decision for decision in fresh if touches_tasks(decision)]
        news = _News(batch, touching, found.first_days(fresh))
        letters = batch.dead_letters
        if not news.empty:
            letters = [*letters, *self._follow_up(connection, news, ledger)]
        added = dead_letters.record(connection, letters)
        ledger.lines(map(processing_lines.of_dead_letter, added))
        ledger.store(connection)
        return Stored(fresh, added)

    def _follow_up(self, connection: Connection, news: _News, ledger: Ledger) -> list[DeadLetter]:
        # Decisions about one trajectory come in several partitions, so in several sinks: one at a time works on
        # tasks. The audit trail, which is most of the work, needs no such order.
        lock_tasks(connection)
        keys = {TrajectoryKey(state.municipality, state.trajectory_id) for state, _ in news.batch.states}
        known = trajectories.known(connection, keys | news.pairs)
        before = {key: known[key].version for key in keys & known.keys()}
        changes, kept = trajectories.record(connection, news.batch.states, known)
        ledger.lines(line for state in kept for line in processing_lines.of_trajectory(state))
        counsellors = {key: one.counsellor for key, one in known.items() if one.counsellor is not None}
        tasks = task_store.load(connection, _wanted(news, changes))
        versions = self._shelf.versions(connection, tasks)
        casebook = Casebook(tasks, counsellors, self._policies, versions)
        _move(casebook, changes)
        for decision in news.touching:
            casebook.follow(decision)
        refused = updates.apply_all(connection, news.batch.updates, casebook, self._seal)
        renewed = {key for key in keys if known[key].version != before.get(key)}
        newly_found = found.record(connection, news.found)
        subject_leftovers.forget_found(connection, newly_found)
        subject_objections.follow(connection, [state for state, _ in news.batch.states], self._settings)
        self._call(connection, casebook, renewed | newly_found)
        erased = [d for d in news.touching if erases_signal(d)]
        saving.save(connection, casebook, self._settings, ledger, erased)
        destruction = Destruction(connection, ledger, Why.ERASED)
        subject_leftovers.forget_tasks(destruction, casebook, keys, erased, lambda: self._today(connection))
        return refused

    def _today(self, connection: Connection) -> date:
        return moment_at(self._time, connection).today

    def _call(self, connection: Connection, casebook: Casebook, keys: set[TrajectoryKey]) -> None:
        """Let the agenda of every trajectory that something happened to follow."""
        touched = keys | casebook.touched()
        if not self._settings.clock:
            trajectories.look_at(connection, dict.fromkeys(touched, LOOK_NOW))
            # The database takes one contact task for each trajectory, whether deadlines run or not.
            touched = casebook.crowded()
        if touched:
            others = task_store.load(connection, task_store.Wanted(trajectories=touched))
            self._shelf.versions(connection, others)
            casebook.add(others)
            bring_up_to_date(connection, casebook, touched, moment_at(self._time, connection))


def _wanted(news: _News, changes: Sequence[NewCounsellor]) -> task_store.Wanted:
    return task_store.Wanted(
        task_ids={update.task_id for update, _ in news.batch.updates},
        refs={ref_of(decision) for decision in news.touching},
        trajectories=news.pairs | {change.key for change in changes},
    )


def _move(casebook: Casebook, changes: Sequence[NewCounsellor]) -> None:
    for key, counsellor, fact in changes:
        policy = casebook.policy(key.municipality)
        for task in casebook.of_trajectory(key):
            changed = moved(task, counsellor, fact.recorded_at, policy)
            if changed is not None:
                casebook.take(Outcome((changed,)))
