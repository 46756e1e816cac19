"""A check before a signal is sent tells what the matcher then decides: on generated months, record by record."""

from collections.abc import Iterator
from typing import Any

import pytest
from signaalwissel.processors.checks import question_of, verdict_of
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.simulation import Simulation
from signaalwissel.processors.simulation_lines import read_line
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.internal import TrajectoryState
from signaalwissel.schemas.routing import Route
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys
from signaalwissel.sources.generator import generate

POLICIES = packaged_policies(for_every_code=True)
HITS_MIN = 100


class Town:
    """A simulation, and beside it what a sink would have of its trajectories."""

    def __init__(self) -> None:
        self.keys = ThrowawayKeys()
        self.simulation = Simulation(POLICIES, self.keys, fresh_nonce)
        self.states: dict[bytes, TrajectoryState] = {}
        told = self.simulation.tasks.state

        def state(key: bytes, value: bytes) -> Any:
            self.states[key] = read_trajectory_state(value)
            return told(key, value)

        self.simulation.tasks.state = state  # type: ignore[method-assign]

    def checked(self, signal: EarlySignal, versions: tuple[int, ...] = (1,)) -> tuple[Any, ...]:
        question = question_of(signal, POLICIES, self.keys, lambda _: versions)
        asked = set(question.match_keys)
        found = [
            state
            for state in self.states.values()
            if state.municipality == signal.municipality and asked & set(state.match_keys)
        ]
        verdict = verdict_of(question, found)
        return verdict.route.value, verdict.reason.value, verdict.trajectory_id

    def decided(self, line: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
        for output in self.simulation.feed(line):
            value = output["value"]
            if output["topic"] == "decisions" and value["revision"] == 0:
                yield value["route"], value["reason"], value["trajectory_id"]


@pytest.mark.parametrize("seed", range(1, 5))
def test_a_check_tells_what_the_matcher_then_decides(seed: int) -> None:
    town = Town()
    hits = 0
    for line in generate(600, 1_200, seed):
        for decided in list(town.decided(line)):
            signal = read_line("signals", line["value"])
            assert isinstance(signal, EarlySignal)
            assert town.checked(signal) == decided, (seed, line)
            hits += decided[0] == Route.COUNSELLOR_FOLLOWUP.value
    assert hits >= HITS_MIN


def test_during_a_rotation_it_is_looked_up_under_every_secret_that_there_is() -> None:
    town = Town()
    signal = read_line("signals", a_signal())
    assert isinstance(signal, EarlySignal)
    one, both = (
        question_of(signal, POLICIES, town.keys, lambda _, them=versions: them) for versions in ((1,), (1, 2))
    )
    assert one.match_keys == both.match_keys[:1]
    assert len(set(both.match_keys)) == 2
    assert one.signal == both.signal


def test_what_intake_refuses_is_not_checked() -> None:
    town = Town()
    signal = read_line("signals", a_signal(signalled_on="2026-03-02"))
    assert isinstance(signal, EarlySignal)
    with pytest.raises(Rejected, match="signalled_on"):
        town.checked(signal)


def test_of_a_signal_nothing_is_carried_along() -> None:
    signal = read_line("signals", a_signal())
    assert isinstance(signal, EarlySignal)
    assert question_of(signal, POLICIES, ThrowawayKeys(), lambda _: ()).signal.carried == b""


def a_signal(**changed: Any) -> dict[str, Any]:
    return {
        "signal_id": "S-1",
        "municipality": "0344",
        "partner": {"partner_id": "water-west", "kind": "WATER"},
        "subject": {"bsn": "999990019"},
        "arrears": "182.40",
        "received_at": "2026-02-28T10:00:00Z",
        **changed,
    }
