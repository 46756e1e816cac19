"""Intake's handler: signals, lifecycle events and commands in, `resident-events` and `trajectory-states` out.

The rules are `processors.intake_*`; here records are decoded, moved where they belong, and refused records become
dead letters in the same transaction.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from signaalwissel.processors.dead_letters import About, DeadLetters
from signaalwissel.processors.emissions import INTAKE_COMMANDS, Emission
from signaalwissel.processors.housekeeping import deliveries_are_over
from signaalwissel.processors.intake_commands import IntakeCommands
from signaalwissel.processors.intake_signals import Arrival, IntakeSignals
from signaalwissel.processors.intake_trajectories import IntakeTrajectories
from signaalwissel.processors.policy import Policies, Policy
from signaalwissel.processors.publishers import Publishers
from signaalwissel.processors.reading import read_record
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.rotation import RotatingKeys, is_step, taken
from signaalwissel.processors.stamped import record_in, written_at
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.early_signal_codec import read_early_signal
from signaalwissel.schemas.intake_signal_codec import read_intake_signal
from signaalwissel.schemas.internal import IntakeCommand
from signaalwissel.schemas.rotation import MatchRotation, RotationStep
from signaalwissel.schemas.trajectory import TrajectoryEvent
from signaalwissel.schemas.trajectory_event_codec import read_trajectory_event
from signaalwissel.streams.chunk import ChunkHandler, Outputs, Record
from signaalwissel.streams.clock import now_ms
from signaalwissel.streams.moved import Mover
from signaalwissel.streams.publishing import Publisher, event_time
from signaalwissel.streams.slices import Slices
from signaalwissel.streams.table import PartitionedTable
from signaalwissel.streams.topics import INTAKE_ROTATIONS, INTAKE_SIGNALS, INTAKE_TRAJECTORIES, Names
from signaalwissel.streams.tracing import NO_STEP
from signaalwissel.streams.walks import Walk

log = logging.getLogger(__name__)

_SLICE = 500

Taker = Callable[[Record, Outputs], list[Emission]]


class IntakeRules(NamedTuple):
    """The rules that intake runs; `keys` are those of the partition at hand."""

    keys: RotatingKeys
    policies: Policies
    publishers: Publishers
    signals: IntakeSignals
    trajectories: IntakeTrajectories
    commands: IntakeCommands
    dead_letters: DeadLetters


class IntakeHandler(ChunkHandler):
    """Runs intake's steps over chunks.

    Args:
        tables: Its tables by name.
        rules: What the records are put through.
        publisher: Publishes what the rules emit.
        names: Topic names.
        mover: Sends records to the partition of their prescribed key.
    """

    def __init__(
        self,
        tables: Mapping[str, PartitionedTable],
        rules: IntakeRules,
        publisher: Publisher,
        names: Names,
        mover: Mover,
    ) -> None:
        self._signal_table = tables[INTAKE_SIGNALS]
        self._trajectory_table = tables[INTAKE_TRAJECTORIES]
        self._rotation_table = tables[INTAKE_ROTATIONS]
        self._rules = rules
        self._publisher = publisher
        self._names = names
        self._mover = mover
        self._signal_topics = frozenset(names.signal_inputs())
        self._commands_topic = names(INTAKE_COMMANDS)
        self._without_policy: set[str] = set()
        self._signal_slices = Slices(lambda p: [key for key, _ in self._signal_table.items_of(p)], _SLICE)
        self._trajectory_slices = Slices(
            lambda p: [key for key, _ in self._trajectory_table.items_of(p)], _SLICE
        )
        self._walk = Walk(
            self._rotation_table,
            lambda p: [key for key, _ in self._trajectory_table.items_of(p)],
            self._rekey,
        )

    def handle(self, partition: int, records: Sequence[Record], outputs: Outputs) -> None:
        time = event_time(now_ms())
        take = self._taker(records[0].topic)
        tracing = self._publisher.tracing
        for record in records:
            step = tracing.step(record) if record.headers else NO_STEP
            emissions = take(record, outputs)
            if emissions:
                self._publisher.publish(outputs, emissions, step.headers, time)
            if step is not NO_STEP:
                step.end(emissions)

    def on_revoked(self, partition: int) -> None:
        self._signal_slices.forget(partition)
        self._trajectory_slices.forget(partition)
        self._walk.restart(partition)

    def sweep(self, partition: int, stream_time_ms: int, outputs: Outputs) -> None:
        """Forget deliveries that are too old to come again; refuse events that waited too long for APPLIED.

        What belongs to a municipality whose policy was removed stays as it is until the policy is back.
        """
        for key in self._signal_slices.next(partition):
            value = self._signal_table.get(key)
            policy = None if value is None else self._policy_of(key)
            if value is None or policy is None:
                continue
            deliveries = read_intake_signal(record_in(value))
            if deliveries_are_over(deliveries, written_at(value), policy, stream_time_ms):
                del self._signal_table[key]
        time = event_time(now_ms())
        for key in self._trajectory_slices.next(partition):
            expired = self._rules.trajectories.expire(self._trajectory_table, key, stream_time_ms)
            self._publisher.publish(outputs, expired, (), time)
        self._publisher.publish(outputs, self._walk.advance(partition), (), time)

    def _policy_of(self, key: bytes) -> Policy | None:
        municipality = key[:4].decode()
        policy = self._rules.policies.get(municipality)
        if policy is None and municipality not in self._without_policy:
            self._without_policy.add(municipality)
            log.warning(
                "municipality %s has no policy any more: its signals are kept, and nothing of them is cleaned up; "
                "bring %s.toml back to the policy folder, or erase what is left of the municipality",
                municipality, municipality,
            )  # fmt: skip
        return policy

    def _taker(self, topic: str) -> Taker:
        if topic in self._signal_topics:
            return self._signal
        return self._command if topic == self._commands_topic else self._event

    def _signal(self, record: Record, outputs: Outputs) -> list[Emission]:
        about = About()
        try:
            signal = read_record(read_early_signal, record.value)
            about = IntakeSignals.about(signal)
            topic = self._names.bare(record.topic)
            self._rules.publishers.check(topic, signal.municipality, signal.partner.partner_id)
            if self._mover.move_signal(record, signal, outputs):
                return []
            arrival = Arrival(topic, record.timestamp, record.value or b"")
            return self._rules.signals.step(self._signal_table, signal, arrival)
        except Rejected as refusal:
            return [self._refused(record, refusal, about)]

    def _event(self, record: Record, outputs: Outputs) -> list[Emission]:
        about = About()
        try:
            event: TrajectoryEvent = read_record(read_trajectory_event, record.value)
            about = IntakeTrajectories.about(event)
            source = self._mover.source_of(record)
            self._rules.publishers.check(source.topic, event.municipality)
            if self._mover.move_event(record, event, outputs):
                return []
            return self._rules.trajectories.step(self._trajectory_table, event, source)
        except Rejected as refusal:
            return [self._refused(record, refusal, about)]

    def _command(self, record: Record, _outputs: Outputs) -> list[Emission]:
        if is_step(record.value):
            return self._rotated(record)
        about = About()
        try:
            command: IntakeCommand = read_record(codec("IntakeCommand").decode, record.value)
            about = About(command.municipality, command.command_id)
            return self._rules.commands.step(self._trajectory_table, command, self._mover.source_of(record))
        except Rejected as refusal:
            return [self._refused(record, refusal, about)]

    def _rotated(self, record: Record) -> list[Emission]:
        try:
            step: RotationStep = read_record(codec("RotationStep").decode, record.value)
            self._rules.keys.check(step)
            if not taken(self._rotation_table, step):
                return []
            log.info(
                "municipality %s: partition %d takes %s of the rotation of match secret %d to %d",
                step.municipality, record.partition, step.phase, step.old, step.new,
            )  # fmt: skip
        except Rejected as refusal:
            return [self._refused(record, refusal, About())]
        self._walk.restart(record.partition)
        return self._walk.advance(record.partition)

    def _rekey(self, _: int, key: bytes, rotations: Mapping[str, MatchRotation]) -> list[Emission]:
        if key[:4].decode() not in rotations:
            return []
        return self._rules.trajectories.rekey(self._trajectory_table, key)

    def _refused(self, record: Record, refusal: Rejected, about: About) -> Emission:
        return self._rules.dead_letters.of(self._mover.source_of(record), refusal, about)
