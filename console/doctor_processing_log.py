"""What `doctor` looks at in the processing log: whether lines reach their collector, and under whose entries."""

from collections.abc import Iterator

from signaalwissel.console import runtime
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.findings import Finding, fine, listed, wrong
from signaalwissel.console.settings import Settings
from signaalwissel.sinks.access import Database
from signaalwissel.sinks.processing_log import Backlog, waiting

_WAIT_MAX_S = 60.0


def check_processing_log(settings: Settings, engine: Database) -> Iterator[Finding]:
    """Look at what waits for its acknowledgement, and at the registers of processing activities."""
    try:
        yield _lines(settings, waiting(engine))
    except UsageFailure as failure:
        yield wrong("processing log", str(failure), "mend the setting that it names")
    try:
        policies = runtime.policies(settings)
    except UsageFailure:
        # Told already, by the check of the policies.
        return
    # A policy without a register of its own takes the built-in entries, which no municipality has in its register.
    unnamed = [code for code in policies if policies.register_of(code).built_in]
    if unnamed:
        yield wrong(
            "processing register",
            f"no register of processing activities: {listed(unnamed)}",
            "name it in privacy.processing_register of the policy; until then lines bear entries of the product's own",
        )
    else:
        yield fine("processing register", "every municipality with a policy names one that has every purpose")


def _lines(settings: Settings, found: Backlog) -> Finding:
    log = runtime.processing_log_settings(settings)
    text = f"{found.lines} lines wait, the oldest for {found.oldest_s:.0f} s"
    if log is None:
        if settings.every_municipality:
            return fine("processing log", f"stays in the database: {found.lines} lines")
        return wrong(
            "processing log",
            f"goes nowhere: {found.lines} lines stay in the database",
            "set SIGNAALWISSEL_PROCESSING_LOG_URL to the collector of the municipality's log",
        )
    if found.too_much(log):
        return wrong("processing log", f"{text}: sinks take in nothing more", "mend the way to the collector")
    if found.oldest_s > _WAIT_MAX_S:
        return wrong("processing log", text, "look at the log of the sink for what the collector says")
    return fine("processing log", text if found.lines else "every line is acknowledged")
