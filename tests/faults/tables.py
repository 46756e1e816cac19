"""The tables of intake and matcher against the oracle, entry by entry and both ways: none is missing, none is too many.

In: a load, and the books with the changelogs. Out: what is wrong, in words. Of a trajectory that was erased only the
fact of it may stand: what came back after its erasure is told as any other entry that nobody expects.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from signaalwissel.processors.identifiers import signal_of_table_key
from signaalwissel.processors.stamped import record_in
from signaalwissel.schemas.fact_codec import (
    read_intake_trajectory,
    read_keyed_trajectory,
    read_trajectory_head,
    read_trajectory_state,
)
from signaalwissel.schemas.intake_signal_codec import read_intake_signal
from signaalwissel.schemas.keyed_signal_codec import read_keyed_signal
from signaalwissel.schemas.recent_signal_codec import read_recent_signal

from tests.faults.books import Books
from tests.faults.load import Load
from tests.oracle.model import COUNSELLOR

_Key = tuple[str, str]


class _Kept(NamedTuple):
    """What a place keeps of a trajectory; `bare` where nothing but its erasure is left."""

    version: int
    bare: bool
    events: frozenset[str] = frozenset()
    match_keys: tuple[bytes, ...] = ()


def wrong_recents(load: Load, books: Books, revisions: Mapping[bytes, int]) -> Iterator[str]:
    """The matcher's recent signals that are not as the oracle says; `revisions` are the newest ones on `decisions`."""
    recents = books.table("matcher recents")
    for ref, right in load.expected.items():
        value = recents.get(ref)
        if value is None:
            yield f"{ref.hex()} is not kept"
            continue
        recent = read_recent_signal(value)
        held = recent.trajectory_id if recent.route.value == COUNSELLOR else None
        if (recent.route.value, held) != right:
            yield f"{ref.hex()} is kept with another route"
        elif recent.revision != revisions.get(ref, recent.revision):
            yield f"{ref.hex()} is kept at revision {recent.revision}"
    for ref in recents.keys() - load.expected.keys():
        signal = read_keyed_signal(read_recent_signal(recents[ref]).signal)
        if signal.municipality in load.municipalities:
            yield f"{ref.hex()} is kept and must not be"


def wrong_deliveries(load: Load, books: Books) -> Iterator[str]:
    """The signals whose deliveries intake keeps otherwise than the oracle accepted them."""
    kept = {
        name: {one.received_at for one in read_intake_signal(record_in(value)).deliveries}
        for key, value in books.table("intake signals").items()
        if (name := signal_of_table_key(key)) is not None and name[0] in load.municipalities
    }
    for name in kept.keys() | load.deliveries.keys():
        if kept.get(name) != load.deliveries.get(name):
            yield str(name)


def wrong_trajectories(load: Load, books: Books) -> Iterator[str]:
    """The trajectories that intake, matcher or `trajectory-states` have otherwise than the oracle."""
    kept, copies, states = _kept(load, books), _copies(load, books), _states(load, books)
    wanted = load.events.keys() | load.unapplied.keys()
    for key in sorted(wanted | kept.keys() | copies.keys() | states.keys()):
        one, copied, state = kept.get(key), copies.get(key, {}), states.get(key)
        if key not in wanted:
            yield f"{key} is kept and must not be"
        elif one is None:
            yield f"{key} is not kept"
        elif key not in load.events:
            if one.events != load.unapplied[key] or copied or state:
                yield f"{key} was never applied for and is kept otherwise than its events wait"
        elif not load.events[key]:
            if not all(left.bare for left in (one, *copied.values(), *filter(None, [state]))):
                yield f"{key} was erased and stands"
        else:
            if one.events != load.events[key]:
                yield f"{key} has {len(one.events)} events for {len(load.events[key])}, or others"
            yield from _behind(key, one, copied, state)


def _behind(key: _Key, one: _Kept, copied: Mapping[bytes, _Kept], state: _Kept | None) -> Iterator[str]:
    """The copies of a trajectory that are not at its version, or not where it is."""
    for match_key in copied.keys() | set(one.match_keys):
        copy = copied.get(match_key)
        if match_key not in one.match_keys:
            yield f"{key} has a copy under a key that is not its own"
        elif copy is None or copy.version != one.version:
            yield f"{key} has a copy at version {copy and copy.version} for {one.version}"
    if state is None or state.version != one.version:
        yield f"{key} has a state at version {state and state.version} for {one.version}"


def _kept(load: Load, books: Books) -> dict[_Key, _Kept]:
    found = {}
    for value in books.table("intake trajectories").values():
        one = read_intake_trajectory(record_in(value))
        if one.municipality in load.municipalities:
            bare = one.erased and not (one.facts or one.match_keys or one.identities or one.waiting)
            events = frozenset(fact.event_id for fact in one.facts)
            found[one.municipality, one.trajectory_id] = _Kept(one.version, bare, events, one.match_keys)
    return found


def _copies(load: Load, books: Books) -> dict[_Key, dict[bytes, _Kept]]:
    """By match key; only of what was erased the facts are looked for."""
    found: dict[_Key, dict[bytes, _Kept]] = defaultdict(dict)
    for entry, value in books.table("matcher trajectories").items():
        head = read_trajectory_head(record_in(value))
        key = head.municipality, head.trajectory_id
        if head.municipality in load.municipalities:
            bare = load.events.get(key) == frozenset() and _is_bare(record_in(value))
            match_key = entry.removesuffix(head.trajectory_id.encode())
            found[key][match_key] = _Kept(head.version, bare)
    return found


def _is_bare(record: bytes) -> bool:
    copy = read_keyed_trajectory(record)
    return copy.erased and not copy.facts


def _states(load: Load, books: Books) -> dict[_Key, _Kept]:
    found = {}
    for value in books.table("trajectory states").values():
        one = read_trajectory_state(value)
        if one.municipality in load.municipalities:
            bare = one.erased and not (one.facts or one.match_keys)
            found[one.municipality, one.trajectory_id] = _Kept(one.version, bare)
    return found
