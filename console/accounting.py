"""What a person does with a resident's data, on record before it happens (design 7).

Flows in: what is about to be done. Flows out: a line of the processing log that its collector acknowledged, and an
event in the audit trail; then, and only then, it may be done. Fail-closed: without an acknowledgement it is refused.
"""

import copy
import getpass
import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from signaalwissel.console import runtime
from signaalwissel.console.connections import database
from signaalwissel.console.failures import CommandFailure, Exit, ServiceAway, UsageFailure
from signaalwissel.console.settings import Settings
from signaalwissel.processors.processing_lines import Line, Subject, page_of
from signaalwissel.processors.processing_register import Purpose, Register, UnknownPurpose
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.sinks.access import Database
from signaalwissel.sinks.ledger import CONSOLE, Event, EventKind, Ledger
from signaalwissel.sinks.processing_log_http import Collector, NotAcknowledged
from signaalwissel.sinks.processing_log_settings import ProcessingLogUnusable
from signaalwissel.streams.clock import now_ms

log = logging.getLogger(__name__)


class Refused(CommandFailure):
    """It has no entry in the register of processing activities, so it is not done."""

    exit_code = Exit.FINDINGS


class Done(NamedTuple):
    """What is about to be done with a resident's data.

    Attributes:
        about: Ids of what it is done to, never a person's data.
        trace_id: That of the signal or record that it is about.
        subject: Whose data, where that is known before.
    """

    purpose: Purpose
    kind: EventKind
    about: str
    municipality: str | None
    trace_id: bytes
    subject: Subject | None


class Accounting:
    """Puts on record what a command does.

    Args:
        settings: Where collector and database are, and what to do without an acknowledgement.
        statement_s: How long the database may take over one statement; None for as long as it wants.
    """

    def __init__(self, settings: Settings, statement_s: float | None = None) -> None:
        self._settings = settings
        self._statement_s = statement_s
        self._log = runtime.processing_log_settings(settings)
        self._fail_open = settings.processing_log_fail == "open"
        self._policies = runtime.policies(settings)
        self._actor: str | None = None

    def of(self, actor_id: str) -> "Accounting":
        """The same, for what somebody does who logged in; without it the user of the system did it."""
        other = copy.copy(self)
        other._actor = actor_id  # noqa: SLF001 a copy of ourselves
        return other

    def account(self, done: Done) -> None:
        """Return when it is on record; what it is about may happen then.

        Raises:
            ServiceAway: Collector or database does not acknowledge it.
            Refused: Its purpose is not in the municipality's register.
            UsageFailure: Neither is set.
        """
        self.account_all([done])

    def account_all(self, every: Sequence[Done]) -> None:
        """Return when all of it is on record, a line for each; raises what `account` does, and then none may happen."""
        # Each time is a processing of its own.
        lines = [
            Line(
                done.purpose,
                done.municipality or "",
                f"{done.about}:{fresh_nonce().hex()}",
                done.trace_id,
                done.subject,
                now_ms(),
            )
            for done in every
        ]
        if not lines:
            return
        acknowledged = self._send(lines)
        if self._settings.database_url is not None:
            self._store(every, lines, acknowledged=acknowledged)
        elif not acknowledged:
            for done in every:
                self._unrecorded(done)

    def _send(self, lines: Sequence[Line]) -> bool:
        try:
            request = page_of(lines, self._register_of, now_ms(), runtime.product_version())
            if self._log is None:
                return False
            with Collector(self._log) as collector:
                collector.send(request)
        except UnknownPurpose as error:
            raise Refused(f"municipality {lines[0].municipality}: {error}; nothing is done") from error
        except ProcessingLogUnusable as error:
            raise UsageFailure(f"SIGNAALWISSEL_{error}") from error
        except NotAcknowledged as error:
            if not self._fail_open:
                raise ServiceAway(f"{error}; without its acknowledgement nothing is done") from error
            log.warning("%s; goes on, as PROCESSING_LOG_FAIL is open", error)
            return False
        return True

    def _store(self, every: Sequence[Done], lines: Sequence[Line], *, acknowledged: bool) -> None:
        ledger = Ledger(CONSOLE, self._register_of)
        for done in every:
            ledger.event(_event(done, self._actor or actor()))
        ledger.lines(lines)
        if acknowledged:
            ledger.acknowledged()
        # Without a collector the database is the log, and its commit the acknowledgement.
        with database(self._settings, self._statement_s) as engine, engine.begin() as connection:
            ledger.store(connection)

    def _unrecorded(self, done: Done) -> None:
        if not self._fail_open:
            raise UsageFailure(
                f"{done.about}: is not opened, as nothing would record it: set SIGNAALWISSEL_PROCESSING_LOG_URL or "
                "SIGNAALWISSEL_DATABASE_URL"
            )
        log.warning("%s of %s stands in this log alone", done.purpose, done.about)

    def _register_of(self, municipality: str) -> Register:
        return self._policies.register_of(municipality)


def note(
    engine: Database,
    kind: EventKind,
    about: str,
    municipality: str | None = None,
    by: str | None = None,
    *,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Put in the audit trail what somebody did that opened nobody's data."""
    ledger = Ledger(CONSOLE, _no_register)
    ledger.event(Event(kind, by or actor(), about, municipality, details=details))
    with engine.begin() as connection:
        ledger.store(connection)


def actor() -> str:
    """Who runs this command, for the audit trail: the user of the system."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        # A container may run as a number without a name.
        return f"uid {os.getuid()}"


def _event(done: Done, by: str) -> Event:
    return Event(done.kind, by, done.about, done.municipality, done.trace_id)


def _no_register(municipality: str) -> Register:
    raise UnknownPurpose(f"municipality {municipality}: this writes no lines")
