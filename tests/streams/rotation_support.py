"""Intake and matcher over tables in memory, a log between them, and a rotation that goes on by the rules of the plan."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from signaalwissel.processors.dead_letters import DeadLetters
from signaalwissel.processors.emissions import DECISIONS, INTAKE_COMMANDS, RESIDENT_EVENTS
from signaalwissel.processors.identifiers import trajectory_key
from signaalwissel.processors.pseudonyms import secret_version
from signaalwissel.processors.rotation import known, read_rotation
from signaalwissel.processors.rotation_plan import RotationStage, RotationState
from signaalwissel.processors.stamped import record_in
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.decision_codec import read_decision
from signaalwissel.schemas.fact_codec import read_intake_trajectory
from signaalwissel.schemas.keyed_signal_codec import read_keyed_signal
from signaalwissel.schemas.rotation import RotationPhase, RotationStep
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.trajectory import TrajectoryEvent
from signaalwissel.schemas.wire_format import schema_id_of
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.streams.matcher import MatcherHandler
from signaalwissel.streams.outputs import partition_of
from signaalwissel.streams.topics import (
    INTAKE_ROTATIONS,
    INTAKE_TRAJECTORIES,
    MATCHER_POLICIES,
    MATCHER_RECENTS,
    MATCHER_ROTATIONS,
    MATCHER_TRAJECTORIES,
)

from tests.processors.given import default_policies
from tests.processors.worlds import FixedKeys, answer_of
from tests.streams.handler_support import DAY, NAMES, PARTITIONS, Arrived, Sent, Stand, home_of
from tests.streams.intake_support import IntakeStand

MUNICIPALITY = "0344"
NOW = 1_783_000_000_000  # 2026-07-02, after everything in a town
LATE = NOW + 200 * DAY
ROUNDS_MAX = 50
TOLD = {
    RotationStage.DUAL_WRITING: RotationPhase.DUAL,
    RotationStage.SWITCHING: RotationPhase.SWITCHED,
}
SIGNAL_ID = codec("KeyedSignal").schema_id


class VersionedKeys(FixedKeys):
    """The same keys on every run, another for each version of the match secret."""

    def __init__(self) -> None:
        super().__init__()
        self._secrets = defaultdict(lambda: b"k" * 32, {f"{MUNICIPALITY}/match/2": b"2" * 32})


class MatcherStand(Stand):
    """The matcher and its tables."""

    def __init__(self) -> None:
        super().__init__([MATCHER_TRAJECTORIES, MATCHER_RECENTS, MATCHER_POLICIES, MATCHER_ROTATIONS])
        self.start()

    def start(self) -> None:
        letters = DeadLetters("matcher", self.keys, fresh_nonce)
        self.handler = MatcherHandler(self.tables, default_policies(), self.publisher, letters, NAMES)
        for partition in range(PARTITIONS):
            self.handler.on_recovered(partition)


class Plant:
    """One municipality's intake and matcher. What intake sends waits in a log until the matcher reads it."""

    def __init__(self) -> None:
        self.intake, self.matcher = IntakeStand(), MatcherStand()
        self.intake.keys = VersionedKeys()
        self.intake.start()
        self.alive: tuple[int, ...] = (1,)
        self.log: list[Sent] = []
        self.keyed: list[tuple[bytes, bytes]] = []
        self.decisions: list[tuple[str, int, object]] = []

    def take(self, record: TrajectoryEvent | EarlySignal, now: int = NOW) -> None:
        """A partner's or a case system's record."""
        if isinstance(record, EarlySignal):
            topic, key = "signals", f"{record.partner.partner_id}/{record.signal_id}".encode()
            value = codec("EarlySignal").encode(record)
        else:
            topic, key = "trajectories", trajectory_key(record.municipality, record.trajectory_id)
            value = codec("TrajectoryEvent").encode(record)
        self._sent(self.intake.take(Arrived(topic, value, key, home_of(key), timestamp=now)))

    def read(self, most: int | None = None, now: int = NOW) -> None:
        """The matcher reads what waits, or so much of it."""
        waiting, self.log = self.log[:most], self.log[len(self.log[:most]) :]
        for record in waiting:
            assert record.key is not None
            self._matched(record.key, record.value, partition_of(record.key, PARTITIONS), now)

    @property
    def state(self) -> RotationState:
        """What `keys rotate` finds."""
        intake, matcher = self.intake.tables[INTAKE_ROTATIONS], self.matcher.tables[MATCHER_ROTATIONS]
        found = [
            {
                number: next((read_rotation(value) for _, value in table.items_of(number)), None)
                for number in range(PARTITIONS)
            }
            for table in (intake, matcher)
        ]
        return RotationState(MUNICIPALITY, self.alive, *found)

    def tell(self, partition: int) -> None:
        """The step that is due, in a partition of intake; nothing while signals may be corrected."""
        phase = TOLD.get(self.state.stage)
        if phase is not None:
            self.tell_intake(self.state.step(phase), partition)

    def tell_intake(self, step: RotationStep, partition: int) -> list[Sent]:
        """A step, whether it is due or not."""
        value = codec("RotationStep").encode(step)
        sent = self.intake.take(
            Arrived(INTAKE_COMMANDS, value, MUNICIPALITY.encode(), partition, timestamp=NOW)
        )
        self._sent(sent)
        return sent

    def tell_matcher(self, step: RotationStep, partition: int) -> list[Sent]:
        """A step in a partition of the matcher."""
        return self._matched(MUNICIPALITY.encode(), codec("RotationStep").encode(step), partition, NOW)

    def sweep_intake(self, partition: int) -> None:
        """A round of intake's housekeeping."""
        self._sent(self.intake.sweep(partition, NOW))

    def sweep_matcher(self, now: int = NOW) -> None:
        """A round of the matcher's."""
        for partition in range(PARTITIONS):
            assert self.matcher.sweep(partition, now) == []

    def go_to_corrections(self) -> None:
        """Everything up to where signals under the old secret may still be corrected."""
        for _ in range(ROUNDS_MAX):
            if self.state.stage is RotationStage.CORRECTING:
                return
            for partition in range(PARTITIONS):
                self.tell(partition)
                self.sweep_intake(partition)
        raise AssertionError(f"still {self.state}")

    def retire(self) -> None:
        """Everything after that."""
        for _ in range(ROUNDS_MAX):
            stage = self.state.stage
            if stage is RotationStage.DESTROYING:
                self.alive = self.alive[1:]
                return
            step = self.state.step(RotationPhase.RETIRED)
            for partition in range(PARTITIONS):
                if stage is RotationStage.FORGETTING:
                    assert self.tell_matcher(step, partition) == []
                else:
                    self.tell_intake(step, partition)
                    self.sweep_intake(partition)
            self.read(now=LATE)
            self.sweep_matcher(LATE)
        raise AssertionError(f"still {self.state}")

    def versions(self) -> dict[str, set[int]]:
        """Under which versions of the secret something lies, by table."""
        trajectories = self.intake.tables[INTAKE_TRAJECTORIES]
        found: dict[str, set[int]] = {"intake": set(), "copies": set()}
        for partition in range(PARTITIONS):
            for key, value in trajectories.items_of(partition):
                found["intake"].update(map(secret_version, intake_match_keys(key, value)))
            copies = self.matcher.tables[MATCHER_TRAJECTORIES].items_of(partition)
            found["copies"].update(secret_version(key) for key, _ in copies)
        return found

    def answers(self) -> dict[str, object]:
        """The last answer for each signal."""
        return {ref: answer for ref, _, answer in sorted(self.decisions, key=lambda d: d[1])}

    def check_one_key(self) -> None:
        """Each accepted delivery went out once, under one key, and was decided without gaps."""
        sent = Counter(ref for ref, _ in self.keyed)
        assert set(sent.values()) <= {1}
        revisions: defaultdict[str, list[int]] = defaultdict(list)
        for ref, revision, _ in self.decisions:
            revisions[ref].append(revision)
        assert all(found == list(range(len(found))) for found in revisions.values())

    def phase_at(self, partition: int) -> RotationPhase | None:
        """How far a partition of intake is."""
        table = self.intake.tables[INTAKE_ROTATIONS]
        with table.bound(partition):
            found = known(table, MUNICIPALITY)
        return None if found is None else found.phase

    def _sent(self, sent: Iterable[Sent]) -> None:
        for record in sent:
            if record.topic != RESIDENT_EVENTS:
                continue
            self.log.append(record)
            if schema_id_of(record.value or b"") == SIGNAL_ID:
                self.keyed.append((read_keyed_signal(record.value or b"").signal_ref, record.key or b""))

    def _matched(self, key: bytes, value: bytes | None, partition: int, now: int) -> list[Sent]:
        sent = self.matcher.take(Arrived(RESIDENT_EVENTS, value, key, partition, timestamp=now))
        for record in sent:
            if record.topic == DECISIONS:
                decision = read_decision(record.value or b"")
                ref = decision.routing_id.split("-")[0]
                self.decisions.append((ref, decision.revision, answer_of(decision)))
        return sent


def intake_match_keys(key: bytes, value: bytes) -> tuple[bytes, ...]:
    """The match keys of an entry of intake's table."""
    return read_intake_trajectory(record_in(value)).match_keys
