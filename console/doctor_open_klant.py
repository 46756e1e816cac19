"""What `doctor` looks at in Open Klant: whether it answers, takes the token, and has what was handed over."""

import threading
from collections.abc import Iterator

from signaalwissel.console import runtime
from signaalwissel.console.connections import database
from signaalwissel.console.failures import ServiceAway, UsageFailure
from signaalwissel.console.findings import Finding, away, fine, wrong
from signaalwissel.console.settings import Settings
from signaalwissel.sinks.open_klant import OpenKlant
from signaalwissel.sinks.open_klant_health import OpenKlantHealth, open_klant_health
from signaalwissel.sinks.open_klant_http import OpenKlantAway, OpenKlantFailure, Requests
from signaalwissel.sinks.open_klant_settings import OpenKlantSettings

_CHECK = "open klant"
_HANDOVER = "open klant hand-over"


def check_open_klant(settings: Settings) -> Iterator[Finding]:
    """Look at Open Klant and at the hand-over; nothing where it is not set."""
    if settings.open_klant_url is None:
        return
    try:
        found = runtime.open_klant_settings(settings)
    except UsageFailure as failure:
        yield wrong(
            _CHECK, str(failure), "mend SIGNAALWISSEL_OPEN_KLANT_*; until then the sink does not start"
        )
        return
    if found is not None:
        yield _service(found)
    yield from _stored(settings)


def _service(settings: OpenKlantSettings) -> Finding:
    try:
        with Requests(settings, threading.Event()) as requests:
            OpenKlant(requests, settings).check()
    except OpenKlantAway as error:
        fix = "start Open Klant, or mend SIGNAALWISSEL_OPEN_KLANT_URL; the sink goes on without it"
        return away(_CHECK, str(error), fix)
    except OpenKlantFailure as error:
        return wrong(_CHECK, str(error), "mend SIGNAALWISSEL_OPEN_KLANT_TOKEN, then start the sink again")
    return fine(_CHECK, "answers and takes the token")


def _stored(settings: Settings) -> Iterator[Finding]:
    if settings.database_url is None:
        return
    try:
        with database(settings) as engine:
            yield _handover(open_klant_health(engine))
    except (ServiceAway, UsageFailure):
        # Told by the look at PostgreSQL.
        return


def _handover(found: OpenKlantHealth) -> Finding:
    counts = ", ".join(f"{count} {status}" for status, count in sorted(found.handovers.items()))
    if not found.failing:
        return fine(_HANDOVER, counts or "nothing was handed over yet")
    return wrong(
        _HANDOVER,
        f"{found.failing} tasks wait, the first for {found.failing_s:.0f} s; the latest failure: {found.last_error}",
        "mend what it names; the hand-over goes on by itself, and deadlines run meanwhile",
    )
