"""One resident out of a trajectory (design 2, 7): his facts, identity, keys and signals; the other's stay."""

from datetime import date

import pytest
from signaalwissel.processors.emissions import RESIDENT_EVENTS, TRAJECTORY_STATES, Emission
from signaalwissel.processors.intake_commands import IntakeCommands
from signaalwissel.processors.intake_erasure import open_clients
from signaalwissel.processors.trajectory import Trajectory, fold
from signaalwissel.schemas.contract import codec, record_name
from signaalwissel.schemas.fact_codec import read_keyed_trajectory, read_trajectory_state
from signaalwissel.schemas.internal import ClientPseudonym, IntakeCommandKind, ResidentCommand
from signaalwissel.schemas.signal import Subject
from signaalwissel.schemas.wire_format import schema_id_of

from tests.processors.given import ANNA, AWAY, BRAM, applied, by_bsn, client_changed, died, exited, objected
from tests.processors.test_intake_commands import command, source_of
from tests.processors.test_intake_trajectories import Desk

ERASE = IntakeCommandKind.ERASE
ANNA_AT, BRAM_AT = 0, 1


def erase(desk: Desk, client: int | None, command_id: str = "erase-1") -> list[Emission]:
    one = command(ERASE, client, command_id)
    return IntakeCommands(desk.intake).step(desk.table, one, source_of(one))


def keys_of(desk: Desk, person: dict[str, object]) -> set[bytes]:
    subject: Subject = codec("SealedSubject").from_json({"subject": person}).subject
    return set(desk.keys.pseudonym_keys("0344").trajectory_match_keys(subject))


def named(came: list[Emission], name: str) -> list[Emission]:
    return [one for one in came if record_name(schema_id_of(one.value)) == name]


def pseudonym(desk: Desk, person: dict[str, object]) -> ClientPseudonym:
    subject: Subject = codec("SealedSubject").from_json({"subject": person}).subject
    return desk.keys.pseudonym_keys("0344").pseudonym(subject)


def standing(desk: Desk) -> Trajectory:
    kept = desk.kept()
    found = fold(kept.trajectory_id, kept.facts)
    assert found is not None
    return found


def traces(desk: Desk, came: list[Emission], person: dict[str, object]) -> list[bytes]:
    """The hashes of a person that stand in what is kept, or in what goes out of trajectories."""
    hashes = [one for one in pseudonym(desk, person)[:3] if one is not None]
    told = [one.value for one in came if record_name(schema_id_of(one.value)) != "ResidentCommand"]
    return [one for one in hashes if any(one in content for content in (*desk.table.values(), *told))]


@pytest.fixture
def couple() -> Desk:
    desk = Desk()
    desk.take(applied("2025-01-10", ANNA, BRAM))
    return desk


def test_before_the_trajectory_goes_his_signals_are_erased_under_each_of_his_keys(couple: Desk) -> None:
    came = erase(couple, BRAM_AT)
    commands = named(came, "ResidentCommand")
    assert came[: len(commands)] == commands
    assert {one.key for one in commands} == keys_of(couple, BRAM)
    said: ResidentCommand = codec("ResidentCommand").decode(commands[0].value)
    assert said.person == ClientPseudonym(*pseudonym(couple, BRAM)[:2])
    assert (said.trajectory_id, said.client) == ("T1", BRAM_AT)


def test_under_his_own_key_the_trajectory_is_erased_and_under_the_others_it_goes_on(couple: Desk) -> None:
    came = named(erase(couple, BRAM_AT), "KeyedTrajectory")
    found = {one.key: read_keyed_trajectory(one.value) for one in came}
    gone = keys_of(couple, BRAM) - keys_of(couple, ANNA)
    assert len(gone) == 1
    assert {key for key, one in found.items() if one.erased} == gone
    assert set(found) - gone == keys_of(couple, ANNA)
    assert {one.version for one in found.values()} == {2}


@pytest.mark.parametrize(("position", "him", "other"), [(ANNA_AT, ANNA, BRAM), (BRAM_AT, BRAM, ANNA)])
def test_nothing_of_him_is_kept_or_told_and_everything_of_the_other_is(
    couple: Desk, position: int, him: dict[str, object], other: dict[str, object]
) -> None:
    couple.take([*objected("2025-02-01", him), *died("2025-03-01", other)])
    came = erase(couple, position)
    assert traces(couple, came, him) == []
    assert len(traces(couple, came, other)) == 3
    found = standing(couple)
    assert found.clients[position].identity.member == ()
    assert found.clients[position].objections == ()
    assert found.clients[1 - position].deaths == [date(2025, 3, 1)]


def test_his_sealed_identity_goes_and_the_others_stays(couple: Desk) -> None:
    couple.take(client_changed("2025-02-01", ANNA, {**BRAM, **AWAY}))
    erase(couple, BRAM_AT)
    kept = couple.kept()
    for item in kept.identities:
        anna, bram = open_clients(kept, item, couple.keys)
        assert (anna.bsn, bram) == (ANNA["bsn"], Subject())
    assert set(kept.match_keys) == keys_of(couple, ANNA)


@pytest.mark.parametrize(
    "late",
    [
        pytest.param(client_changed("2025-04-01", ANNA, {**BRAM, **AWAY}), id="listed again"),
        pytest.param(applied("2025-01-10", ANNA, BRAM, event_id="again", sequence=0), id="applied again"),
        pytest.param(objected("2025-04-01", BRAM), id="his objection"),
        pytest.param(died("2025-04-01", by_bsn(BRAM)), id="his death, by BSN"),
    ],
)
def test_whatever_comes_late_brings_nothing_of_him_back(couple: Desk, late: list[dict[str, object]]) -> None:
    erase(couple, BRAM_AT)
    came = couple.take(late)
    assert traces(couple, came, BRAM) == []
    assert keys_of(couple, BRAM).isdisjoint(set(couple.kept().match_keys) - keys_of(couple, ANNA))
    assert standing(couple).clients[BRAM_AT].identity.bsn is None


def test_the_other_goes_on_as_before(couple: Desk) -> None:
    erase(couple, BRAM_AT)
    couple.take(exited("2025-08-31"))
    assert standing(couple).clients[ANNA_AT].running[-1].end == date(2025, 8, 31)


def test_the_only_client_takes_the_trajectory_with_him() -> None:
    desk = Desk()
    desk.take(applied("2025-01-10", ANNA))
    came = erase(desk, ANNA_AT)
    topics = [one.topic for one in came]
    assert topics == [RESIDENT_EVENTS] * 4 + [TRAJECTORY_STATES]
    assert [record_name(schema_id_of(one.value)) for one in came[:2]] == ["ResidentCommand"] * 2
    assert desk.kept().erased
    assert read_trajectory_state(came[-1].value).erased
    assert desk.take(client_changed("2025-04-01", ANNA)) == []


def test_the_second_of_two_takes_it_with_him_too(couple: Desk) -> None:
    erase(couple, BRAM_AT)
    erase(couple, ANNA_AT, "erase-2")
    assert couple.kept().erased
    assert couple.kept().match_keys == ()


@pytest.mark.parametrize("kind", [ERASE, IntakeCommandKind.OBJECT, IntakeCommandKind.DECEASED])
def test_nothing_more_is_done_about_an_erased_client(couple: Desk, kind: IntakeCommandKind) -> None:
    erase(couple, BRAM_AT)
    one = command(kind, BRAM_AT, "later")
    assert IntakeCommands(couple.intake).step(couple.table, one, source_of(one)) == []


def test_a_client_who_is_erased_before_his_application_came_does_not_come_with_it() -> None:
    desk = Desk()
    desk.take(client_changed("2025-02-01", ANNA, BRAM))
    assert erase(desk, BRAM_AT) != []
    came = desk.take(applied("2025-01-10", ANNA, BRAM, sequence=0))
    assert traces(desk, came, BRAM) == []
    assert standing(desk).clients[ANNA_AT].identity.bsn == pseudonym(desk, ANNA).bsn


def test_under_a_bsn_that_was_mended_nobody_elses_signals_are_asked_for(couple: Desk) -> None:
    mended = {**BRAM, "bsn": "999990019"}
    couple.take(client_changed("2025-02-01", ANNA, mended))
    commands = named(erase(couple, BRAM_AT), "ResidentCommand")
    people = {codec("ResidentCommand").decode(one.value).person.bsn for one in commands}
    assert people == {pseudonym(couple, mended).bsn}
