"""The signals of the DDAS report: each resident is opened on record, one batch after the other.

Flows in: signals of the database, keys, policies. Flows out: entries on pages, and counts of what was left out.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import lru_cache

from signaalwissel.console import runtime
from signaalwissel.console.accounting import Accounting, Done
from signaalwissel.console.failures import CommandFailure, Exit, ServiceAway
from signaalwissel.console.progress import counted
from signaalwissel.console.settings import Settings
from signaalwissel.processors.ddas_signals import Clients, case_entry, client_entry, signal_entry
from signaalwissel.processors.opening import unsealed_subject
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.processing_lines import subject_of_signal, trace_from
from signaalwissel.processors.processing_register import Purpose
from signaalwissel.processors.sealing import KeyDestroyed, KeyProvider, KeyUnavailable, SealBroken
from signaalwissel.schemas.signal import Subject
from signaalwissel.sinks import ddas as reading
from signaalwissel.sinks.access import Database
from signaalwissel.sinks.ledger import EventKind
from signaalwissel.sources.ddas_messages import Pages

WITHHELD = "the policy withholds the resident (privacy.ddas_clients)"
DESTROYED = "the key of the day was destroyed with its retention"
UNFIT = "no BSN or address that the policy lets go and the schema takes"
_KEYS_KEPT = 64


class SealUnusable(CommandFailure):
    """A seal is not of this installation."""

    exit_code = Exit.FINDINGS


@dataclass(slots=True)
class _Waiting:
    case: reading.Case
    ahead: set[bytes]
    delivered: list[bytes] = field(default_factory=list)


class SignalReport:
    """Writes the signals of a period with their follow-ups.

    Args:
        engine: The database.
        settings: For policies and the processing log.
        keys: Opens subjects.
        left_out: Counts, by reason, what is not delivered.
    """

    def __init__(
        self, engine: Database, settings: Settings, keys: KeyProvider, left_out: Counter[str]
    ) -> None:
        self._engine = engine
        self._policies: Policies = runtime.policies(settings)
        self._accounting = Accounting(settings)
        self._key_by_id = lru_cache(_KEYS_KEPT)(keys.by_id)
        self._left_out = left_out
        self._waiting: dict[str, _Waiting] = {}
        self._by_ref: defaultdict[bytes, list[str]] = defaultdict(list)

    def write(self, period: reading.Period, pages: Pages) -> None:
        """Put every signal of the period that may go on the pages.

        Raises:
            ServiceAway: Keys, collector or database do not answer.
            SealUnusable: A seal does not open with these keys.
        """
        at: str | None = None
        for batch in counted(reading.signals(self._engine, period), "batches of signals"):
            self._account(batch)
            for case in reading.cases_of(self._engine, [one.facts.ref for one in batch], period):
                self._expect(case)
            for one in batch:
                if at not in {None, one.municipality}:
                    self._release_all(at, pages)
                at = one.municipality
                self._one(one, pages)
        self._release_all(at, pages)

    def _clients(self, municipality: str) -> Clients:
        policy = self._policies.get(municipality) or self._policies.default
        return policy.privacy.ddas_clients

    def _expect(self, case: reading.Case) -> None:
        if case.task_id not in self._waiting:
            self._waiting[case.task_id] = _Waiting(case, set(case.facts.refs))
            for ref in case.facts.refs:
                self._by_ref[ref].append(case.task_id)

    def _account(self, batch: list[reading.ReportedSignal]) -> None:
        # Before any of them is opened: a processing that is not on record must not happen.
        self._accounting.account_all(
            [
                Done(
                    Purpose.SEALED_OPENED,
                    EventKind.SEALED_OPENED,
                    about=one.routing_id,
                    municipality=one.municipality,
                    trace_id=trace_from(one.facts.ref.hex()),
                    subject=subject_of_signal(one.facts.ref),
                )
                for one in batch
                if self._clients(one.municipality) != "withheld"
            ]
        )

    def _one(self, one: reading.ReportedSignal, pages: Pages) -> None:
        clients = self._clients(one.municipality)
        subject = None if clients == "withheld" else self._opened(one)
        client = None if subject is None else client_entry(subject, clients)
        if client is not None:
            pages.add(one.municipality, signal_entry(one.facts, client))
        elif clients == "withheld":
            self._left_out[WITHHELD] += 1
        elif subject is not None:
            self._left_out[UNFIT] += 1
        self._passed(one.facts.ref, pages, delivered=client is not None)

    def _passed(self, ref: bytes, pages: Pages, *, delivered: bool) -> None:
        # A follow-up goes on the page of the last of its signals, when it is known which of them are delivered.
        for task_id in self._by_ref.pop(ref, ()):
            waiting = self._waiting.get(task_id)
            if waiting is None:
                continue
            waiting.ahead.discard(ref)
            if delivered:
                waiting.delivered.append(ref)
            if not waiting.ahead:
                self._release(task_id, pages)

    def _opened(self, one: reading.ReportedSignal) -> Subject | None:
        try:
            return unsealed_subject(
                one.sealed_subject, one.municipality, one.facts.ref, self._key_by_id
            ).subject
        except KeyDestroyed:
            self._left_out[DESTROYED] += 1
            return None
        except KeyUnavailable as error:
            raise ServiceAway(f"{one.routing_id}: {error}") from error
        except SealBroken as error:
            raise SealUnusable(
                f"{one.routing_id}: {error}; are these the keys of this installation?"
            ) from error

    def _release(self, task_id: str, pages: Pages) -> None:
        waiting = self._waiting.pop(task_id)
        if waiting.delivered:
            case = waiting.case
            entry = case_entry(case.facts._replace(refs=waiting.delivered))
            pages.add_beside(case.municipality, "vroegsignaalzaken", entry)

    def _release_all(self, municipality: str | None, pages: Pages) -> None:
        # What still waits has signals that are gone by retention or erasure.
        for task_id, waiting in list(self._waiting.items()):
            if waiting.case.municipality == municipality:
                self._release(task_id, pages)
