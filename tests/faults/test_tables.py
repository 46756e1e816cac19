"""The checker's look into the tables, asked by tables as intake and matcher fill them: right is green, each wrong entry is told.

The tables are those of a run without Kafka; the load is a month with an erasure and an event without application.
"""

import dataclasses
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from signaalwissel.processors.emissions import TRAJECTORY_STATES, Emission
from signaalwissel.processors.matcher_state import MatcherState
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.simulation import Simulation
from signaalwissel.processors.stamped import record_in
from signaalwissel.schemas.fact_codec import (
    read_intake_trajectory,
    read_trajectory_head,
    read_trajectory_state,
)
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys

from tests.faults.books import Books
from tests.faults.load import Load, load_of, make_load, sound
from tests.faults.tables import wrong_deliveries, wrong_recents, wrong_trajectories
from tests.oracle.intake import Line

ERASED, BEFORE = ("0344", "T-erased"), 2


class Tabled(Simulation):
    """Its tables, and what goes to `trajectory-states`, where a test can reach them."""

    def __init__(self) -> None:
        super().__init__(packaged_policies(for_every_code=True), ThrowawayKeys(), fresh_nonce)
        copies: dict[bytes, bytes] = {}
        recents: dict[bytes, bytes] = {}
        self._state = MatcherState(copies, recents, {})
        self.tables = {
            "intake trajectories": self._trajectory_table,
            "intake signals": self._signal_table,
            "matcher trajectories": copies,
            "matcher recents": recents,
            "trajectory states": {},
        }

    def _out(self, emission: Emission) -> Iterator[Line]:
        if emission.topic == TRAJECTORY_STATES:
            self.tables["trajectory states"][emission.key] = emission.value
        yield from super()._out(emission)

    def fed(self, lines: list[Line]) -> dict[str, dict[bytes, bytes]]:
        """The tables as they are behind these lines."""
        for line in lines:
            list(self.feed(line))
        return {name: dict(table) for name, table in self.tables.items()}


def event(kind: str, sequence: int, trajectory_id: str = ERASED[1], **fields: object) -> Line:
    moment = f"2026-03-0{sequence}T09:00:00Z"
    value = {
        "event_id": f"{trajectory_id}-{sequence}", "trajectory_id": trajectory_id, "municipality": "0344",
        "sequence": sequence, "occurred_on": moment[:10], "recorded_at": moment, "kind": kind, **fields,
    }  # fmt: skip
    return {"topic": "trajectories", "value": value}


@cache
def month() -> tuple[Load, dict[str, dict[bytes, bytes]], dict[str, dict[bytes, bytes]]]:
    """A load, the tables as they are before its last two lines, and those at its end."""
    person = [{"bsn": "111222333"}]
    lines = [
        *sound(make_load(60, 5, "0344").lines),
        event("COUNSELLOR_ASSIGNED", 1, "T-waits", counsellor={"counsellor_id": "c-9", "team": "west"}),
        event("APPLIED", 1, clients=person),
        event("ADMITTED", 2),
        event("ERASED", 3),
    ]
    simulation = Tabled()
    before = simulation.fed(lines[:-BEFORE])
    return load_of(lines), before, simulation.fed(lines[-BEFORE:])


def found(load: Load, tables: dict[str, dict[bytes, bytes]]) -> list[str]:
    books: Any = Books.__new__(Books)
    books.table = tables.__getitem__
    return [
        *wrong_recents(load, books, {}),
        *wrong_deliveries(load, books),
        *wrong_trajectories(load, books),
    ]


def test_tables_as_the_rules_fill_them_are_right() -> None:
    load, _, tables = month()
    assert (load.events[ERASED], load.unapplied.keys()) == (frozenset(), {("0344", "T-waits")})
    assert found(load, tables) == []


def test_the_entries_of_another_load_are_not_judged() -> None:
    load, _, tables = month()
    others = dataclasses.replace(
        load, municipalities=frozenset(), expected={}, events={}, deliveries={}, unapplied={}
    )
    assert found(others, tables) == []


Spoil = Callable[[dict[str, dict[bytes, bytes]], dict[str, dict[bytes, bytes]]], object]


def of_the_erased(table: dict[bytes, bytes], read: Callable[[bytes], Any]) -> list[bytes]:
    return [key for key, value in table.items() if read(value).trajectory_id == ERASED[1]]


def come_back(name: str, read: Callable[[bytes], Any]) -> Spoil:
    """What was before the erasure stands again."""

    def spoil(tables: dict[str, dict[bytes, bytes]], before: dict[str, dict[bytes, bytes]]) -> None:
        keys = of_the_erased(before[name], read)
        assert keys
        tables[name] |= {key: before[name][key] for key in keys}

    return spoil


def left_out(name: str) -> Spoil:
    return lambda tables, _: tables[name].pop(next(iter(tables[name])))


def copied_elsewhere(tables: dict[str, dict[bytes, bytes]], _: object) -> None:
    entry, value = next(iter(tables["matcher trajectories"].items()))
    tables["matcher trajectories"][b"b:0" + entry] = value


SPOILT: dict[str, Spoil] = {
    "an erased trajectory in intake": come_back(
        "intake trajectories", lambda value: read_intake_trajectory(record_in(value))
    ),
    "an erased trajectory in the matcher": come_back(
        "matcher trajectories", lambda value: read_trajectory_head(record_in(value))
    ),
    "an erased trajectory among the states": come_back("trajectory states", read_trajectory_state),
    "a copy under a key that is not its own": copied_elsewhere,
    **{f"an entry less: {name}": left_out(name) for name in Tabled().tables},
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_table_with_an_entry_that_came_back_or_is_missing_is_wrong(spoilt: str) -> None:
    load, before, tables = month()
    mine = {name: dict(table) for name, table in tables.items()}
    SPOILT[spoilt](mine, before)
    assert found(load, mine) != []


def test_a_recent_signal_and_deliveries_that_nobody_expects_are_wrong() -> None:
    load, _, tables = month()
    ref, name = next(iter(load.expected)), next(iter(load.deliveries))
    expected = {key: right for key, right in load.expected.items() if key != ref}
    deliveries = {key: moments for key, moments in load.deliveries.items() if key != name}
    less = dataclasses.replace(load, expected=expected, deliveries=deliveries)
    assert found(less, tables) == [f"{ref.hex()} is kept and must not be", str(name)]


def test_a_trajectory_that_nobody_expects_is_wrong_in_every_table() -> None:
    load, _, tables = month()
    key = next(key for key, events in load.events.items() if events)
    less = dataclasses.replace(load, events={one: ids for one, ids in load.events.items() if one != key})
    for name in ("intake trajectories", "matcher trajectories", "trajectory states"):
        others = {one: {} for one in tables if "traject" in one and one != name}
        assert f"{key} is kept and must not be" in found(less, {**tables, **others}), name
