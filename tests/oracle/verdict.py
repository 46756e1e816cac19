"""One client of one trajectory against one signal: what it is to it, and why (domain 8.1 to 8.5, 8.19)."""

from dataclasses import dataclass
from datetime import date

from tests.oracle.calendar import months_after
from tests.oracle.model import HITS, MISSES, Period, Signal
from tests.oracle.timeline import Client, Trajectory

COMPLETED_REASONS = ("COMPLETED",)
ORDER = HITS + MISSES


@dataclass(frozen=True)
class Finding:
    """What one client's part in one trajectory is to the signal; no reason: to this signal it does not exist."""

    trajectory: Trajectory
    position: int
    reason: str | None
    exit: Period | None

    @property
    def client(self) -> Client:
        return self.trajectory.clients[self.position]

    @property
    def is_hit(self) -> bool:
        return self.reason in HITS

    @property
    def window_ends_on(self) -> date | None:
        if self.exit is None or self.exit.end is None or self.exit.reason not in COMPLETED_REASONS:
            return None
        return months_after(self.exit.end)


def is_member(client: Client, day: date) -> bool:
    return any(period.through(day) for period in client.member)


def is_running(client: Client, day: date) -> bool:
    return is_member(client, day) and any(period.until(day) for period in client.running)


def find(trajectory: Trajectory, position: int, signal: Signal) -> Finding:
    """Tries the reasons in the order of precedence, each on every day that the signal speaks for."""
    client = trajectory.clients[position]
    days = [day for day in signal.days if is_member(client, day)]
    counting_exit = _exit_that_counts(client, signal.last_day)

    def finding(reason: str | None) -> Finding:
        return Finding(trajectory, position, reason, counting_exit)

    if any(period.until(day) for period in client.running for day in days):
        return finding("RUNNING_TRAJECTORY")
    if _open_on_any(trajectory.aftercare, days):
        return finding("OPEN_AFTERCARE")
    services = [period for periods in trajectory.services.values() for period in periods]
    if _open_on_any(services + trajectory.monitoring, days):
        return finding("OPEN_SERVICE")
    if counting_exit is None:
        return finding("EXIT_NOT_COMPLETED" if _left_after_running(client, signal.last_day) else None)
    if counting_exit.reason == "REFUSED":
        return finding("ADMISSION_REFUSED")
    window = Finding(trajectory, position, None, counting_exit).window_ends_on
    if window is None:
        return finding("EXIT_NOT_COMPLETED")
    return finding(
        "COMPLETED_WITHIN_WINDOW" if signal.reference_date <= window else "COMPLETED_OUTSIDE_WINDOW"
    )


def best(findings: list[Finding]) -> Finding | None:
    """By reason, then the latest application, then the highest number; None when no trajectory exists for it."""
    existing = [finding for finding in findings if finding.reason is not None]
    existing.sort(key=lambda f: f.position)
    existing.sort(key=_latest_application, reverse=True)
    existing.sort(key=lambda f: ORDER.index(f.reason or ""))
    return existing[0] if existing else None


def latest(findings: list[Finding]) -> Finding:
    """Of findings with one reason the one with the latest application, then the highest number."""
    return max(sorted(findings, key=lambda f: -f.position), key=_latest_application)


def died(client: Client, last_day: date) -> bool:
    """Whether he died on or before the last day; a death needs no membership."""
    return any(p.reason == "DECEASED" and p.end is not None and p.end <= last_day for p in client.running)


def objects(client: Client, last_day: date) -> bool:
    return any(period.until(last_day) for period in client.objections)


def standing(finding: Finding, signal: Signal) -> str | None:
    """What the trajectory is to a signal that hits (`trajectory_state`)."""
    if finding.reason == "OPEN_SERVICE":
        days = [day for day in signal.days if is_member(finding.client, day)]
        return "MONITORING" if _open_on_any(finding.trajectory.monitoring, days) else "SERVICE_OPEN"
    return {
        "RUNNING_TRAJECTORY": "RUNNING",
        "OPEN_AFTERCARE": "AFTERCARE",
        "COMPLETED_WITHIN_WINDOW": "WINDOW",
    }.get(finding.reason or "")


def debt_timing(finding: Finding, signal: Signal) -> str:
    since, admitted_on = signal.record["arrears_since"], finding.trajectory.admitted_on
    if since is None:
        return "UNKNOWN"
    after_exit = finding.exit is not None and finding.exit.end is not None and since >= finding.exit.end
    if after_exit and not is_running(finding.client, since):
        return "AFTER_EXIT"
    if admitted_on is None:
        return "UNKNOWN"
    return "BEFORE_ADMISSION" if since < admitted_on else "AFTER_ADMISSION"


def _open_on_any(periods: list[Period], days: list[date]) -> bool:
    return any(period.through(day) for period in periods for day in days)


def _exit_that_counts(client: Client, last_day: date) -> Period | None:
    """The latest end on or before the last day on which he still took part; of two on one day the later period's."""
    counting: Period | None = None
    for period in client.running:
        if period.end is None or period.end > last_day or not is_member(client, period.end):
            continue
        if counting is None or counting.end is None or period.end >= counting.end:
            counting = period
    return counting


def _left_after_running(client: Client, last_day: date) -> bool:
    left = [period for period in client.member if period.end is not None and period.end <= last_day]
    return bool(left) and any(_ran_while_member(client, running, last_day) for running in client.running)


def _ran_while_member(client: Client, running: Period, last_day: date) -> bool:
    """Whether there is a day, up to the last one, on which the period ran and he took part."""
    assert running.begin is not None
    for member in client.member:
        first = max(running.begin, member.begin or running.begin)
        if first <= last_day and running.until(first) and member.through(first):
            return True
    return False


def _latest_application(finding: Finding) -> tuple[date, str]:
    begins = [period.begin for period in finding.client.running if period.begin is not None]
    return (begins[0] if begins else date.min), finding.trajectory.id
