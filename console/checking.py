"""Checks before a signal is sent: on record first, then looked up, then told (design 15).

Flows in: signals that somebody asks about. Flows out: for each its route and the reference of its line in the
processing log. Used by `check` and by the gateway.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from signaalwissel.console import key_service, runtime
from signaalwissel.console.settings import Settings
from signaalwissel.processors.checks import Question, question_of, verdict_of
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.processing_lines import Line, resident, span_id_of
from signaalwissel.processors.processing_register import Purpose, UnknownPurpose
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.schemas.internal import TrajectoryState
from signaalwissel.schemas.units import Millis
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.security.vault_keys import VaultKeys
from signaalwissel.sinks.access import Database
from signaalwissel.sinks.checks import Account, CheckRoom
from signaalwissel.sinks.ledger import Event, EventKind
from signaalwissel.sinks.processing_log import Brake
from signaalwissel.sinks.settings import ServiceAway
from signaalwissel.sinks.trajectory_keys import Place
from signaalwissel.sources.gateway_checks import Asked, ChecksAway, Reply
from signaalwissel.streams.clock import now_ms

_VERSIONS_KEPT_S = 60.0
"""A version of a match secret counts for signals weeks after it is made, and its predecessor goes weeks later."""
_NONCE_SIZE = 8


class _Prepared(NamedTuple):
    question: Question
    asked: Asked
    line: Line


class Checker:
    """Answers checks; of several callers one at a time.

    Args:
        policies: Those of the installation.
        keys: Where match keys come from.
        room: Puts on record and looks up.
        clock: Milliseconds since 1970.
    """

    def __init__(
        self,
        policies: Policies,
        keys: LocalKeys | VaultKeys,
        room: CheckRoom,
        clock: Callable[[], Millis] = now_ms,
    ) -> None:
        self._policies = policies
        self._keys = keys
        self._room = room
        self._clock = clock
        self._versions: dict[str, tuple[float, tuple[int, ...]]] = {}
        self._lock = threading.Lock()

    def __call__(self, every: Sequence[Asked]) -> list[Reply | Rejected]:
        """The replies, in order; of a signal that intake would refuse, why.

        Raises:
            ChecksAway: Database or keys are away, or nothing can be put on record.
        """
        with self._lock:
            try:
                prepared = [self._prepared(asked) for asked in every]
                asked_of = [one for one in prepared if isinstance(one, _Prepared)]
                if not asked_of:
                    return [one for one in prepared if isinstance(one, Rejected)]
                places = {place for one in asked_of for place in _places(one.question)}
                found = self._room.look_up(_account(asked_of), places)
            except (ServiceAway, KeyUnavailable, UnknownPurpose) as error:
                raise ChecksAway(str(error)) from error
        return [one if isinstance(one, Rejected) else _reply(one, found) for one in prepared]

    def close(self) -> None:
        """Close the connection to the database."""
        with self._lock:
            self._room.close()

    def _prepared(self, asked: Asked) -> _Prepared | Rejected:
        try:
            question = question_of(asked.signal, self._policies, self._keys, self._versions_of)
        except Rejected as rejected:
            # One signal of a batch, such as of a municipality without keys, must not take the others along.
            return rejected
        # Each time is a processing of its own. Of the keys of a rotation the first stands for the person.
        line = Line(
            Purpose.SIGNAL_TESTED,
            asked.signal.municipality,
            f"toets:{os.urandom(_NONCE_SIZE).hex()}",
            asked.trace_id,
            resident(question.match_keys[0]),
            self._clock(),
        )
        return _Prepared(question, asked, line)

    def _versions_of(self, municipality: str) -> tuple[int, ...]:
        now = time.monotonic()
        known = self._versions.get(municipality)
        if known is None or known[0] < now:
            known = now + _VERSIONS_KEPT_S, self._keys.match_versions(municipality)
            self._versions[municipality] = known
        return known[1]


def checker(settings: Settings, engine: Database, chain: str, role: str | None = None) -> Checker:
    """What answers checks of this installation; UsageFailure or ServiceAway where it cannot.

    Args:
        settings: As read.
        engine: The database.
        chain: Of the audit trail.
        role: Under which trajectories are read; None: the login's own.
    """
    policies = runtime.policies(settings)
    brake = Brake(runtime.processing_log_settings(settings))
    room = CheckRoom(engine, role, chain, policies.register_of, brake)
    return Checker(policies, key_service.answering(settings), room)


def reference_of(line: Line) -> str:
    """Trace and span of a line: by these the processing log has it, and by the trace the audit trail who asked."""
    return f"{line.trace_id.hex()}-{span_id_of(line).hex()}"


def _account(prepared: Sequence[_Prepared]) -> Account:
    requests = Counter((one.asked.actor, one.asked.trace_id, one.line.municipality) for one in prepared)
    events = [
        Event(
            EventKind.RESIDENTS_CHECKED,
            actor,
            f"toetsen/{trace_id.hex()}",
            municipality,
            trace_id,
            {"checks": checks},
        )
        for (actor, trace_id, municipality), checks in requests.items()
    ]
    return Account([one.line for one in prepared], events)


def _reply(one: _Prepared, found: Mapping[Place, list[TrajectoryState]]) -> Reply:
    verdict = verdict_of(one.question, _states(one.question, found))
    return Reply(verdict.route.value, reference_of(one.line))


def _places(question: Question) -> list[Place]:
    return [Place(question.signal.municipality, key) for key in question.match_keys]


def _states(question: Question, found: Mapping[Place, list[TrajectoryState]]) -> list[TrajectoryState]:
    every = (state for place in _places(question) for state in found.get(place, ()))
    # Under two keys of a rotation lies one trajectory.
    return list({state.trajectory_id: state for state in every}.values())
