"""A database that was restored from before an erasure: found out by the ledger, and made to forget again.

Flows in: entries of the ledger, from a file that lies elsewhere. Flows out: the erasures that the database lacks, done
again in it. Intake and matcher were not restored, or get the commands once more: they drop what they have.

An erasure of a municipality that is said to have left, keys and all, stops no other one: what is his for certain without
keys goes (`subject_unkeyed`), and what the ledger says beyond that stays lacking, so that it is told each time.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from signaalwissel.processors.clients import fold_clients
from signaalwissel.processors.departure import has_left, ledger_ids
from signaalwissel.processors.erased_tasks import ErasedTasks
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.processing_lines import Line, Subject, resident, trace_from
from signaalwissel.processors.processing_register import Purpose
from signaalwissel.processors.retention import ledger_entry_over
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.processors.subject import Known, Membership, Person, is_alone
from signaalwissel.processors.subject_ledger import LedgerEntry, LedgerIds, LedgerKind, unknown_to
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.internal import OriginalRecord, TrajectoryState
from signaalwissel.sinks import subject_ledger_store, subject_unkeyed
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
    """How many erasures a database lacked, and what of them was there again.

    Attributes:
        out_of_reach: By municipality that left without leaving keys: erasures of which something may still be there.
    """

    erasures: int
    signals: int
    trajectories: int
    dead_letters: int
    out_of_reach: Mapping[str, int]


class _Found(NamedTuple):
    """An erasure that a database lacks, what of it is there again, and the entries that are true once that is gone."""

    erasure: Erasure
    holdings: Holdings
    done: Sequence[LedgerEntry]


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
    policies: Policies,
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
    return reapply(engine, entries, keys, settings, policies)


def _clients(connection: Connection, municipality: str, trajectory_id: str) -> int | None:
    key = (trajectories.c.municipality == municipality, trajectories.c.trajectory_id == trajectory_id)
    state = connection.execute(select(trajectories.c.state).where(*key, ~trajectories.c.erased)).scalar()
    return None if state is None else len(fold_clients(read_trajectory_state(bytes(state)).facts))


def reapply(
    engine: Engine,
    entries: Sequence[LedgerEntry],
    keys: KeyProvider,
    settings: SinkSettings,
    policies: Policies,
) -> Reapplied:
    """Do again, in one transaction, the erasures that the database lacks.

    Args:
        engine: The restored database.
        entries: The whole ledger.
        keys: Give the keyed hash by which things are found; nothing is opened.
        settings: Topics and CloudEvents source, and who left.
        policies: Say which processing activities are whose.

    Raises:
        KeyUnavailable: A key of a municipality that did not leave cannot be had now.
    """
    counts: Counter[str] = Counter()
    out_of_reach: Counter[str] = Counter()
    with engine.begin() as connection:
        lock_tasks(connection)
        ledger = Ledger(CONSOLE, policies.register_of)
        destruction = Destruction(connection, ledger, Why.ERASED)
        missing = unknown_to(entries, subject_ledger_store.stored(connection))
        for municipality, told in _by_municipality(missing).items():
            left = has_left(municipality, settings.departed, keys)
            found = _unkeyed(connection, municipality, told) if left else _keyed(connection, keys, told)
            for one in found:
                erase(destruction, one.holdings, one.erasure, one.done, settings)
                forget_withdrawn(connection, one.holdings.person)
                _account(ledger, one.erasure, one.holdings.person)
                counts += _counted(one.holdings)
            still = unknown_to(told, subject_ledger_store.stored(connection))
            out_of_reach[municipality] += len({entry.erasure_id for entry in still})
        ledger.store(connection)
    return Reapplied(
        counts["erasures"],
        counts["signals"],
        counts["trajectories"],
        counts["dead_letters"],
        dict(+out_of_reach),
    )


def _by_municipality(entries: Iterable[LedgerEntry]) -> Mapping[str, list[LedgerEntry]]:
    found: defaultdict[str, list[LedgerEntry]] = defaultdict(list)
    for entry in entries:
        found[entry.municipality].append(entry)
    return found


def _by_erasure(
    entries: Iterable[LedgerEntry], *, keyed: bool = True
) -> list[tuple[Erasure, list[LedgerEntry]]]:
    """The erasures, oldest first, each with its entries."""
    own: defaultdict[Erasure, list[LedgerEntry]] = defaultdict(list)
    for entry in entries:
        own[Erasure(entry.erasure_id, entry.erased_at, keyed)].append(entry)
    return sorted(own.items(), key=lambda item: (item[0].at, item[0].erasure_id))


def _keyed(connection: Connection, keys: KeyProvider, entries: Sequence[LedgerEntry]) -> Iterator[_Found]:
    """The erasures of one municipality, each looked for when those before it are done."""
    municipality = entries[0].municipality
    again = _Again(connection, ledger_ids(municipality, keys), municipality)
    for erasure, own in _by_erasure(entries):
        yield _Found(erasure, again.holdings(own), own)


def _unkeyed(connection: Connection, municipality: str, entries: Sequence[LedgerEntry]) -> Iterator[_Found]:
    """As `_keyed`, of a municipality that left: what can be told without keys."""
    for erasure, own in _by_erasure(entries, keyed=False):
        if told := subject_unkeyed.told_without_keys(own):
            holdings = subject_unkeyed.holdings_by_match_keys(connection, municipality, told)
            yield _Found(erasure, holdings, told)
    if subject_unkeyed.holds_nothing_of(connection, municipality):
        subject_ledger_store.record(connection, entries)


def _counted(holdings: Holdings) -> Counter[str]:
    return Counter(
        erasures=1,
        signals=len(holdings.signals),
        trajectories=len(holdings.memberships),
        dead_letters=len(holdings.letters),
    )


def _account(ledger: Ledger, erasure: Erasure, person: Person) -> None:
    municipality = person.municipality
    trace_id = trace_from(erasure.erasure_id)
    about = {"request": "ERASE", "again": True, **({} if erasure.keyed else {"without_keys": True})}
    event = Event(EventKind.DATA_ERASED, "sink", erasure.erasure_id, municipality, trace_id, about)
    ledger.event(event)
    whose: list[Subject | None] = [resident(key) for key in sorted(person.own_keys)]
    operation = f"{erasure.erasure_id}/again"
    ledger.lines(
        Line(Purpose.DATA_ERASED, municipality, operation, trace_id, subject) for subject in whose or [None]
    )


class _Again:
    """What a municipality's part of the database holds of what its ledger says was erased."""

    def __init__(self, connection: Connection, ids: LedgerIds, municipality: str) -> None:
        self._connection = connection
        self._ids = ids
        self._municipality = municipality

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
