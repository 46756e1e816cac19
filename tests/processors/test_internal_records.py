"""Whatever stands on `resident-events`, the matcher decides it, keeps nothing of it, or ends never."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signaalwissel.processors.housekeeping import sweep_match_key
from signaalwissel.processors.internal_records import TRAJECTORY_SIZE_MAX, check_decision
from signaalwissel.processors.matcher import Clock, Matcher
from signaalwissel.processors.matcher_state import MatcherState
from signaalwissel.processors.reading import UNREADABLE
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.decision_codec import read_decision
from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.fact_codec import trajectory_body, write_keyed_trajectory
from signaalwissel.schemas.internal import Fact, KeyedTrajectory, ResidentCommand, ResidentCommandKind
from signaalwissel.schemas.keyed_signal_codec import carried_block, check_carried, write_keyed_signal
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.trajectory import Counsellor, TrajectoryEventKind

from tests.processors.given import default_policies
from tests.processors.keyed import KEY, RECEIVED_ON, facts, keyed_signal, noon, trajectory
from tests.schemas.strategies import records

LONG = "x" * 201
FAR_DAYS = (date.min, date(1899, 12, 31), date(3000, 1, 2), date.max)
CLOCK = Clock(noon(RECEIVED_ON), noon(RECEIVED_ON))
LATE = noon(date(2040, 1, 1))


class Desk:
    """A matcher and its state."""

    def __init__(self) -> None:
        self.matcher = Matcher(default_policies())
        self.tables: tuple[dict[bytes, bytes], ...] = ({}, {}, {})
        self.state = MatcherState(*self.tables)

    def take(self, value: bytes, key: bytes = KEY) -> list[Any]:
        return list(self.matcher.step(self.state, key, value, CLOCK))

    def refuses(self, value: bytes, key: bytes = KEY) -> Rejected | DoesNotFit:
        """Why a record is refused; nothing of it is kept."""
        before = [dict(table) for table in self.tables], list(self.state.match_keys())
        with pytest.raises((Rejected, DoesNotFit)) as refused:
            self.take(value, key)
        assert before == ([dict(table) for table in self.tables], list(self.state.match_keys()))
        found: Rejected | DoesNotFit = refused.value  # type: ignore[assignment]
        return found


def told(*story: Fact, **fields: Any) -> bytes:
    """A trajectory with these facts."""
    keyed = KeyedTrajectory("0344", "T1", 1, False, "cause", story)._replace(**fields)
    return write_keyed_trajectory(trajectory_body(keyed))


@pytest.mark.parametrize("day", FAR_DAYS)
@pytest.mark.parametrize("field", ["reference_date", "last_day"])
def test_a_signal_of_a_day_beyond_the_calendar_is_refused(field: str, day: date) -> None:
    desk = Desk()
    desk.take(trajectory())
    assert desk.refuses(write_keyed_signal(keyed_signal()._replace(**{field: day}))).field == field


@pytest.mark.parametrize("field", ["signal_id", "municipality"])
@pytest.mark.parametrize("text", ["", LONG, "a\x00b", "a\nb"])
def test_a_signal_with_an_id_that_nobody_can_hold_is_refused(field: str, text: str) -> None:
    assert Desk().refuses(write_keyed_signal(keyed_signal()._replace(**{field: text}))).field == field


@pytest.mark.parametrize("ref", [b"", b"x" * 15, b"x" * 17])
def test_a_signal_ref_has_sixteen_bytes(ref: bytes) -> None:
    assert Desk().refuses(write_keyed_signal(keyed_signal()._replace(signal_ref=ref))).field == "signal_ref"


@pytest.mark.parametrize("key", [b"", KEY[:-1], KEY + b"x"])
def test_a_match_key_has_its_length(key: bytes) -> None:
    assert Desk().refuses(write_keyed_signal(keyed_signal()), key).field == "key"
    assert Desk().refuses(trajectory(), key).field == "key"


def test_a_signal_whose_carried_block_is_cut_off_is_refused() -> None:
    signal = keyed_signal()
    for length in range(len(signal.carried)):
        Desk().refuses(write_keyed_signal(signal._replace(carried=signal.carried[:length])))
    Desk().refuses(write_keyed_signal(signal._replace(carried=signal.carried + b"x")))


@given(records("EarlySignal"), st.binary(max_size=300))
def test_every_block_that_intake_writes_is_whole(signal: EarlySignal, sealed: bytes) -> None:
    check_carried(carried_block(signal, sealed))


@given(records("EarlySignal"), st.data())
def test_a_block_that_passes_can_be_read_by_everybody(signal: EarlySignal, data: st.DataObject) -> None:
    block = bytearray(carried_block(signal, b"sealed"))
    block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    desk = Desk()
    try:
        emissions = desk.take(write_keyed_signal(keyed_signal()._replace(carried=bytes(block))))
    except (Rejected, DoesNotFit):
        return
    read_decision(emissions[-1].value)


@pytest.mark.parametrize("length", range(1, 40))
def test_a_trajectory_cut_off_inside_its_facts_is_not_kept(length: int) -> None:
    assert isinstance(Desk().refuses(trajectory()[:-length]), DoesNotFit)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        *[pytest.param({"occurred_on": day}, "occurred_on", id=f"a fact of {day}") for day in FAR_DAYS],
        pytest.param({"recorded_at": 253_402_300_799_999}, "recorded_at", id="recorded in 9999"),
        pytest.param({"event_id": LONG}, "event_id", id="an endless id"),
        pytest.param({"client": 2}, "client", id="a third client"),
        pytest.param({"client": -1}, "client", id="a client before the first"),
        pytest.param({"exit_reason": None}, "exit_reason", id="an exit without a reason"),
        pytest.param({"counsellor": Counsellor("c", LONG)}, "counsellor.team", id="an endless team"),
    ],
)
def test_a_trajectory_with_an_absurd_fact_is_not_kept(fields: dict[str, Any], field: str) -> None:
    began, ended = facts()
    assert Desk().refuses(told(began, ended._replace(**fields))).field == f"facts[1].{field}"


@pytest.mark.parametrize("field", ["municipality", "trajectory_id", "caused_by_event_id"])
def test_a_trajectory_with_an_id_that_nobody_can_hold_is_not_kept(field: str) -> None:
    assert Desk().refuses(told(*facts(), **{field: LONG})).field == field


def test_a_trajectory_too_large_for_the_table_is_not_kept() -> None:
    began, _ = facts()
    client = began.clients[0]._replace(bsn=b"x" * TRAJECTORY_SIZE_MAX)
    refusal = Desk().refuses(told(began._replace(clients=(client,))))
    assert isinstance(refusal, Rejected)
    assert refusal.code is RejectionCode.TOO_LARGE


@pytest.mark.parametrize("field", ["command_id", "trajectory_id"])
def test_a_command_with_an_endless_id_is_refused(field: str) -> None:
    desk = Desk()
    desk.take(write_keyed_signal(keyed_signal()))
    kind = ResidentCommandKind.CONFIRM_IDENTITY
    command = ResidentCommand("c1", kind, "0344", keyed_signal().signal_ref, "T1", 0, noon(RECEIVED_ON))
    assert desk.refuses(codec("ResidentCommand").encode(command._replace(**{field: LONG}))).field == field


def near_facts() -> st.SearchStrategy[Fact]:
    """Facts of any kind and content, most of them within the calendar."""
    near = date(2024, 1, 1), date(2027, 1, 1)
    fields = {
        "occurred_on": st.dates(*near) | st.dates(),
        "recorded_at": st.integers(*map(noon, near)) | st.integers(-(2**60), 2**60),
        "kind": st.sampled_from(TrajectoryEventKind),
        "client": st.sampled_from([None, 0, 1, 7]),
    }
    made = records("KeyedTrajectory").flatmap(lambda told: st.sampled_from(told.facts or facts()))
    return st.builds(lambda fact, given: fact._replace(**given), made, st.fixed_dictionaries(fields))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(near_facts(), max_size=6), min_size=1, max_size=4), st.dates(), st.booleans())
def test_nothing_on_the_topic_ends_the_matcher_or_its_sweep(
    stories: list[list[Fact]], last_day: date, soon: bool
) -> None:
    desk = Desk()
    records_given = [
        told(*story, version=number, trajectory_id=f"T{number % 2}") for number, story in enumerate(stories)
    ]
    records_given.insert(1, write_keyed_signal(keyed_signal()))
    records_given.append(write_keyed_signal(keyed_signal("S2")._replace(last_day=last_day)))
    for value in records_given:
        try:
            desk.take(value)
        except (Rejected, *UNREADABLE):
            continue
    for match_key in list(desk.state.match_keys()):
        sweep_match_key(desk.state, match_key, default_policies(), noon(RECEIVED_ON) if soon else LATE)


def test_a_decision_that_the_sink_cannot_reckon_on_with_is_refused() -> None:
    decision = read_decision(Desk().take(write_keyed_signal(keyed_signal()))[-1].value)
    check_decision(decision)
    for field in ("reference_date", "last_day", "arrears_since", "signalled_on"):
        for day in FAR_DAYS:
            with pytest.raises(Rejected) as refused:
                check_decision(decision._replace(**{field: day}))
            assert refused.value.field == field
    for field in ("received_at", "decided_at"):
        with pytest.raises(Rejected):
            check_decision(decision._replace(**{field: 253_402_300_799_999}))
