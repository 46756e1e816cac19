"""The two Faust apps, intake and matcher, put together from settings and rules (design 1).

In: settings, policies, publishers, keys. Out: an app that `runner.run_app` runs. Each runs in a process of its own:
two agents on equal partition counts in one app would share a transactional id and fence each other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from signaalwissel.processors.dead_letters import DeadLetters
from signaalwissel.processors.emissions import INTAKE_COMMANDS, RESIDENT_EVENTS
from signaalwissel.processors.intake_commands import IntakeCommands
from signaalwissel.processors.intake_signals import IntakeSignals
from signaalwissel.processors.intake_trajectories import IntakeTrajectories
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.publishers import Publishers
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.streams.app import ChunkApp, build_app
from signaalwissel.streams.gate import Gate
from signaalwissel.streams.intake import IntakeHandler, IntakeRules
from signaalwissel.streams.matcher import MatcherHandler
from signaalwissel.streams.moved import Mover
from signaalwissel.streams.publishing import Publisher
from signaalwissel.streams.settings import EngineSettings
from signaalwissel.streams.topics import (
    INTAKE_SIGNALS,
    INTAKE_TRAJECTORIES,
    MATCHER_RECENTS,
    MATCHER_TRAJECTORIES,
    Names,
)

_SWEEP_INTERVAL_S = 10.0
"""A slice of each table every ten seconds: a table of 100,000 entries is gone round in about half an hour."""


@dataclass(frozen=True, kw_only=True)
class AgentSettings:
    """What both apps need.

    Attributes:
        names: Topic and app names.
        bootstrap: Kafka's `host:port`.
        connection: Further aiokafka connection options.
        event_source: CloudEvents source.
        commit_interval_s: Time from the first uncommitted chunk to its commit.
        broker_timeout_s: How long a silent broker is waited for.
        cold_start_timeout_s: How long intake holds signals at most while it reads trajectories.
        accept_loss: Go on at the log's beginning where records were deleted before they were read.
    """

    names: Names
    bootstrap: str
    connection: Mapping[str, Any] = field(default_factory=dict)
    event_source: str = "urn:nld:signaalwissel"
    commit_interval_s: float = 0.1
    broker_timeout_s: float = 60.0
    cold_start_timeout_s: float = 300.0
    accept_loss: bool = False

    def engine(self, app_id: str) -> EngineSettings:
        """The engine's settings of one app."""
        return EngineSettings(
            app_id=app_id,
            bootstrap=self.bootstrap,
            connection=self.connection,
            accept_loss=self.accept_loss,
            commit_interval_s=self.commit_interval_s,
            broker_timeout_s=self.broker_timeout_s,
            sweep_interval_s=_SWEEP_INTERVAL_S,
        )


@dataclass(frozen=True)
class Rules:
    """What both apps decide by."""

    policies: Policies
    publishers: Publishers
    keys: KeyProvider
    nonce: Callable[[], bytes]


def build_intake(settings: AgentSettings, rules: Rules) -> ChunkApp:
    """The intake app: partners' and case systems' records in, `resident-events` out."""
    names = settings.names
    dead_letters = DeadLetters("intake", rules.keys, rules.nonce)
    trajectories = IntakeTrajectories(rules.policies, rules.publishers, rules.keys, rules.nonce, dead_letters)
    intake_rules = IntakeRules(
        rules.policies,
        rules.publishers,
        IntakeSignals(rules.policies, rules.publishers, rules.keys, rules.nonce),
        trajectories,
        IntakeCommands(trajectories),
        dead_letters,
    )
    publisher = Publisher(names, settings.event_source)
    signals, events = names.signal_inputs(), names.trajectory_inputs()
    return build_app(
        settings.engine(names.intake_app),
        lambda tables: IntakeHandler(tables, intake_rules, publisher, names, Mover(names)),
        inputs=[*signals, *events, names(INTAKE_COMMANDS)],
        tables=[INTAKE_SIGNALS, INTAKE_TRAJECTORIES],
        gate=Gate(frozenset(signals), frozenset(events), settings.cold_start_timeout_s),
    )


def build_matcher(settings: AgentSettings, rules: Rules) -> ChunkApp:
    """The matcher app: `resident-events` in, routes, corrections and decisions out."""
    names = settings.names
    publisher = Publisher(names, settings.event_source)
    dead_letters = DeadLetters("matcher", rules.keys, rules.nonce)
    return build_app(
        settings.engine(names.matcher_app),
        lambda tables: MatcherHandler(tables, rules.policies, publisher, dead_letters, names),
        inputs=[names(RESIDENT_EVENTS)],
        tables=[MATCHER_TRAJECTORIES, MATCHER_RECENTS],
    )
