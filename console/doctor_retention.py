"""What `doctor` looks at in retention: whether it runs, and whether anything outlived its period."""

from collections.abc import Iterator

from signaalwissel.console import runtime
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.findings import Finding, fine, listed, wrong
from signaalwissel.console.settings import Settings
from signaalwissel.sinks.access import Database
from signaalwissel.sinks.retention_report import Asked, Overdue, overdue
from signaalwissel.sinks.settings import SinkSettings

_CHECK = "retention"


def check_retention(settings: Settings, engine: Database) -> Iterator[Finding]:
    """Look for what should have been destroyed before today."""
    try:
        policies = runtime.policies(settings)
    except UsageFailure:
        # Told already, where the files were looked at.
        return
    if settings.retention == "off" and not settings.every_municipality:
        yield wrong(
            _CHECK,
            "is off: nothing is destroyed by itself",
            "set SIGNAALWISSEL_RETENTION=on and start the sink again, or run `signaalwissel retention run` daily",
        )
    if settings.every_municipality:
        # For trying out: what is generated is old.
        return
    database_only = SinkSettings(bootstrap="", database_url="")
    found = overdue(engine, Asked(database_only, policies))
    if found:
        yield wrong(
            _CHECK,
            f"outlived its period: {listed([_told(one) for one in found])}",
            "look at the log of the sink, start it, or run `signaalwissel retention run`",
        )
    else:
        yield fine(_CHECK, "nothing outlived its period")


def _told(one: Overdue) -> str:
    count = "" if one.number is None else f" ({one.number})"
    return f"{one.municipality or '-'} {one.what}{count}"
