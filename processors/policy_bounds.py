"""Retention periods that rules still need: refused when a policy file is read, as data would go while it is in use.

In: sections of a policy. Out: what contradicts, each with the names of the settings. Not part of the policy itself:
one that was archived by an earlier release must stay readable.
"""

from collections.abc import Iterator

from signaalwissel.processors.policy_sections import Corrections, Intake, Repeats, Retention, Window

TOPIC_RETENTION_DAYS = 30
"""How long the topics keep a record (design 2)."""

_DAYS_PER_LONGEST_MONTH = 31
_DAYS_PER_SHORTEST_MONTH = 28


def signal_faults(
    retention: Retention, corrections: Corrections, intake: Intake, repeats: Repeats
) -> Iterator[str]:
    """What needs a signal, or the key of its day, longer than it is kept."""
    months = retention.signal.months
    needs = {
        f"corrections.period_days + {TOPIC_RETENTION_DAYS} days that the topics keep a record": (
            corrections.period_days + TOPIC_RETENTION_DAYS
        ),
        # What waits for its application is sealed under the key of the day on which it came.
        f"intake.orphan_days = {intake.orphan_days}": intake.orphan_days,
        f"repeats.period_days = {repeats.period_days}": repeats.period_days,
    }
    for what, days in needs.items():
        if months * _DAYS_PER_LONGEST_MONTH < days:
            yield f"retention.signal.months = {months} is shorter than {what}"


def trajectory_faults(
    retention: Retention, corrections: Corrections, intake: Intake, window: Window
) -> Iterator[str]:
    """Whether a trajectory goes while a signal may still be tested against it, and corrected."""
    slack = intake.signal_age_days_max + corrections.period_days + TOPIC_RETENTION_DAYS
    for name in ("trajectory", "trajectory_of_entrepreneur"):
        months: int = getattr(retention, name).months
        if (months - window.months) * _DAYS_PER_SHORTEST_MONTH < slack:
            yield (
                f"retention.{name}.months = {months} is shorter than window.months = {window.months} and the {slack} "
                "days after it in which a signal may come and be corrected"
            )


def rights_faults(retention: Retention, corrections: Corrections) -> Iterator[str]:
    """Whether an erasure is forgotten while data from before it may lie in a backup, or an objection while it works on.

    No backup need hold more than what was kept on its day, so none need outlive the longest period.
    """
    longest = max(
        retention.trajectory.months, retention.trajectory_of_entrepreneur.months, retention.signal.months
    )
    if retention.erasure.months < longest:
        yield (
            f"retention.erasure.months = {retention.erasure.months} is shorter than the longest other period, "
            f"{longest} months: a backup of that age would bring back who was erased"
        )
    needed = corrections.period_days + TOPIC_RETENTION_DAYS
    if retention.objection.months * _DAYS_PER_LONGEST_MONTH < needed:
        yield (
            f"retention.objection.months = {retention.objection.months} is shorter than corrections.period_days + "
            f"{TOPIC_RETENTION_DAYS} days in which a signal from before the withdrawal may be corrected"
        )
