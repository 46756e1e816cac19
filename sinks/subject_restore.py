"""A database that was restored from before an erasure: found out by the ledger, and made to forget again.

Flows in: entries of the ledger, from a file that lies elsewhere. Flows out: the erasures that the database lacks, done
again in it. Intake and matcher were not restored, or get the commands once more: they drop what they have.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from signaalwissel.processors.clients import fold_clients
from signaalwissel.processors.erased_tasks import ErasedTasks
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.processing_lines import Line, Subject, resident, trace_from
from signaalwissel.processors.processing_register import Purpose, Register
from signaalwissel.processors.retention import ledger_entry_over
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.processors.subject import Known, Membership, Person, is_alone
from signaalwissel.processors.subject_ledger import LedgerEntry, LedgerIds, LedgerKind, unknown_to
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.internal import OriginalRecord, TrajectoryState
from signaalwissel.sinks import subject_ledger_store
from signaalwissel.sinks.copying import millis_of
from signaalwissel.sinks.destruction import Destruction, Why
from signaalwissel.sinks.ledger import CONSOLE, Event, EventKind, Ledger
from signaalwissel.sinks.restored import go_on_from_published
from signaalwissel.sinks.settings import SinkSettings
from signaalwissel.sinks.subject_erasure import Erasure, erase
from signaalwissel.sinks.subject_letters import Letter
from signaalwissel.sinks.subject_objections import forget_withdrawn
from signaalwissel.sinks.subject_search import (
    Holdings,
    SignalRows,
    notices_of,
    ref_of_row,
    tasks_of,
)
from signaalwissel.sinks.tables import dead_letters, decisions, trajectories
from signaalwissel.sinks.task_lock import lock_tasks
from signaalwissel.sinks.timekeeping import DatabaseTime, moment_at
from sqlalchemy import Connection, Engine, Row, select

_NOBODY = OriginalRecord(None, None, ())


class Reapplied(NamedTuple):
    """How many erasures a database lacked, and what of them was there again."""

    erasures: int
    signals: int
    trajectories: int
    dead_letters: int


def in_force(engine: Engine, entries: Sequence[LedgerEntry], policies: Policies) -> list[LedgerEntry]:
    """The entries whose period is not over, by the database's clock.

    Retention destroys the others, and a file that still holds them must not bring them back.
    """
    with engine.connect() as connection:
        today = moment_at(DatabaseTime(), connection).today
    return [
        entry
        for entry in entries
        if not ledger_entry_over(entry.erased_at, today, policies.get(entry.municipality) or policies.default)
    ]


def lacking(engine: Engine, entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """The entries that the database lacks."""
    with engine.connect() as connection:
        return unknown_to(entries, subject_ledger_store.stored(connection))


def erase_again(
    engine: Engine,
    entries: Sequence[LedgerEntry],
    keys: KeyProvider,
    settings: SinkSettings,
    register_of: Callable[[str], Register],
) -> Reapplied:
    """Number tasks on from what readers have, then do again the erasures that the database lacks; as `reapply`.

    In this order: the last word of an erased task must have a number that readers do not have.

    Raises:
        ServiceAway: Kafka does not answer.
        SinkError: Kafka refuses, or does not show `tasks`.
        KeyUnavailable: A key cannot be had now.
    """
    with engine.begin() as connection:
        erased = ErasedTasks(entries, keys, partial(_clients, connection))
        go_on_from_published(connection, settings, erased, needs_topic=True)
    return reapply(engine, entries, keys, settings, register_of)


def _clients(connection: Connection, municipality: str, trajectory_id: str) -> int | None:
    key = (trajectories.c.municipality == municipality, trajectories.c.trajectory_id == trajectory_id)
    state = connection.execute(select(trajectories.c.state).where(*key, ~trajectories.c.erased)).scalar()
    return None if state is None else len(fold_clients(read_trajectory_state(bytes(state)).facts))


def reapply(
    engine: Engine,
    entries: Sequence[LedgerEntry],
    keys: KeyProvider,
    settings: SinkSettings,
    register_of: Callable[[str], Register],
) -> Reapplied:
    """Do again, in one transaction, the erasures that the database lacks.

    Args:
        engine: The restored database.
        entries: The whole ledger.
        keys: Give the keyed hash by which things are found; nothing is opened.
        settings: Topics and CloudEvents source.
        register_of: The register of processing activities of a municipality.

    Raises:
        KeyUnavailable: A key cannot be had now.
    """
    done = Reapplied(0, 0, 0, 0)
    with engine.begin() as connection:
        lock_tasks(connection)
        ledger = Ledger(CONSOLE, register_of)
        destruction = Destruction(connection, ledger, Why.ERASED)
        missing = unknown_to(entries, subject_ledger_store.stored(connection))
        by_municipality: defaultdict[str, list[LedgerEntry]] = defaultdict(list)
        for entry in missing:
            by_municipality[entry.municipality].append(entry)
        for municipality, told in by_municipality.items():
            again = _Again(
                connection, LedgerIds(keys.pseudonym_keys(municipality).hashed), municipality, told
            )
            for erasure, own in again.erasures():
                holdings = again.holdings(own)
                erase(destruction, holdings, erasure, own, settings)
                forget_withdrawn(connection, holdings.person)
                _account(ledger, erasure, holdings.person)
                done = Reapplied(
                    done.erasures + 1,
                    done.signals + len(holdings.signals),
                    done.trajectories + len(holdings.memberships),
                    done.dead_letters + len(holdings.letters),
                )
        ledger.store(connection)
    return done


def _account(ledger: Ledger, erasure: Erasure, person: Person) -> None:
    municipality = person.municipality
    trace_id = trace_from(erasure.erasure_id)
    about = {"request": "ERASE", "again": True}
    event = Event(EventKind.DATA_ERASED, "sink", erasure.erasure_id, municipality, trace_id, about)
    ledger.event(event)
    whose: list[Subject | None] = [resident(key) for key in sorted(person.own_keys)]
    operation = f"{erasure.erasure_id}/again"
    ledger.lines(
        Line(Purpose.DATA_ERASED, municipality, operation, trace_id, subject) for subject in whose or [None]
    )


class _Again:
    """What a municipality's part of the database holds of what its ledger says was erased."""

    def __init__(
        self, connection: Connection, ids: LedgerIds, municipality: str, entries: Sequence[LedgerEntry]
    ) -> None:
        self._connection = connection
        self._ids = ids
        self._municipality = municipality
        self._entries = entries

    def erasures(self) -> list[tuple[Erasure, list[LedgerEntry]]]:
        """The erasures, oldest first, each with its entries."""
        own: defaultdict[Erasure, list[LedgerEntry]] = defaultdict(list)
        for entry in self._entries:
            own[Erasure(entry.erasure_id, entry.erased_at)].append(entry)
        return sorted(own.items(), key=lambda item: (item[0].at, item[0].erasure_id))

    def holdings(self, entries: Sequence[LedgerEntry]) -> Holdings:
        """What is there again of one erasure."""
        opaque: dict[LedgerKind, set[bytes]] = {kind: set() for kind in LedgerKind}
        for entry in entries:
            opaque[entry.kind].add(entry.opaque)
        match_keys = frozenset(opaque[LedgerKind.MATCH_KEY])
        memberships, states = self._memberships(opaque[LedgerKind.CLIENT])
        known = Known(Person(self._municipality, None, None, frozenset(), match_keys), memberships)
        signals = self._signals(opaque[LedgerKind.SIGNAL], match_keys, entries[0].erased_at)
        his, shared = tasks_of(self._connection, known, signals)
        return Holdings(
            person=known.person,
            memberships=memberships,
            states=states,
            signals=signals,
            tasks=his,
            shared=shared,
            notice_ids=notices_of(self._connection, known, states, signals),
            letters=self._letters(opaque[LedgerKind.DEAD_LETTER]),
        )

    def _memberships(
        self, opaque: set[bytes]
    ) -> tuple[tuple[Membership, ...], Mapping[str, TrajectoryState]]:
        place = (trajectories.c.municipality == self._municipality, ~trajectories.c.erased)
        found, states = [], {}
        for row in self._connection.execute(select(trajectories.c.state).where(*place)):
            state = read_trajectory_state(bytes(row.state))
            count = len(fold_clients(state.facts))
            for position in range(count):
                if self._ids.client(state.trajectory_id, position) in opaque:
                    alone = is_alone(state, position, count)
                    found.append(Membership(state.trajectory_id, position, alone))
                    states[state.trajectory_id] = state
        return tuple(found), states

    def _signals(
        self, opaque: set[bytes], match_keys: frozenset[bytes], erased_at: int
    ) -> dict[bytes, SignalRows]:
        """By what the ledger says was there, and whatever else lay under his own keys until then."""
        rows: defaultdict[bytes, list[Row[Any]]] = defaultdict(list)
        place = decisions.c.municipality == self._municipality
        statement = select(decisions).where(place, decisions.c.match_key.is_not(None))
        ordered = statement.order_by(decisions.c.routing_id, decisions.c.revision)
        for row in self._connection.execute(ordered.execution_options(yield_per=5000)):
            ref = ref_of_row(row)
            under_key = bytes(row.match_key) in match_keys and millis_of(row.received_at) <= erased_at
            if under_key or self._ids.signal(ref) in opaque:
                rows[ref].append(row)
        return {
            ref: SignalRows(sorted(found, key=lambda row: row.revision), None) for ref, found in rows.items()
        }

    def _letters(self, opaque: set[bytes]) -> list[Letter]:
        rows = self._connection.execute(select(dead_letters)) if opaque else ()
        return [
            Letter(row, _NOBODY, shared=False)
            for row in rows
            if self._ids.dead_letter(row.dead_letter_id) in opaque
        ]
