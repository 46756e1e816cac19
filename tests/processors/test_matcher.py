"""The matcher's step: what is no record of ours; the rest is in the tables of the rules and the properties."""

import pytest
from signaalwissel.processors.matcher import Clock, Matcher
from signaalwissel.processors.matcher_state import MatcherState
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.errors import NotWireFormat, UnknownSchemaId
from signaalwissel.schemas.keyed_signal_codec import write_keyed_signal

from tests.processors.given import default_policies
from tests.processors.keyed import KEY, OTHER_KEY, keyed_signal, trajectory

CLOCK = Clock(1, 2)


@pytest.fixture
def matcher() -> Matcher:
    """A matcher under the default policy."""
    return Matcher(default_policies())


@pytest.fixture
def state() -> MatcherState:
    """Empty tables."""
    return MatcherState({}, {}, {})


def test_a_record_that_nobody_should_write_here_is_refused(matcher: Matcher, state: MatcherState) -> None:
    with pytest.raises(UnknownSchemaId, match="KeyedSignal, KeyedTrajectory, ResidentCommand"):
        matcher.step(state, KEY, codec("EarlySignal").header, CLOCK)
    with pytest.raises(NotWireFormat):
        matcher.step(state, KEY, b"{}", CLOCK)


def test_a_trajectory_at_another_key_decides_nothing(matcher: Matcher, state: MatcherState) -> None:
    assert matcher.step(state, OTHER_KEY, trajectory(), CLOCK) == []
    first, _ = matcher.step(state, KEY, write_keyed_signal(keyed_signal()), CLOCK)
    assert first.topic == "regular-flow"


def test_a_version_that_is_known_says_nothing(matcher: Matcher, state: MatcherState) -> None:
    matcher.step(state, KEY, write_keyed_signal(keyed_signal()), CLOCK)
    assert matcher.step(state, KEY, trajectory(version=2), CLOCK)
    assert matcher.step(state, KEY, trajectory(version=2), CLOCK) == []
    assert matcher.step(state, KEY, trajectory(version=1), CLOCK) == []


def test_a_delivery_is_decided_once(matcher: Matcher, state: MatcherState) -> None:
    signal = write_keyed_signal(keyed_signal())
    assert matcher.step(state, KEY, signal, CLOCK)
    assert matcher.step(state, KEY, signal, CLOCK) == []
    assert len(state.recents_at(KEY)) == 1


def test_the_two_times_are_told_and_kept(matcher: Matcher, state: MatcherState) -> None:
    _, decided = matcher.step(state, KEY, write_keyed_signal(keyed_signal()), CLOCK)
    assert codec("Decision").decode(decided.value).decided_at == CLOCK.now
    assert [recent.written_at for recent in state.recents_at(KEY)] == [CLOCK.record_time]
    matcher.step(state, KEY, trajectory(), Clock(7, 8))
    assert [recent.written_at for recent in state.recents_at(KEY)] == [7]
