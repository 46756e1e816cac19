"""The match keys of a trajectory are those of the state that is stored, and go with it."""

from collections.abc import Sequence

import pytest
from alembic import command
from signaalwissel.schemas.internal import TrajectoryState
from signaalwissel.schemas.trajectory import TrajectoryEventKind
from signaalwissel.sinks import trajectory_keys
from signaalwissel.sinks.row_security import RowScope, grant_reader, scoped
from signaalwissel.sinks.tables import trajectories
from signaalwissel.sinks.tables import trajectory_keys as table
from signaalwissel.sinks.trajectory_keys import Place, states_at

from tests.sinks.clock_support import MONDAY, Office, state
from tests.sinks.test_migrations import go

ONE, TWO, THREE = (bytes([0, number]) + bytes(32) for number in (1, 2, 3))


def with_keys(*keys: bytes, version: int = 1, erased: bool = False) -> TrajectoryState:
    made = state((TrajectoryEventKind.APPLIED, MONDAY))
    return made._replace(match_keys=keys, version=version, erased=erased)


@pytest.fixture
def office(database_url: str) -> Office:
    return Office(database_url)


def keys_in(office: Office) -> list[bytes]:
    return sorted(bytes(row["match_key"]) for row in office.rows(table))


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ([with_keys(ONE, TWO)], [ONE, TWO]),
        ([with_keys(ONE, TWO), with_keys(TWO, THREE, version=2)], [TWO, THREE]),
        ([with_keys(ONE, version=2), with_keys(TWO, version=1)], [ONE]),
        ([with_keys(ONE), with_keys(version=2, erased=True)], []),
        ([with_keys(version=2, erased=True), with_keys(ONE, version=3)], []),
    ],
)
def test_the_keys_are_those_of_the_newest_state(
    office: Office, told: Sequence[TrajectoryState], kept: list[bytes]
) -> None:
    for one in told:
        office.store(states=[one])
    assert keys_in(office) == kept


def test_a_state_that_is_not_the_stored_one_changes_nothing(office: Office) -> None:
    office.store(states=[with_keys(ONE, version=2)])
    with office.engine.begin() as connection:
        trajectory_keys.follow(connection, [with_keys(TWO, version=1), with_keys(THREE, version=3)])
    assert keys_in(office) == [ONE]


def test_the_keys_go_with_the_trajectory(office: Office) -> None:
    office.store(states=[with_keys(ONE)])
    with office.engine.begin() as connection:
        connection.execute(trajectories.delete())
    assert keys_in(office) == []


def test_an_earlier_database_gets_the_keys_of_what_it_knows(office: Office) -> None:
    office.store(states=[with_keys(ONE, TWO)])
    go(office.engine, command.downgrade, "0010")
    go(office.engine, command.upgrade, "head")
    assert keys_in(office) == [ONE, TWO]


def test_a_reader_finds_the_trajectories_of_his_municipalities_alone(office: Office) -> None:
    office.store(states=[with_keys(ONE), with_keys(ONE)._replace(municipality="0363")])
    grant_reader(office.engine)
    asked = [Place("0344", ONE), Place("0363", ONE), Place("0344", THREE)]
    with scoped(office.engine, RowScope(frozenset({"0344"}))) as connection:
        found = states_at(connection, asked)
    assert {place: [one.municipality for one in states] for place, states in found.items()} == {
        asked[0]: ["0344"]
    }
