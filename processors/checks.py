"""The check before a signal is sent (toets): what the matcher would decide about it, told and not kept.

In: a signal in the clear and the municipality's keys, then the trajectories at its match keys. Out: the verdict that
the signal would get as its first, by the same rules (design 4). Pure: looking up and accounting are the caller's.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from signaalwissel.processors.decision import Effects, Verdict, decide
from signaalwissel.processors.facts import horizon_of, within_horizon
from signaalwissel.processors.intake_signals import keyed_signal, known_policy
from signaalwissel.processors.policy import Policies, Policy
from signaalwissel.processors.pseudonyms import MatchVersions
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.processors.trajectory import fold
from signaalwissel.processors.validation import check_municipality, check_signal
from signaalwissel.schemas.internal import KeyedSignal, TrajectoryState
from signaalwissel.schemas.signal import EarlySignal

_NOTHING_SAID = Effects()


class Question(NamedTuple):
    """What is asked, without the person.

    Attributes:
        signal: As the matcher would get it, without what it carries.
        match_keys: Under which trajectories may lie: one, or one for each secret during a rotation.
        policy: The municipality's.
    """

    signal: KeyedSignal
    match_keys: tuple[bytes, ...]
    policy: Policy


def question_of(
    signal: EarlySignal,
    policies: Policies,
    keys: KeyProvider,
    versions_of: Callable[[str], tuple[int, ...]],
) -> Question:
    """What to look up for a signal.

    Args:
        signal: As it would be sent.
        policies: Those of the installation.
        keys: Where secrets come from.
        versions_of: The versions of a municipality's match secret that exist, rising.

    Raises:
        Rejected: Intake would refuse the signal (domain 8.16).
        KeyUnavailable: A key cannot be had: nothing can be said.
    """
    check_municipality(signal.municipality)
    policy = known_policy(signal.municipality, policies, keys)
    last_day = check_signal(signal, policy)
    versions = versions_of(signal.municipality)
    used = MatchVersions(versions[-1], versions) if versions else None
    pseudonyms = keys.pseudonym_keys(signal.municipality, used)
    match_keys = tuple(pseudonyms.signal_match_keys(signal.subject))
    return Question(keyed_signal(signal, last_day, pseudonyms), match_keys, policy)


def verdict_of(question: Question, states: Iterable[TrajectoryState]) -> Verdict:
    """The verdict that the signal would get.

    Args:
        question: What was asked.
        states: The newest state of each trajectory at one of its match keys, each once.
    """
    horizon = horizon_of(question.signal.last_day, question.policy)
    folded = (fold(state.trajectory_id, within_horizon(state.facts, horizon)) for state in states)
    found = [trajectory for trajectory in folded if trajectory is not None]
    return decide(question.signal, found, _NOTHING_SAID, question.policy)
