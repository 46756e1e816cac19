"""Answering again what was decided: the same as if the signals had come under that policy, for all that is tested."""

from typing import Any

import pytest
from signaalwissel.processors.comparison import Answer, Delivery, Trial
from signaalwissel.processors.emissions import DECISIONS, TRAJECTORY_STATES
from signaalwissel.processors.policy import Policy, packaged_policies
from signaalwissel.processors.policy_replay import Decided, Known, Replay
from signaalwissel.processors.policy_trial import only, tried
from signaalwissel.processors.simulation import Simulation
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.routing import Decision
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys
from signaalwissel.sources.generator import generate

MUNICIPALITY = "0344"
POLICY = packaged_policies().default


class Recorder(Simulation):
    """A simulation that keeps the trajectories that it would have stored."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(only(policy), ThrowawayKeys(), fresh_nonce)
        self.states: dict[str, Known] = {}

    def _out(self, emission: Any) -> Any:
        if emission.topic == TRAJECTORY_STATES:
            state = read_trajectory_state(emission.value)
            self.states[state.trajectory_id] = Known(state.trajectory_id, state.facts)
        return super()._out(emission)


def lines() -> list[dict[str, Any]]:
    return list(generate(300, 150, 5, municipalities=(MUNICIPALITY,), history=0.7))


def decided(decision: Decision, delivery: Delivery) -> Decided:
    return Decided(
        delivery,
        decision.reference_date,
        decision.last_day,
        decision.crisis,
        decision.trajectory_id,
        decision.client,
        decision.matched_by,
        decision.evidence,
        decision.candidates,
    )


@pytest.fixture(scope="module")
def replay() -> Replay:
    """A month that was decided under the default policy."""
    simulation = Recorder(POLICY)
    last: dict[Delivery, Decided] = {}
    for line in lines():
        for output in simulation.feed(line):
            if output["topic"] == DECISIONS:
                decision: Decision = codec("Decision").from_json(output["value"])
                value = output["value"]
                delivery = Delivery(
                    value["municipality"],
                    value["partner"]["partner_id"],
                    value["signal_id"],
                    value["received_at"],
                )
                last[delivery] = decided(decision, delivery)
    return Replay(list(last.values()), simulation.states.values())


def in_short(answers: dict[Delivery, Answer]) -> dict[Delivery, tuple[str, str | None]]:
    """Without the reason: a fact that came later and changes the reason alone makes no new decision (domain 8.11)."""
    return {delivery: (str(one.route), one.trajectory_id) for delivery, one in answers.items()}


def under(policy: Policy) -> dict[Delivery, Answer]:
    """The answers to the same lines when they come under a policy."""
    trial = Trial(Simulation(only(policy), ThrowawayKeys(), fresh_nonce))
    for line in lines():
        trial.feed(line)
    return trial.answers()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"window.months": ["2"]},
        {"window.reasons_that_count": ["NO_SHOW"]},
    ],
    ids=["the same", "a shorter window", "other reasons"],
)
def test_the_answers_are_those_of_signals_that_come_under_that_policy(
    replay: Replay, changes: dict[str, list[str]]
) -> None:
    policy = tried(POLICY, changes)
    anew = in_short(under(policy))
    again = in_short(replay.answers(policy))
    assert replay.tested == len(again) > 30
    assert {delivery: anew[delivery] for delivery in again} == again


def test_where_name_and_address_are_a_hit_the_route_is_that_of_a_signal_that_comes_then(
    replay: Replay,
) -> None:
    policy = tried(POLICY, {"identity.name_and_address": ["hit"]})
    anew, again = under(policy), replay.answers(policy)
    assert {delivery: anew[delivery].route for delivery in again} == {
        delivery: one.route for delivery, one in again.items()
    }
    before = replay.answers(POLICY)
    assert any(one.route != before[delivery].route for delivery, one in again.items())


def test_whom_nobody_was_found_for_is_counted_and_not_answered(replay: Replay) -> None:
    assert replay.untested > 0
    assert all(one.reason != "NO_TRAJECTORY" for one in replay.answers(POLICY).values())


def test_a_trajectory_that_is_gone_leaves_its_signals_untested(replay: Replay) -> None:
    empty = Replay([*replay._decided], [])
    assert (empty.tested, empty.untested) == (0, replay.tested)
