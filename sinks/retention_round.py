"""A round of retention: everything that is over, kind by kind and municipality by municipality, in small transactions.

Flows in: policies and the database's time. Flows out: destroyed data with its proof, batch after batch. A round may be
killed anywhere: what is not committed is still over, and the next round finds it.
"""

import logging
from collections.abc import Iterator
from typing import NamedTuple

from signaalwissel.processors.policy import Policies
from signaalwissel.processors.retention import DataKind, period_of
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.processors.traces import Tracer
from signaalwissel.sinks import retention_proofs
from signaalwissel.sinks.destruction import Destruction, Why, trace_of
from signaalwissel.sinks.ledger import RETENTION, Event, EventKind, Ledger
from signaalwissel.sinks.retention_audit import AUDIT_BLOCKS, AUDIT_EVENTS, PROCESSING_LOG
from signaalwissel.sinks.retention_followup import COMMANDS, FEEDBACK, TASK_SIGNALS, VERIFICATIONS
from signaalwissel.sinks.retention_keys import DayKeys, day_keys, remember_passed_days
from signaalwissel.sinks.retention_locks import lock_run
from signaalwissel.sinks.retention_rights import ERASURES, OBJECTIONS, REQUESTS
from signaalwissel.sinks.retention_scope import NOBODY, Scope, Step, is_held, scopes
from signaalwissel.sinks.retention_signals import SIGNALS
from signaalwissel.sinks.retention_technical import DEAD_LETTERS, OUTBOX, POLICIES, TOMBSTONES
from signaalwissel.sinks.retention_trajectories import TRAJECTORIES, TRAJECTORIES_OF_ENTREPRENEURS, measure
from signaalwissel.sinks.settings import SinkSettings
from signaalwissel.sinks.standing import SinkStanding
from signaalwissel.sinks.timekeeping import DatabaseTime, Observer, TimeSource, moment_at, unobserved
from sqlalchemy import Connection

log = logging.getLogger(__name__)

# Decisions before the signals in tasks: a hit that is there has its task, all the way.
STEPS = (
    SIGNALS,
    TASK_SIGNALS,
    VERIFICATIONS,
    FEEDBACK,
    COMMANDS,
    TRAJECTORIES,
    TRAJECTORIES_OF_ENTREPRENEURS,
    DEAD_LETTERS,
    OUTBOX,
    POLICIES,
    TOMBSTONES,
    REQUESTS,
    ERASURES,
    OBJECTIONS,
    AUDIT_EVENTS,
    PROCESSING_LOG,
    AUDIT_BLOCKS,
)
"""Every kind but the day keys, which need a key provider."""


class Done(NamedTuple):
    """What one batch destroyed."""

    municipality: str
    kind: DataKind
    destroyed: int


class Tools(NamedTuple):
    """What a round works with.

    Attributes:
        keys: Destroys day keys; without one they wait.
        time: Tells which day it is.
        observe: Is told every step.
        actor: On whose behalf, as the audit trail names it.
        standing: What a sink notes of itself for its health check.
        tracer: Records the steps of sampled traces; None where nobody does.
    """

    keys: DayKeys | None = None
    time: TimeSource = DatabaseTime()
    observe: Observer = unobserved
    actor: str = "sink"
    standing: SinkStanding | None = None
    tracer: Tracer | None = None


class RetentionRound:
    """Rounds.

    Args:
        settings: How much a batch holds, topics and CloudEvents source.
        policies: The municipalities' policies.
        tools: What it works with.

    Attributes:
        key_failure: Why day keys of the last round are not destroyed; what they sealed is destroyed here all the same.
    """

    def __init__(self, settings: SinkSettings, policies: Policies, tools: Tools) -> None:
        self.key_failure: KeyUnavailable | None = None
        self._settings = settings
        self._policies = policies
        self._tools = tools
        self._observe = tools.observe

    def batches(self, connection: Connection, municipality: str | None = None) -> Iterator[Done]:
        """Destroy what is over, one batch for each value; of one municipality or of all."""
        self.key_failure = None
        with connection.begin():
            moment = moment_at(self._tools.time, connection)
            found = scopes(connection, self._policies, self._settings, moment)
        for scope in found:
            if municipality in {None, scope.municipality}:
                yield from self._of(connection, scope)

    def _of(self, connection: Connection, scope: Scope) -> Iterator[Done]:
        self._prepare(connection, scope)
        for step in STEPS:
            yield from self._all_of(connection, scope, step)
        if self._tools.keys is None or self.key_failure is not None:
            return
        try:
            yield from self._all_of(
                connection, scope, day_keys(self._tools.keys, self._observe, self._tools.actor)
            )
        except KeyUnavailable as error:
            # Nothing is sealed or opened here, so nothing needs to stop: the keys stay due, and `doctor` says so.
            self.key_failure = error
            log.warning("retention: day keys of municipality %s stay due: %s", scope.municipality, error)

    def _prepare(self, connection: Connection, scope: Scope) -> None:
        """Reckon from when periods count, and note the days that are over."""
        if scope.municipality == NOBODY:
            return
        preparing = True
        while preparing:
            with connection.begin():
                lock_run(connection)
                passed = 0 if is_held(connection, scope) else remember_passed_days(connection, scope)
                preparing = bool(measure(connection, scope) or passed)
            self._observe("retention.prepared")

    def _all_of(self, connection: Connection, scope: Scope, step: Step) -> Iterator[Done]:
        while (count := self._batch(connection, scope, step)) is not None:
            yield Done(scope.municipality, step.kind, count)

    def _batch(self, connection: Connection, scope: Scope, step: Step) -> int | None:
        """Destroy a batch; None where there is nothing to destroy."""
        name = step.kind.lower()
        with connection.begin():
            # Without locks: most of the time there is nothing to do.
            if is_held(connection, scope) or not step.choose(connection, scope):
                return None
        with connection.begin():
            lock_run(connection)
            step.lock(connection)
            self._observe(f"retention.{name}.locked")
            # Anew: another run may have destroyed it meanwhile, or a hold was placed.
            chosen = () if is_held(connection, scope) else step.choose(connection, scope)
            if not chosen:
                return None
            ledger = Ledger(RETENTION, self._policies.register_of)
            count = step.destroy(Destruction(connection, ledger, Why.RETENTION_OVER), scope, chosen)
            retention_proofs.record(connection, scope, step.kind, count)
            ledger.event(self._event(scope, step.kind, count))
            ledger.store(connection)
            self._observe(f"retention.{name}.destroyed")
        self._observe(f"retention.{name}.committed")
        return count

    def _event(self, scope: Scope, kind: DataKind, count: int) -> Event:
        period = period_of(kind, scope.policy)
        details = {
            "count": count,
            "months": period and period.months,
            "policy_version": period and scope.policy.version,
        }
        trace_id = trace_of(scope.municipality, scope.today)
        municipality = scope.municipality or None
        return Event(EventKind.RETENTION_RAN, self._tools.actor, kind.value, municipality, trace_id, details)
