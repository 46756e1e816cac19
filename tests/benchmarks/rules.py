"""Intake and matcher without Kafka: the handlers of the stages over tables and outputs in memory.

In: encoded records. Out: what the handlers send, and how many signals intake accepts: the number that every stage
of the run on Kafka is held to.
"""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import NamedTuple

from signaalwissel.processors.dead_letters import DeadLetters
from signaalwissel.processors.emissions import DEAD_LETTERS, RESIDENT_EVENTS, SIGNALS, TRAJECTORIES
from signaalwissel.processors.policy import Policies, packaged_policies
from signaalwissel.processors.publishers import Publishers
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.streams.agent_settings import Rules
from signaalwissel.streams.agents import intake_rules
from signaalwissel.streams.chunk import Headers, Outputs
from signaalwissel.streams.intake import IntakeHandler
from signaalwissel.streams.matcher import MatcherHandler
from signaalwissel.streams.moved import Mover
from signaalwissel.streams.publishing import Publisher
from signaalwissel.streams.table import PartitionedTable
from signaalwissel.streams.topics import (
    INTAKE_ROTATIONS,
    INTAKE_SIGNALS,
    INTAKE_TRAJECTORIES,
    MATCHER_POLICIES,
    MATCHER_RECENTS,
    MATCHER_ROTATIONS,
    MATCHER_TRAJECTORIES,
    Names,
)

from tests.benchmarks.month import Encoded, Month

_TIMESTAMP = 1_785_000_000_000
"""What Kafka stamps on records: a moment after all that is told of the generated month. An earlier one would have intake
refuse here, as told from the future, what it takes from Kafka, whose time is that of the run."""


@dataclass(slots=True)
class Given:
    """A Kafka record as a handler gets it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Sent(NamedTuple):
    """A record that a handler sent."""

    topic: str
    key: bytes | None
    value: bytes | None


class Collected(Outputs):
    """Keeps what handlers send, as if every topic had one partition."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        partition: int | None = None,
    ) -> None:
        self.sent.append(Sent(topic, key, value))

    def partition_for(self, topic: str, key: bytes | None) -> int:
        return 0

    def on(self, topic: str) -> list[Sent]:
        """What was sent to one topic."""
        return [sent for sent in self.sent if sent.topic == topic]


class Tables(dict[str, PartitionedTable]):
    """The tables of one app, all holding partition 0 and bound to it by `handle`."""

    def __init__(self, *names: str) -> None:
        super().__init__({name: PartitionedTable() for name in names})
        for table in self.values():
            table.hold(0)


@dataclass(frozen=True)
class Kit:
    """What the handlers are made of."""

    keys: KeyProvider
    policies: Policies = field(default_factory=lambda: packaged_policies(for_every_code=True))
    names: Names = field(default_factory=Names)

    def intake(self, tables: Tables) -> IntakeHandler:
        """Intake as its app makes it."""
        made = Rules(self.policies, Publishers(), self.keys, fresh_nonce)
        rules = intake_rules(made, tables[INTAKE_ROTATIONS])
        return IntakeHandler(tables, rules, self._publisher(), self.names, Mover(self.names))

    def matcher(self, tables: Tables) -> MatcherHandler:
        """The matcher as its app makes it, its index built from the tables."""
        dead_letters = DeadLetters("matcher", self.keys, fresh_nonce)
        handler = MatcherHandler(tables, self.policies, self._publisher(), dead_letters, self.names)
        handler.on_recovered(0)
        return handler

    def _publisher(self) -> Publisher:
        return Publisher(self.names, "urn:nld:signaalwissel")


def intake_tables() -> Tables:
    """Intake's tables, empty."""
    return Tables(INTAKE_SIGNALS, INTAKE_TRAJECTORIES, INTAKE_ROTATIONS)


def matcher_tables() -> Tables:
    """The matcher's tables, empty."""
    return Tables(MATCHER_TRAJECTORIES, MATCHER_RECENTS, MATCHER_POLICIES, MATCHER_ROTATIONS)


def given(topic: str, records: Iterable[Encoded]) -> list[Given]:
    """Records as intake reads them."""
    return [
        Given(topic, 0, offset, _TIMESTAMP, encoded.key, encoded.value, encoded.headers)
        for offset, encoded in enumerate(records)
    ]


@dataclass(frozen=True)
class Internal:
    """What intake makes of a month.

    Attributes:
        trajectories: `resident-events` of the lifecycle events.
        signals: `resident-events` of the accepted signals.
        refused: How many signals became dead letters.
    """

    trajectories: list[Given]
    signals: list[Given]
    refused: int


def run_intake(kit: Kit, month: Month) -> Internal:
    """Run intake over a month, lifecycle events first."""
    tables = intake_tables()
    handler = kit.intake(tables)
    histories, accepted = Collected(), Collected()
    with ExitStack() as stack:
        for table in tables.values():
            stack.enter_context(table.bound(0))
        handler.handle(0, given(TRAJECTORIES, month.events), histories)
        handler.handle(0, given(SIGNALS, month.signals), accepted)
    refused = len(accepted.on(DEAD_LETTERS))
    return Internal(_internal(histories), _internal(accepted), refused)


def _internal(outputs: Collected) -> list[Given]:
    return [
        Given(sent.topic, 0, offset, _TIMESTAMP, sent.key, sent.value, ())
        for offset, sent in enumerate(outputs.on(RESIDENT_EVENTS))
    ]
