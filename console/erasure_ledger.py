"""The erasure ledger as a file: kept beside the database, and applied to one that was restored from a backup.

Flows in: entries, or the file that SIGNAALWISSEL_ERASURE_LEDGER names. Flows out: lines on disk before an erasure is
done, and erasures done again before a sink reads anything.
"""

import json
import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from signaalwissel.console import runtime
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.console.settings import Settings
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.processors.subject_ledger import LedgerEntry, entry_from
from signaalwissel.sinks.database import database_away, migrate, open_engine
from signaalwissel.sinks.patience import Patience
from signaalwissel.sinks.settings import SinkSettings
from signaalwissel.sinks.subject_restore import Reapplied, erase_again, in_force, lacking

log = logging.getLogger(__name__)


def append(file: Path | None, entries: Sequence[LedgerEntry]) -> None:
    """Write entries behind what is there, and return when they are on disk.

    Raises:
        UsageFailure: They cannot be written: nothing may be erased then.
    """
    if file is None or not entries:
        return
    text = "".join(dump(entry.as_plain()) + "\n" for entry in entries)
    try:
        with file.open("a", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        raise UsageFailure(f"{file}: the erasure ledger cannot be written: {error.strerror}") from error


def read(file: Path) -> list[LedgerEntry]:
    """The entries of a file.

    Raises:
        UsageFailure: It cannot be read, or a line is no entry. A last line without its end is one that a crash cut
            off before anything was erased: it is left out.
    """
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise UsageFailure(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageFailure(f"{file}: is not UTF-8") from error
    whole = text[: text.rfind("\n") + 1]
    return [_entry(line, f"{file}:{n}") for n, line in enumerate(whole.splitlines(), start=1) if line.strip()]


def tell_out_of_reach(done: Reapplied) -> None:
    """Log which erasures are not done in whole, as their municipality left and its keys are gone."""
    for municipality, count in sorted(done.out_of_reach.items()):
        log.warning(
            "municipality %s left and has no keys: of %d erasures that this database lacks something may be left "
            "that nobody can find without its keys; see docs/operations.md, Erased residents",
            municipality, count,
        )  # fmt: skip


def forget_again(settings: Settings, chosen: SinkSettings, keys: KeyProvider) -> None:
    """Before a sink starts: do again whatever erasures its database lacks by the ledger's file.

    Raises:
        UsageFailure: The file is set and cannot be read.
        SinkError: Database or Kafka stayed away, or Kafka refuses.
        KeyUnavailable: A key of a municipality that did not leave cannot be had.
    """
    file = settings.erasure_ledger
    if file is None or not file.exists():
        # The first erasure makes it.
        return
    entries = read(file)
    policies = runtime.policies(settings)

    def once() -> bool:
        migrate(chosen.database_url)
        engine = open_engine(chosen.database_url, name="signaalwissel-ledger")
        with database_away():
            valid = in_force(engine, entries, policies)
            if lacking(engine, valid):
                done = erase_again(engine, valid, keys, chosen, policies)
                if done.erasures:
                    log.warning(
                        "the database was behind the erasure ledger %s, as a restored backup is: %d erasures done again, "
                        "%d signals, %d trajectories and %d dead letters erased",
                        file, done.erasures, done.signals, done.trajectories, done.dead_letters,
                    )  # fmt: skip
                tell_out_of_reach(done)
        return True

    Patience(chosen.retry_s, "the erasure ledger").keep_trying(once, threading.Event())


def _entry(line: str, where: str) -> LedgerEntry:
    try:
        return entry_from(json.loads(line))
    except json.JSONDecodeError as error:
        raise UsageFailure(f"{where}: is not JSON; `subject ledger export` writes such files") from error
    except ValueError as error:
        raise UsageFailure(f"{where}: {error}; `subject ledger export` writes such files") from error
