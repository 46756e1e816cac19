"""When data is over: how long each kind is kept, from which day on, and what stays of a trajectory (design 7).

In: a policy, days, a trajectory's facts. Out: the last day that is kept, or the last day that is over. Dates in
Amsterdam only; no clock. The period runs in calendar months from the last day of what it is about, and that day next
`months` later is still kept: at its midnight it is over.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from signaalwissel.processors.amsterdam import add_months, amsterdam_day
from signaalwissel.processors.explanations import explain
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.policy_sections import RetentionPeriod
from signaalwissel.processors.trajectory import Trajectory, fold
from signaalwissel.schemas.internal import Fact, TrajectoryState
from signaalwissel.schemas.routing import Decision, Route, TrueReason
from signaalwissel.schemas.units import Millis

SENT_KEPT_DAYS = 30
"""Days that what was sent stays in the outbox: as long as its topic holds it (design 2)."""
TOMBSTONE_MARGIN_DAYS = 90
"""Days beyond the correction period that a tombstone stays: three times what a topic holds its records."""

_DAY = timedelta(days=1)
_DAYS_PER_SHORTEST_MONTH = 28
_OVER_ALREADY = date(1900, 1, 1)


class DataKind(StrEnum):
    """A kind of data that is destroyed by itself."""

    TRAJECTORY = "TRAJECTORY"
    TRAJECTORY_OF_ENTREPRENEUR = "TRAJECTORY_OF_ENTREPRENEUR"
    SIGNAL = "SIGNAL"
    TASK_SIGNAL = "TASK_SIGNAL"
    VERIFICATION = "VERIFICATION"
    FEEDBACK = "FEEDBACK"
    COMMAND = "COMMAND"
    DEAD_LETTER = "DEAD_LETTER"
    DAY_KEY = "DAY_KEY"
    OUTBOX = "OUTBOX"
    POLICY = "POLICY"
    REQUEST = "REQUEST"
    ERASURE = "ERASURE"
    OBJECTION = "OBJECTION"
    TOMBSTONE = "TOMBSTONE"
    AUDIT_EVENT = "AUDIT_EVENT"
    AUDIT_BLOCK = "AUDIT_BLOCK"
    PROCESSING_LOG = "PROCESSING_LOG"


_OF_NO_POLICY = {
    DataKind.OUTBOX,
    DataKind.TOMBSTONE,
    DataKind.AUDIT_EVENT,
    DataKind.AUDIT_BLOCK,
    DataKind.PROCESSING_LOG,
}


def longest_months(policies: Iterable[Policy]) -> int:
    """How long the audit trail is kept: as long as anything that it accounts for may be, by any of the policies."""
    sections = [policy.retention for policy in policies]
    periods = [
        *(one.signal for one in sections),
        *(one.trajectory for one in sections),
        *(one.trajectory_of_entrepreneur for one in sections),
        *(one.request for one in sections),
        *(one.erasure for one in sections),
        *(one.objection for one in sections),
    ]
    return max(period.months for period in periods)


def audit_kept_days(policies: Iterable[Policy]) -> int:
    """Days for which no retention takes the audit trail away, whatever the months: as many as so many months have at least."""
    return longest_months(policies) * _DAYS_PER_SHORTEST_MONTH


class Lapse(NamedTuple):
    """From when the period of a trajectory counts; `ended_on` None while something of it runs or is open."""

    ended_on: date | None
    entrepreneur: bool


def last_day_over(today: date, months: int) -> date:
    """The last day whose data is over today, where it is kept for `months` calendar months."""
    day = add_months(today, -months)
    # Clamped to the end of a shorter month, or the day itself: one of the two.
    return day if add_months(day, months) < today else day - _DAY


def period_of(kind: DataKind, policy: Policy) -> RetentionPeriod | None:
    """Period and justification of a kind; None where no policy decides."""
    if kind is DataKind.TRAJECTORY:
        return policy.retention.trajectory
    if kind is DataKind.TRAJECTORY_OF_ENTREPRENEUR:
        return policy.retention.trajectory_of_entrepreneur
    if kind in _OF_NO_POLICY:
        return None
    by_kind = {
        DataKind.REQUEST: policy.retention.request,
        DataKind.ERASURE: policy.retention.erasure,
        DataKind.OBJECTION: policy.retention.objection,
    }
    return by_kind.get(kind, policy.retention.signal)


def ledger_entry_over(erased_at: Millis, today: date, policy: Policy) -> bool:
    """Whether an entry of the erasure ledger is over: no backup from before that erasure may be there any more."""
    return amsterdam_day(erased_at) <= last_day_over(today, policy.retention.erasure.months)


def lapse_of(state: TrajectoryState) -> Lapse:
    """From when the period of a trajectory counts: the last day of whatever lasted, of its last client."""
    if state.erased or not state.facts:
        return Lapse(_OVER_ALREADY, entrepreneur=False)
    trajectory = fold(state.trajectory_id, state.facts)
    if trajectory is None:
        # Withdrawn in error: nothing lasted, and what is left counts from the day on which that was told.
        return Lapse(amsterdam_day(max(fact.recorded_at for fact in state.facts)), _entrepreneur(state.facts))
    return Lapse(_ended_on(trajectory), _entrepreneur(state.facts))


def without_destroyed(decision: Decision, gone: Collection[str]) -> Decision:
    """A decision as it reads without trajectories that were destroyed; the same one where it names none.

    Args:
        decision: What the matcher said before it knew.
        gone: Ids of its municipality's trajectories that are destroyed.
    """
    candidates = tuple(one for one in decision.candidates if one.trajectory_id not in gone)
    if decision.trajectory_id not in gone:
        return decision if candidates == decision.candidates else decision._replace(candidates=candidates)
    # What the matcher itself says as soon as it has heard of the destruction.
    return decision._replace(
        route=Route.REGULAR_FLOW,
        reason=TrueReason.NO_TRAJECTORY,
        explanation=explain(TrueReason.NO_TRAJECTORY),
        trajectory_id=None,
        trajectory_state=None,
        client=None,
        counsellor=None,
        team=None,
        window_ends_on=None,
        debt_timing=None,
        matched_by=None,
        evidence=None,
        candidates=candidates,
    )


def trajectories_named(decision: Decision) -> Iterator[str]:
    """Ids of the trajectories that a decision names."""
    if decision.trajectory_id is not None:
        yield decision.trajectory_id
    for candidate in decision.candidates:
        yield candidate.trajectory_id


def _ended_on(trajectory: Trajectory) -> date | None:
    deaths = [client.deaths for client in trajectory.clients]
    if deaths and all(deaths):
        # Nobody is left whom an open service could serve.
        return max(max(days) for days in deaths)
    lasting = [
        *(period for client in trajectory.clients for period in client.running),
        *trajectory.services,
        *trajectory.monitoring,
        *trajectory.aftercare,
    ]
    ends = [period.end for period in lasting if period.end is not None]
    return max(ends) if ends and len(ends) == len(lasting) else None


def _entrepreneur(facts: tuple[Fact, ...]) -> bool:
    said = [fact.entrepreneur for fact in facts if fact.entrepreneur is not None]
    return bool(said) and said[-1]
