"""Commands from the sink to intake: erase, object, death (design 1)."""

from datetime import date

import pytest
from signaalwissel.processors.dead_letters import Source, open_original
from signaalwissel.processors.emissions import DEAD_LETTERS, Emission
from signaalwissel.processors.intake_commands import IntakeCommands
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.trajectory import Trajectory, fold
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.internal import IntakeCommand, IntakeCommandKind

from tests.processors.given import (
    ANNA,
    BRAM,
    applied,
    client_changed,
    default_policies,
    died,
    event,
    exited,
    without,
)
from tests.processors.test_intake_trajectories import DAY as DAY_MS
from tests.processors.test_intake_trajectories import KEY, START, Desk

Kind = IntakeCommandKind
DAY = date(2026, 2, 1)


def command(kind: Kind, client: int | None = None, command_id: str = "c1") -> IntakeCommand:
    return IntakeCommand(command_id, kind, "0344", "T1", client, DAY, 1_770_000_000_000)


def source_of(one: IntakeCommand, at: int = START) -> Source:
    return Source("intake-commands", 3, 7, at, KEY, codec("IntakeCommand").encode(one))


def carried_out(desk: Desk, *commands: IntakeCommand) -> list[Emission]:
    """What the last command brings."""
    came: list[Emission] = []
    for one in commands:
        came = IntakeCommands(desk.intake).step(desk.table, one, source_of(one))
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


@pytest.mark.parametrize("kind", [Kind.OBJECT, Kind.WITHDRAW_OBJECTION, Kind.DECEASED])
def test_of_two_clients_it_must_say_which(couple: Desk, kind: Kind) -> None:
    with pytest.raises(Rejected, match="MISSING_FIELD: clients"):
        carried_out(couple, command(kind))


def test_of_one_client_it_need_not() -> None:
    desk = Desk()
    desk.take(applied())
    assert trajectory_in(carried_out(desk, command(Kind.OBJECT))).clients[0].objections


@pytest.mark.parametrize("client", [0, 1])
def test_a_client_of_whom_nothing_but_an_address_is_known_is_reached_by_his_position(client: int) -> None:
    desk = Desk()
    nobody_in_particular = without(ANNA, "bsn", "birth_date")
    desk.take(applied("2025-01-10", nobody_in_particular, nobody_in_particular))
    found = trajectory_in(carried_out(desk, command(Kind.DECEASED, client)))
    assert [bool(c.deaths) for c in found.clients] == [client == 0, client == 1]


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


class TestWaiting:
    """A command before the application of its trajectory waits, as an event does (domain 8.16)."""

    @pytest.mark.parametrize("kind", [Kind.OBJECT, Kind.DECEASED])
    def test_it_takes_effect_with_the_application(self, kind: Kind) -> None:
        desk = Desk()
        assert carried_out(desk, command(kind, 0)) == []
        found = trajectory_in(desk.take(applied(sequence=40)))
        assert bool(found.clients[0].deaths) is (kind is Kind.DECEASED)
        assert bool(found.clients[0].objections) is (kind is Kind.OBJECT)
        assert desk.intake.waits_until(desk.table, KEY) is None

    def test_it_stands_behind_what_was_told_until_then_in_the_order_in_which_it_came(self) -> None:
        desk = Desk()
        carried_out(desk, command(Kind.OBJECT, 0, "b"), command(Kind.WITHDRAW_OBJECTION, 0, "a"))
        state = read_trajectory_state(desk.take(applied(sequence=40))[-1].value)
        assert [(fact.event_id, fact.sequence) for fact in state.facts] == [("e1", 40), ("b", 41), ("a", 42)]

    def test_the_same_command_waits_once(self) -> None:
        desk = Desk()
        carried_out(desk, command(Kind.OBJECT, 0), command(Kind.OBJECT, 0))
        assert len(desk.kept().waiting) == 1

    @pytest.mark.parametrize(
        ("applies", "field"),
        [
            pytest.param(False, "trajectory_id", id="no application"),
            pytest.param(True, "clients", id="no such client"),
        ],
    )
    def test_what_waits_in_vain_becomes_a_dead_letter_with_the_command_inside(
        self, applies: bool, field: str
    ) -> None:
        desk = Desk()
        if applies:
            desk.take(applied())
        said = command(Kind.OBJECT, 1)
        came = carried_out(desk, said)
        assert (came != []) is applies
        assert desk.intake.expire(desk.table, KEY, START + 30 * DAY_MS) == []
        letter, *told = desk.intake.expire(desk.table, KEY, START + 30 * DAY_MS + 1)
        found = codec("DeadLetter").decode(letter.value)
        assert (letter.topic, found.code, found.field) == (DEAD_LETTERS, "ORPHANED_EVENT", field)
        assert (found.topic, found.partition, found.offset, found.record_id) == (
            "intake-commands",
            3,
            7,
            "c1",
        )
        original = open_original(found.sealed, found.dead_letter_id, desk.keys.by_id)
        assert codec("IntakeCommand").decode(original.value or b"") == said
        assert (told != []) is applies
        assert KEY not in desk.table or desk.kept().waiting == ()

    def test_it_takes_effect_when_its_client_is_listed(self) -> None:
        desk = Desk()
        desk.take(applied("2025-01-10", ANNA))
        carried_out(desk, command(Kind.OBJECT, 1))
        found = trajectory_in(desk.take(client_changed("2025-02-01", ANNA, BRAM)))
        assert [bool(c.objections) for c in found.clients] == [False, True]

    def test_a_municipality_without_policy_is_refused(self) -> None:
        desk = Desk(Policies(default_policies().default))
        with pytest.raises(Rejected, match="UNKNOWN_MUNICIPALITY"):
            carried_out(desk, command(Kind.OBJECT, 0))


def test_a_death_that_the_case_system_told_too_is_one_death() -> None:
    desk = Desk()
    desk.take([*applied(), *died("2026-01-10")])
    assert trajectory_in(carried_out(desk, command(Kind.DECEASED, 0))).clients[0].deaths == [DAY]
