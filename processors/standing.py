"""What one trajectory is to one signal, for one client: a hit and why, or not and why (domain 8.1 - 8.6).

In: a trajectory, the client's position, the days that the signal speaks for, the policy. Out: a Standing, or None
where the trajectory did not exist yet. Dates only; no clock.
"""

from datetime import date
from typing import Final, NamedTuple

from signaalwissel.processors.amsterdam import add_months
from signaalwissel.processors.periods import Days, Period, earlier, later, meet
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.trajectory import Client, Trajectory
from signaalwissel.schemas.routing import DebtTiming, TrajectoryStanding, TrueReason

HITS: Final = (
    TrueReason.RUNNING_TRAJECTORY,
    TrueReason.OPEN_AFTERCARE,
    TrueReason.OPEN_SERVICE,
    TrueReason.COMPLETED_WITHIN_WINDOW,
)
"""The reasons that lead to the counsellor, strongest first (domain 8.6)."""

_PRECEDENCE: Final = (
    *HITS,
    TrueReason.COMPLETED_OUTSIDE_WINDOW,
    TrueReason.EXIT_NOT_COMPLETED,
    TrueReason.ADMISSION_REFUSED,
)
_RUNNING: Final = (TrueReason.RUNNING_TRAJECTORY, TrajectoryStanding.RUNNING)
_AFTERCARE: Final = (TrueReason.OPEN_AFTERCARE, TrajectoryStanding.AFTERCARE)
_MONITORING: Final = (TrueReason.OPEN_SERVICE, TrajectoryStanding.MONITORING)
_SERVICE: Final = (TrueReason.OPEN_SERVICE, TrajectoryStanding.SERVICE_OPEN)
_WITHIN_WINDOW: Final = TrueReason.COMPLETED_WITHIN_WINDOW
_OUTSIDE_WINDOW: Final = TrueReason.COMPLETED_OUTSIDE_WINDOW
_NOT_COMPLETED: Final = TrueReason.EXIT_NOT_COMPLETED
_REFUSED: Final = TrueReason.ADMISSION_REFUSED
_IN_WINDOW: Final = TrajectoryStanding.WINDOW
_RANK: Final = {reason: -rank for rank, reason in enumerate(_PRECEDENCE)}


class Standing(NamedTuple):
    """What a trajectory is to a signal."""

    reason: TrueReason
    trajectory: Trajectory
    client: int
    state: TrajectoryStanding | None
    exited_on: date | None
    window_ends_on: date | None

    @property
    def is_hit(self) -> bool:
        """Whether it leads to the counsellor."""
        return self.reason in HITS

    @property
    def preference(self) -> tuple[int, date, str]:
        """Greater is better: the order of reasons, then the latest start, then the highest id (domain 8.6)."""
        started_on = self.trajectory.clients[self.client].running[0].begin
        return _RANK[self.reason], started_on, self.trajectory.trajectory_id


def standing(trajectory: Trajectory, position: int, days: Days, policy: Policy) -> Standing | None:
    """What the trajectory is to a signal that speaks for `days`, for the client at `position`."""
    client = trajectory.clients[position]
    exit_ = _exit_that_counts(client, days)
    window_ends_on = _window_ends_on(exit_, policy)
    reason, state = _open_on(trajectory, client, days)
    if reason is None:
        reason = _after_exit(client, exit_, window_ends_on, days)
        state = _IN_WINDOW if reason is _WITHIN_WINDOW else None
    if reason is None:
        return None
    exited_on = exit_.end if exit_ is not None else None
    return Standing(reason, trajectory, position, state, exited_on, window_ends_on)


def debt_timing(found: Standing, arrears_since: date | None) -> DebtTiming:
    """Whether the arrears began before admission, after it, or after the exit (domain 8.19)."""
    if arrears_since is None:
        return DebtTiming.UNKNOWN
    running = found.trajectory.clients[found.client].running
    that_day = Days(arrears_since, arrears_since)
    ran_then = any(period.before_end().meet(that_day) for period in running)
    if found.exited_on is not None and arrears_since >= found.exited_on and not ran_then:
        return DebtTiming.AFTER_EXIT
    admitted_on = found.trajectory.admitted_on
    if admitted_on is None:
        return DebtTiming.UNKNOWN
    # The day of admission itself counts as after it: the settlement is drawn up from then on.
    return DebtTiming.BEFORE_ADMISSION if arrears_since < admitted_on else DebtTiming.AFTER_ADMISSION


def _open_on(
    trajectory: Trajectory, client: Client, days: Days
) -> tuple[TrueReason, TrajectoryStanding] | tuple[None, None]:
    """Running, open aftercare and an open service, in that order, on any of the signal's days."""
    if any(_met(client, period.before_end(), days) for period in client.running):
        return _RUNNING
    if _any_open(client, trajectory.aftercare, days):
        # The deck counts open aftercare as a hit however old the exit is (domain 8.3).
        return _AFTERCARE
    if _any_open(client, trajectory.monitoring, days):
        # Monitoring ('volgen') counts as an open service (domain 8.3).
        return _MONITORING
    if _any_open(client, trajectory.services, days):
        return _SERVICE
    return None, None


def _after_exit(
    client: Client, exit_: Period | None, window_ends_on: date | None, days: Days
) -> TrueReason | None:
    if exit_ is None:
        return _NOT_COMPLETED if _left_after_running(client, days) else None
    if window_ends_on is not None:
        # The window is tested on the first day that the signal speaks for (domain 8.2).
        inside = days.first is not None and days.first <= window_ends_on
        return _WITHIN_WINDOW if inside else _OUTSIDE_WINDOW
    return _REFUSED if exit_.exit_reason is None else _NOT_COMPLETED


def _exit_that_counts(client: Client, days: Days) -> Period | None:
    """The last exit on or before the day of receipt, of those while he was a client (domain 8.5)."""
    counting: Period | None = None
    if days.last is None:
        return counting
    latest = date.min
    for period in client.running:
        end = period.end
        # Of two that end on one day the later period counts.
        if end is not None and latest <= end <= days.last and _was_client(client, end):
            counting, latest = period, end
    return counting


def _window_ends_on(exit_: Period | None, policy: Policy) -> date | None:
    if exit_ is None or exit_.end is None or exit_.exit_reason not in policy.window.reasons_that_count:
        return None
    return add_months(exit_.end, policy.window.months)


def _left_after_running(client: Client, days: Days) -> bool:
    """Whether he ran with the trajectory, on or before the day of receipt, and was then left out of it."""
    until_receipt = Days(None, days.last)
    return any(_met(client, period.before_end(), until_receipt) for period in client.running)


def _any_open(client: Client, periods: tuple[Period, ...], days: Days) -> bool:
    return any(_met(client, period.through_end(), days) for period in periods)


def _met(client: Client, stretch: Days, days: Days) -> bool:
    """Whether the two meet on a day on which he was a client."""
    first, last = later(stretch.first, days.first), earlier(stretch.last, days.last)
    if first is not None and last is not None and first > last:
        return False
    return any(meet(member.first, member.last, first, last) for member in client.identity.member)


def _was_client(client: Client, day: date) -> bool:
    return any(meet(member.first, member.last, day, day) for member in client.identity.member)
