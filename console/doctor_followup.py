"""What `doctor` looks at in the follow-up: whether deadlines run, and whether any hit fell out."""

from collections.abc import Iterator

from signaalwissel.console.findings import Finding, fine, listed, wrong
from signaalwissel.console.settings import Settings
from signaalwissel.sinks.access import Database
from signaalwissel.sinks.followup_findings import FollowUpFinding, follow_up_findings, waiting_for_the_clock


def check_follow_up(settings: Settings, engine: Database) -> Iterator[Finding]:
    """Look at the clock, and at every hit and running task."""
    yield _clock(settings, engine)
    found = follow_up_findings(engine)
    if found:
        yield wrong("follow-up", listed([_told(one) for one in found]), "report it: this is a defect of ours")
    else:
        yield fine("follow-up", "every hit has a task, every running task an owner and a next day")


def _clock(settings: Settings, engine: Database) -> Finding:
    if settings.clock == "off":
        return wrong(
            "clock",
            "is off: no reminder, deadline or monthly contact runs",
            "set SIGNAALWISSEL_CLOCK=database and start the sink again, unless old records are replayed",
        )
    waiting = waiting_for_the_clock(engine)
    if not waiting.count:
        return fine("clock", "nothing waits from an earlier day")
    return wrong(
        "clock",
        f"{waiting.count} tasks and trajectories wait from an earlier day",
        "look at the log of the sink, or start it: it catches up",
    )


def _told(finding: FollowUpFinding) -> str:
    about = finding.routing_id or finding.task_id
    return f"{finding.fault} {finding.municipality}/{finding.trajectory_id}: {about}"
