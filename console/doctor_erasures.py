"""What `doctor` looks at of erasures: whether the database lacks any of the ledger's, as a restored backup does."""

from collections.abc import Collection, Iterator

from signaalwissel.console import erasure_ledger, key_service, runtime
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.findings import Finding, fine, listed, wrong
from signaalwissel.console.settings import Settings
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.processors.subject_ledger import LedgerEntry
from signaalwissel.sinks.access import Database
from signaalwissel.sinks.subject_restore import in_force, lacking

_CHECK = "erasures"


def check_erasures(settings: Settings, engine: Database) -> Iterator[Finding]:
    """Look for erasures of the ledger's file that the database lacks; nothing where there is no file."""
    file = settings.erasure_ledger
    if file is None or not file.exists():
        return
    try:
        policies, departed = runtime.policies(settings), runtime.departed(settings)
    except UsageFailure:
        # Told already, where files and database were looked at.
        return
    try:
        entries = erasure_ledger.read(file)
    except UsageFailure as failure:
        yield wrong(_CHECK, str(failure), "mend the file of SIGNAALWISSEL_ERASURE_LEDGER, or put back a copy")
        return
    missing = lacking(engine, in_force(engine, entries, policies))
    keyless = _keyless(settings, {entry.municipality for entry in missing})
    lost, left = keyless - departed, keyless & departed
    if stopped := _erasures(entry for entry in missing if entry.municipality in lost):
        yield wrong(
            _CHECK,
            f"the database lacks {stopped} of {listed(sorted(lost))}, of which there are no keys: no sink starts",
            "put the keys back from their own backup, then start the sink anew; name it in SIGNAALWISSEL_DEPARTED if it left"
            " and its keys are gone for good; see docs/operations.md, Erased residents",
        )
    if count := _erasures(entry for entry in missing if entry.municipality not in keyless):
        yield wrong(
            _CHECK,
            f"the database lacks {count} that {file} has, as a restored backup does",
            f"start the sink anew, or run `signaalwissel subject ledger apply {file}`",
        )
    if beyond := _erasures(entry for entry in missing if entry.municipality in left):
        yield wrong(
            _CHECK,
            f"{beyond} of {listed(sorted(left))} are not done in whole: it left and its keys are gone",
            "put its keys back from their own backup and run `signaalwissel subject ledger apply`; without them what is left"
            " goes when its period is over; see docs/operations.md, Erased residents",
        )
    if not missing:
        yield fine(_CHECK, "every erasure of the ledger is done in this database")


def _keyless(settings: Settings, codes: Collection[str]) -> set[str]:
    """The municipalities without keys; none where the keys cannot be looked at, which is told elsewhere."""
    if settings.every_municipality:
        # To ask for keys would make them.
        return set()
    try:
        keys = key_service.provider(settings)
        return {code for code in codes if not keys.knows(code)}
    except (UsageFailure, KeyUnavailable):
        return set()


def _erasures(entries: Iterator[LedgerEntry]) -> int:
    return len({entry.erasure_id for entry in entries})
