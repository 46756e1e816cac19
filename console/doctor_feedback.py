"""What `doctor` looks at in the feedback to partners: whether it can go out, and what waits."""

from collections.abc import Iterator

from signaalwissel.console import runtime
from signaalwissel.console.connections import database
from signaalwissel.console.failures import ServiceAway, UsageFailure
from signaalwissel.console.findings import Finding, fine, wrong
from signaalwissel.console.settings import Settings
from signaalwissel.sinks import feedback_store

_CHECK = "feedback to partners"


def check_feedback(settings: Settings) -> Iterator[Finding]:
    """Look at the channels of the policies and at what waits; nothing where no policy names one."""
    try:
        found = runtime.feedback_settings(settings)
    except UsageFailure as failure:
        yield wrong(_CHECK, str(failure), "mend what it names; until then the sink does not start")
        return
    if found is None or settings.database_url is None:
        return
    try:
        with database(settings) as engine, engine.connect() as connection:
            standing = feedback_store.standing(connection)
    except (ServiceAway, UsageFailure):
        # Told by the look at PostgreSQL.
        return
    if standing.failing:
        yield wrong(
            _CHECK,
            f"{standing.waiting} messages wait, {standing.failing} of them failed; the first: {standing.last_error}",
            "ask the partner, or mend what it names; it is tried again by itself",
        )
    else:
        yield fine(_CHECK, f"{standing.waiting} messages wait")
