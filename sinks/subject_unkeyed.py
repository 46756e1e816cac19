"""What a database shows of an erased resident whose municipality left, and no key of it is left: what he was matched by.

Flows in: the entries of one erasure. Flows out: the rows that are his for certain. The ledger's own ids tell nothing
without keys; the match keys of his BSN, which it has too, are compared as they are. What lay under an address alone, or
inside a seal, is nobody's any more: whoever is taken for him there may be another.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from signaalwissel.processors.clients import LISTING, fold_clients
from signaalwissel.processors.erased_clients import erased_positions
from signaalwissel.processors.subject import Known, Membership, Person, is_alone
from signaalwissel.processors.subject_ledger import LedgerEntry, LedgerKind
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.internal import TrajectoryState
from signaalwissel.schemas.units import Millis
from signaalwissel.sinks.copying import moment_of
from signaalwissel.sinks.subject_search import Holdings, SignalRows, notices_of, ref_of_row, tasks_of
from signaalwissel.sinks.tables import dead_letters, decisions, trajectories
from sqlalchemy import ColumnElement, Connection, Row, select, tuple_

_D = decisions.c
_DELIVERY = (_D.partner_id, _D.signal_id, _D.received_at)


class _Place(NamedTuple):
    trajectory_id: str
    client: int


def holds_nothing_of(connection: Connection, municipality: str) -> bool:
    """Whether no signal, trajectory or dead letter of a municipality is left of which anybody may have been erased."""
    left = (
        select(decisions).where(_D.municipality == municipality, _D.match_key.is_not(None)),
        select(trajectories).where(trajectories.c.municipality == municipality, ~trajectories.c.erased),
        select(dead_letters).where(dead_letters.c.municipality == municipality),
    )
    return not any(connection.execute(select(one.exists())).scalar_one() for one in left)


def told_without_keys(entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    """The entries that say something without a key."""
    return [entry for entry in entries if entry.kind is LedgerKind.MATCH_KEY]


def holdings_by_match_keys(
    connection: Connection, municipality: str, entries: Sequence[LedgerEntry]
) -> Holdings:
    """What is there again of one erasure and is his for certain.

    Args:
        connection: In a transaction that holds the tasks' lock.
        municipality: It left.
        entries: Those of one erasure that say something without a key.
    """
    match_keys = frozenset(entry.opaque for entry in entries)
    person = Person(municipality, None, None, frozenset(), match_keys)
    until = entries[0].erased_at
    own = _deliveries(connection, municipality, until, _D.match_key.in_(match_keys))
    states = dict(_under(connection, person, until))
    memberships = tuple(_memberships(states, {_place(rows[-1]) for rows in own.values()}))
    led = _led_to(connection, municipality, until, memberships)
    signals = {ref: SignalRows(rows, None) for ref, rows in (own | led).items()}
    known = Known(person, memberships)
    his, shared = tasks_of(connection, known, signals)
    return Holdings(
        person=person,
        memberships=memberships,
        states={one.trajectory_id: states[one.trajectory_id] for one in memberships},
        signals=signals,
        tasks=his,
        shared=shared,
        notice_ids=notices_of(connection, known, states, signals),
    )


def _under(connection: Connection, person: Person, until: Millis) -> Iterator[tuple[str, TrajectoryState]]:
    """The trajectories under his keys that were there when he was erased: he may have come back since."""
    place = (trajectories.c.municipality == person.municipality, ~trajectories.c.erased)
    for row in connection.execute(select(trajectories.c.state).where(*place)):
        state = read_trajectory_state(bytes(row.state))
        began = min((fact.recorded_at for fact in state.facts), default=until + 1)
        if began <= until and not person.match_keys.isdisjoint(state.match_keys):
            yield state.trajectory_id, state


def _memberships(
    states: Mapping[str, TrajectoryState], told: Collection[_Place | None]
) -> Iterator[Membership]:
    """Where he is a client for certain: a BSN that was mended may be his who never was one."""
    for number, state in sorted(states.items()):
        count = len(fold_clients(state.facts))
        bsns = [_bsns(state, position) for position in range(count)]
        left = {n for n in range(count) if len(bsns[n]) == 1} - erased_positions(state.facts)
        his = {position for position in left if _Place(number, position) in told}
        if not his and len(set().union(*bsns)) == 1:
            his = left
        if len(his) == 1:
            (position,) = his
            yield Membership(number, position, is_alone(state, position, count))


def _bsns(state: TrajectoryState, position: int) -> set[bytes]:
    """The BSNs, as keyed hashes, under which a client was ever listed."""
    listings = (fact.clients for fact in state.facts if fact.kind in LISTING)
    listed = (clients[position].bsn for clients in listings if position < len(clients))
    return {bsn for bsn in listed if bsn is not None}


def _led_to(
    connection: Connection, municipality: str, until: Millis, memberships: Sequence[Membership]
) -> dict[bytes, list[Row[Any]]]:
    """Signals of which the last decision says that they are his, such as those under his address."""
    places = {_Place(one.trajectory_id, one.client) for one in memberships}
    if not places:
        return {}
    led = tuple_(_D.trajectory_id, _D.client).in_(sorted(places))
    found = _deliveries(connection, municipality, until, led)
    return {ref: rows for ref, rows in found.items() if _place(rows[-1]) in places}


def _deliveries(
    connection: Connection, municipality: str, until: Millis, said: ColumnElement[bool]
) -> dict[bytes, list[Row[Any]]]:
    """Every revision of the signals of which a revision says this, of those received until then."""
    of_them = (_D.municipality == municipality, _D.received_at <= moment_of(until))
    chosen = select(*_DELIVERY).where(*of_them, said)
    rows: defaultdict[bytes, list[Row[Any]]] = defaultdict(list)
    whole = select(decisions).where(*of_them, _D.match_key.is_not(None), tuple_(*_DELIVERY).in_(chosen))
    for row in connection.execute(whole.order_by(_D.revision)):
        rows[ref_of_row(row)].append(row)
    return dict(rows)


def _place(row: Row[Any]) -> _Place | None:
    unnamed = row.trajectory_id is None or row.client is None
    return None if unnamed else _Place(row.trajectory_id, row.client)
