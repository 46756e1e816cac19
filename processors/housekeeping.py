"""Housekeeping: which entries no rule can need any more (design 3).

Removal is invisible in routes: rules test dates themselves. An entry goes only when its own dates say that no
signal or event can need it *and* it was not written for a while in Kafka time, so that a replay of old records keeps
what it needs.
"""

from datetime import date, timedelta

from signaalwissel.processors.amsterdam import add_months, amsterdam_day
from signaalwissel.processors.matcher_state import KnownTrajectory, MatcherState
from signaalwissel.processors.policy import Policies, Policy
from signaalwissel.processors.pseudonyms import is_address_key
from signaalwissel.processors.trajectory import Client, Trajectory
from signaalwissel.schemas.internal import IntakeSignal, RecentSignal
from signaalwissel.schemas.keyed_signal_codec import read_keyed_signal
from signaalwissel.schemas.units import Millis


def sweep_match_key(state: MatcherState, match_key: bytes, policies: Policies, now: Millis) -> None:
    """Forget what no rule can need any more at one match key; `now` is Kafka time."""
    at_address = is_address_key(match_key)
    needed_under = {
        policy.version: policy
        for signal_ref in state.refs_at(match_key)
        if (policy := _sweep_recent(state, signal_ref, policies, now)) is not None
    }
    for known in state.copies_at(match_key):
        # A municipality whose file is gone decides nothing new; until it is back the default says how long to keep.
        loaded = policies.get(known.municipality) or policies.default
        needing = (loaded, *needed_under.values())
        if all(trajectory_is_idle(known, policy, now, at_address=at_address) for policy in needing):
            state.drop_trajectory(match_key, known.trajectory_id)


def _sweep_recent(state: MatcherState, signal_ref: bytes, policies: Policies, now: Millis) -> Policy | None:
    """The policy under which a recent signal may still be decided anew; None where it is gone."""
    recent = state.recent(signal_ref)
    if recent is None:
        return None
    signal = read_keyed_signal(recent.signal)
    policy = state.policies.of(recent, policies.get(signal.municipality))
    if not recent_is_over(recent, signal.last_day, policy, now):
        return policy
    state.drop_recent(signal_ref, recent)
    return None


def recent_is_over(recent: RecentSignal, last_day: date, policy: Policy, now: Millis) -> bool:
    """Whether a recent signal can no longer be corrected, by its own dates and since it was last written."""
    period = timedelta(days=policy.corrections.period_days)
    return max(last_day, amsterdam_day(recent.written_at)) < amsterdam_day(now) - period


def trajectory_is_idle(known: KnownTrajectory, policy: Policy, now: Millis, *, at_address: bool) -> bool:
    """Whether the matcher's copy of a trajectory can go: nothing in it can matter, and nothing wrote it lately.

    Args:
        known: The copy.
        policy: A policy that signals at its key are decided under.
        now: Kafka time.
        at_address: Whether it lies under an address key: there its clients are counted as persons who live there.
    """
    today = amsterdam_day(now)
    if amsterdam_day(known.written_at) >= today - timedelta(days=policy.state_idle_days):
        return False
    trajectory = known.whole()
    if trajectory is None:
        return True
    last = last_day_that_matters(trajectory, policy, at_address=at_address)
    if last is None:
        return False
    # A signal may speak for days before its receipt, and may be corrected after it.
    slack = policy.intake.signal_age_days_max + policy.corrections.period_days
    return last < today - timedelta(days=slack)


def deliveries_are_over(signal: IntakeSignal, written_at: Millis, policy: Policy, now: Millis) -> bool:
    """Whether nothing can be the same signal again: the resend period is over, by its dates and since its write."""
    period = timedelta(days=policy.intake.resend_days)
    latest = max((delivery.received_at for delivery in signal.deliveries), default=0)
    return max(amsterdam_day(latest), amsterdam_day(written_at)) < amsterdam_day(now) - period


def last_day_that_matters(trajectory: Trajectory, policy: Policy, *, at_address: bool) -> date | None:
    """The last day on which the trajectory can change a route; None where there is no such day.

    At an address whoever lives there counts, also of a trajectory long over: a second person with the birth date of a
    signal makes it a match on address alone (domain 8.8).
    """
    ends: list[date | None] = [
        p.end for p in (*trajectory.services, *trajectory.monitoring, *trajectory.aftercare)
    ]
    for client in trajectory.clients:
        if client.deaths or any(objection.end is None for objection in client.objections):
            # Both stop whatever other trajectory of that person is found at the same key.
            return None
        ends += [objection.end for objection in client.objections]
        ends += _window_ends(client, policy)
        if at_address:
            ends += [stay.days.last for stay in client.identity.stays]
    if not ends or None in ends:
        return None
    return max(end for end in ends if end is not None)


def _window_ends(client: Client, policy: Policy) -> list[date | None]:
    return [None if p.end is None else add_months(p.end, policy.window.months) for p in client.running]
