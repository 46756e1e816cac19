"""RoutedSignal and Decision by hand against the generic codec and fastavro."""

from typing import Any

import pytest
from hypothesis import given
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.keyed_signal_codec import Carried, carried_block
from signaalwissel.schemas.routed_codec import (
    NO_TRAJECTORY,
    Shared,
    TrajectoryPart,
    answer,
    cause,
    finding,
    shared,
    trajectory_part,
    write_decision,
    write_routed_signal,
)
from signaalwissel.schemas.routing import Decision, Reason, RoutedSignal, TrueReason
from signaalwissel.schemas.signal import EarlySignal, Subject

from tests.schemas import golden
from tests.schemas.strategies import EXAMPLES, fastavro_bytes, records

HEAD = ("routing_id", "signal_id", "municipality", "revision", "reference_date", "decided_at")


def carried_of(record: RoutedSignal | Decision) -> bytes:
    signal = EarlySignal(
        signal_id="",
        municipality="",
        partner=record.partner,
        subject=Subject(),
        customer_reference=None,
        arrears=record.arrears,
        arrears_since=record.arrears_since,
        signalled_on=record.signalled_on,
        received_at=record.received_at,
        crisis=record.crisis,
        warm_transfer=record.warm_transfer,
        collection_effort_attested=False,
    )
    return carried_block(signal, record.sealed_subject)


def part(kind: Any, record: RoutedSignal | Decision) -> Any:
    return kind(*[getattr(record, field) for field in kind._fields])


def of(record: RoutedSignal | Decision, *fields: str) -> list[Any]:
    return [getattr(record, field) for field in fields]


def shared_of(record: RoutedSignal | Decision) -> Shared:
    return shared(*of(record, *HEAD), carried_of(record))


def answer_of(record: RoutedSignal | Decision) -> bytes:
    return answer(*of(record, "route", "reason", "explanation", "policy_version"))


def decision_of(decision: Decision, answered: bytes, trajectory: bytes) -> bytes:
    found = finding(*of(decision, "matched_by", "evidence", "candidates"))
    caused = cause(*of(decision, "action", "cause", "caused_by_event_id", "previous_routing_id"))
    return write_decision(
        shared_of(decision), answered, trajectory, found, decision.match_key, decision.last_day, caused
    )


SIGNAL: RoutedSignal = codec("RoutedSignal").from_json(
    {
        **golden.full_json("RoutedSignal"),
        **dict.fromkeys(TrajectoryPart._fields),
    }
)
DECISION: Decision = codec("Decision").from_json(golden.full_json("Decision"))


@given(records("RoutedSignal"))
@EXAMPLES
def test_a_routed_signal_is_written_as_fastavro_writes_it(routed: RoutedSignal) -> None:
    trajectory = trajectory_part(part(TrajectoryPart, routed))
    data = write_routed_signal(shared_of(routed), answer_of(routed), trajectory)
    assert data == codec("RoutedSignal").encode(routed) == fastavro_bytes("RoutedSignal", routed)


@given(records("RoutedSignal"))
@EXAMPLES
def test_a_regular_signal_has_no_trajectory_in_it(routed: RoutedSignal) -> None:
    data = write_routed_signal(shared_of(routed), answer_of(routed), NO_TRAJECTORY)
    regular = routed._replace(**dict.fromkeys(TrajectoryPart._fields))
    assert data == codec("RoutedSignal").encode(regular)
    assert codec("RoutedSignal").decode(data) == regular


@given(records("Decision"))
@EXAMPLES
def test_a_decision_is_written_as_fastavro_writes_it(decision: Decision) -> None:
    data = decision_of(decision, answer_of(decision), trajectory_part(part(TrajectoryPart, decision)))
    assert data == codec("Decision").encode(decision) == fastavro_bytes("Decision", decision)


@pytest.mark.parametrize("reason", sorted(set(Reason.__members__) & set(TrueReason.__members__)))
def test_a_reason_of_one_text_and_two_enums_is_written_by_its_place_in_its_own(reason: str) -> None:
    for _ in range(2):
        # Twice: what is encoded once for all signals must not mix the two enums up.
        routed = SIGNAL._replace(reason=Reason(reason))
        data = write_routed_signal(shared_of(routed), answer_of(routed), NO_TRAJECTORY)
        assert data == codec("RoutedSignal").encode(routed)
        decided = DECISION._replace(reason=TrueReason(reason))
        decision = decision_of(decided, answer_of(decided), NO_TRAJECTORY)
        assert codec("Decision").decode(decision).reason is TrueReason(reason)


def test_a_trajectory_of_nothing_is_no_trajectory() -> None:
    assert trajectory_part(TrajectoryPart()) == NO_TRAJECTORY


@given(records("Decision"))
@EXAMPLES
def test_a_routed_signal_and_the_decision_of_one_revision_share_their_head(decision: Decision) -> None:
    """Encoded once for both: what one reads of the signal is what the other reads."""
    routed = SIGNAL._replace(**{name: getattr(decision, name) for name in (*HEAD, *Carried._fields)})
    mine, other = shared_of(routed), shared_of(decision)
    assert (mine.before, mine.behind) == (other.before, other.behind)
