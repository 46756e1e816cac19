"""Intake's handler as `build_intake` puts it together, over tables in memory."""

from __future__ import annotations

from datetime import date
from typing import Any

from signaalwissel.processors.identifiers import signal_table_key, trajectory_key
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.publishers import Publisher as Allowed
from signaalwissel.processors.publishers import Publishers
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import IntakeCommand, IntakeCommandKind
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.streams.agent_settings import Rules
from signaalwissel.streams.agents import intake_rules
from signaalwissel.streams.intake import IntakeHandler
from signaalwissel.streams.moved import Mover
from signaalwissel.streams.topics import INTAKE_ROTATIONS, INTAKE_SIGNALS, INTAKE_TRAJECTORIES

from tests.processors.given import applied, default_policies, event, signal
from tests.streams.handler_support import NAMES, Arrived, Sent, Stand, home_of, wire

SIGNAL_KEY, TRAJECTORY_KEY = b"woonstad/S1", trajectory_key("0344", "T1")
SIGNAL_ENTRY = signal_table_key("0344", "woonstad", "S1")
ALLOWED = Publishers(
    {
        "signals.woonstad": Allowed(municipalities=frozenset({"0344"}), partners=frozenset({"woonstad"})),
        "trajectories.stratech": Allowed(municipalities=frozenset({"0344"})),
    }
)


class IntakeStand(Stand):
    """Intake and its two tables."""

    def __init__(self, policies: Policies | None = None) -> None:
        super().__init__([INTAKE_SIGNALS, INTAKE_TRAJECTORIES, INTAKE_ROTATIONS])
        self._policies = policies or default_policies()
        self.start()

    def start(self) -> None:
        """Start intake, or start it again, over the tables as they are."""
        made = Rules(self._policies, ALLOWED, self.keys, fresh_nonce)
        rules = intake_rules(made, self.tables[INTAKE_ROTATIONS])
        self.mover = Mover(NAMES)
        self.handler = IntakeHandler(self.tables, rules, self.publisher, NAMES, self.mover)

    def apply(self) -> list[Sent]:
        """Anna applies, in the partition where her trajectory belongs."""
        return self.take(event_record())


def signal_record(topic: str = "signals", **place: Any) -> Arrived:
    """Anna's signal as woonstad sent it, where it belongs unless told otherwise."""
    value = wire(signal(), **place.pop("fields", {}))
    return Arrived(topic, value, **{"partition": home_of(SIGNAL_KEY), **place})


def event_record(topic: str = "trajectories", kind: str = "APPLIED", **place: Any) -> Arrived:
    """An event of trajectory T1, where it belongs unless told otherwise."""
    fields = place.pop("fields", {})
    (line,) = applied() if kind == "APPLIED" else event(kind, "2026-02-01")
    value = wire(line, **{"event_id": f"e-{kind}", "sequence": 1 if kind == "APPLIED" else 2, **fields})
    return Arrived(topic, value, **{"partition": home_of(TRAJECTORY_KEY), **place})


def command_record(kind: IntakeCommandKind, command_id: str = "c1", trajectory: str = "T1") -> Arrived:
    command = IntakeCommand(
        command_id, kind, "0344", trajectory, None, occurred_on=date(2026, 2, 20), issued_at=1_772_000_000_000
    )
    return Arrived(
        "intake-commands", codec("IntakeCommand").encode(command), partition=home_of(TRAJECTORY_KEY)
    )
