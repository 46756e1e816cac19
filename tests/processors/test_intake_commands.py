"""Commands from the sink to intake: erase, object, death (design 1)."""

from datetime import date

import pytest
from signaalwissel.processors.emissions import Emission
from signaalwissel.processors.intake_commands import IntakeCommands
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.trajectory import Trajectory, fold
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.internal import IntakeCommand, IntakeCommandKind

from tests.processors.given import ANNA, BRAM, applied, died, event, exited
from tests.processors.test_intake_trajectories import Desk

Kind = IntakeCommandKind
DAY = date(2026, 2, 1)


def command(kind: Kind, client: int | None = None, command_id: str = "c1") -> IntakeCommand:
    return IntakeCommand(command_id, kind, "0344", "T1", client, DAY, 1_770_000_000_000)


def carried_out(desk: Desk, *commands: IntakeCommand) -> list[Emission]:
    """What the last command brings."""
    came: list[Emission] = []
    for one in commands:
        came = IntakeCommands(desk.intake).step(desk.table, one, 1_770_000_000_001)
    return came


def trajectory_in(came: list[Emission]) -> Trajectory:
    state = read_trajectory_state(came[-1].value)
    found = fold(state.trajectory_id, state.facts)
    assert found is not None
    return found


@pytest.fixture
def couple() -> Desk:
    """A trajectory of two."""
    desk = Desk()
    desk.take(applied("2025-01-10", ANNA, BRAM))
    return desk


@pytest.mark.parametrize("client", [0, 1])
def test_an_objection_of_one_of_two_is_his_alone(couple: Desk, client: int) -> None:
    found = trajectory_in(carried_out(couple, command(Kind.OBJECT, client)))
    assert [bool(c.objections) for c in found.clients] == [client == 0, client == 1]


def test_without_a_client_it_is_everybodys(couple: Desk) -> None:
    found = trajectory_in(carried_out(couple, command(Kind.OBJECT)))
    assert all(c.objections for c in found.clients)


def test_a_withdrawn_objection_ends_that_day(couple: Desk) -> None:
    came = carried_out(couple, command(Kind.OBJECT, 0), command(Kind.WITHDRAW_OBJECTION, 0, "c2"))
    assert trajectory_in(came).clients[0].objections[0].end == DAY


def test_a_death_is_that_clients(couple: Desk) -> None:
    found = trajectory_in(carried_out(couple, command(Kind.DECEASED, 1)))
    assert [c.deaths for c in found.clients] == [[], [DAY]]


def test_it_stands_behind_everything_that_the_case_system_told() -> None:
    desk = Desk()
    desk.take([*applied(), *exited("2025-06-01", sequence=70)])
    state = read_trajectory_state(carried_out(desk, command(Kind.DECEASED, 0))[-1].value)
    assert (state.facts[-1].event_id, state.facts[-1].sequence) == ("c1", 71)
    assert state.caused_by_event_id == "c1"


def test_erasing_empties_it_under_every_key(couple: Desk) -> None:
    came = carried_out(couple, command(Kind.ERASE))
    assert len(came) == 4
    assert couple.kept().erased


@pytest.mark.parametrize("kind", Kind)
def test_a_command_that_was_seen_says_nothing(couple: Desk, kind: Kind) -> None:
    once = command(kind, 0)
    assert carried_out(couple, once, once) == []


def test_nothing_is_said_of_an_erased_trajectory(couple: Desk) -> None:
    couple.take(event("ERASED", "2026-01-01"))
    assert carried_out(couple, command(Kind.OBJECT, 0)) == []


def test_a_trajectory_that_is_not_known_is_refused() -> None:
    with pytest.raises(Rejected, match="UNKNOWN_TRAJECTORY: trajectory_id"):
        carried_out(Desk(), command(Kind.OBJECT, 0))


@pytest.mark.parametrize("client", [2, -1])
def test_a_client_that_is_not_there_is_refused(couple: Desk, client: int) -> None:
    with pytest.raises(Rejected, match="INVALID_FIELD: client"):
        carried_out(couple, command(Kind.OBJECT, client))


def test_a_death_that_the_case_system_told_too_is_one_death() -> None:
    desk = Desk()
    desk.take([*applied(), *died("2026-01-10")])
    assert trajectory_in(carried_out(desk, command(Kind.DECEASED, 0))).clients[0].deaths == [DAY]
