"""The two Faust apps, intake and matcher, put together from settings and rules (design 1).

In: settings, policies, publishers, keys. Out: an app that `runner.run_app` runs. Each runs in a process of its own:
two agents on equal partition counts in one app would share a transactional id and fence each other.
"""

from signaalwissel.processors.dead_letters import DeadLetters
from signaalwissel.processors.emissions import INTAKE_COMMANDS, RESIDENT_EVENTS
from signaalwissel.processors.intake_commands import IntakeCommands
from signaalwissel.processors.intake_signals import IntakeSignals
from signaalwissel.processors.intake_trajectories import IntakeTrajectories
from signaalwissel.processors.rotation import RotatingKeys
from signaalwissel.streams.agent_settings import AgentSettings, Rules
from signaalwissel.streams.app import ChunkApp, build_app
from signaalwissel.streams.gate import Gate
from signaalwissel.streams.intake import IntakeHandler, IntakeRules
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
)
from signaalwissel.streams.tracing import Tracing


def build_intake(settings: AgentSettings, rules: Rules) -> ChunkApp:
    """The intake app: partners' and case systems' records in, `resident-events` out."""
    names = settings.names
    publisher = Publisher(names, settings.event_source, Tracing(settings.tracer))
    signals, events = names.signal_inputs(), names.trajectory_inputs()
    inputs = [*signals, *events, names(INTAKE_COMMANDS)]
    return build_app(
        settings.engine(names.intake_app, inputs),
        lambda tables: IntakeHandler(
            tables, intake_rules(rules, tables[INTAKE_ROTATIONS]), publisher, names, Mover(names)
        ),
        inputs=inputs,
        tables=[INTAKE_SIGNALS, INTAKE_TRAJECTORIES, INTAKE_ROTATIONS],
        gate=Gate(frozenset(signals), frozenset(events), settings.cold_start_timeout_s),
    )


def intake_rules(rules: Rules, rotations: PartitionedTable) -> IntakeRules:
    """The rules of intake, with the match secrets under which the partition at hand works."""
    keys = RotatingKeys(rules.keys, rotations)
    dead_letters = DeadLetters("intake", keys, rules.nonce)
    trajectories = IntakeTrajectories(rules.policies, rules.publishers, keys, rules.nonce, dead_letters)
    return IntakeRules(
        keys,
        rules.policies,
        rules.publishers,
        IntakeSignals(rules.policies, rules.publishers, keys, rules.nonce),
        trajectories,
        IntakeCommands(trajectories),
        dead_letters,
    )


def build_matcher(settings: AgentSettings, rules: Rules) -> ChunkApp:
    """The matcher app: `resident-events` in, routes, corrections and decisions out."""
    names = settings.names
    publisher = Publisher(names, settings.event_source, Tracing(settings.tracer))
    dead_letters = DeadLetters("matcher", rules.keys, rules.nonce)
    inputs = [names(RESIDENT_EVENTS)]
    return build_app(
        settings.engine(names.matcher_app, inputs),
        lambda tables: MatcherHandler(tables, rules.policies, publisher, dead_letters, names),
        inputs=inputs,
        tables=[MATCHER_TRAJECTORIES, MATCHER_RECENTS, MATCHER_POLICIES, MATCHER_ROTATIONS],
    )
