"""RoutedSignal and Decision by hand against the generic codec and fastavro."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.keyed_signal_codec import Carried, carried_block
from signaalwissel.schemas.routed_codec import (
    NO_TRAJECTORY,
    Answer,
    AuditPart,
    RoutingHead,
    Shared,
    TrajectoryPart,
    shared,
    trajectory_part,
    write_decision,
    write_routed_signal,
)
from signaalwissel.schemas.routing import Decision, Reason, RoutedSignal, TrueReason
from signaalwissel.schemas.signal import EarlySignal, Subject

from tests.schemas import golden
from tests.schemas.strategies import EXAMPLES, fastavro_bytes, records


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


def shared_of(record: RoutedSignal | Decision) -> Shared:
    return shared(part(RoutingHead, record), carried_of(record))


SIGNAL: RoutedSignal = codec("RoutedSignal").from_json(
    {
        **golden.full_json("RoutedSignal"),
        **dict.fromkeys(TrajectoryPart._fields),
    }
)
NO_AUDIT = AuditPart(None, None, (), b"", date(2026, 2, 28), None, None, None, None)


@given(records("RoutedSignal"))
@EXAMPLES
def test_a_routed_signal_is_written_as_fastavro_writes_it(routed: RoutedSignal) -> None:
    trajectory = trajectory_part(part(TrajectoryPart, routed))
    data = write_routed_signal(shared_of(routed), part(Answer, routed), trajectory)
    assert data == codec("RoutedSignal").encode(routed) == fastavro_bytes("RoutedSignal", routed)


@given(records("RoutedSignal"))
@EXAMPLES
def test_a_regular_signal_has_no_trajectory_in_it(routed: RoutedSignal) -> None:
    data = write_routed_signal(shared_of(routed), part(Answer, routed), NO_TRAJECTORY)
    regular = routed._replace(**dict.fromkeys(TrajectoryPart._fields))
    assert data == codec("RoutedSignal").encode(regular)
    assert codec("RoutedSignal").decode(data) == regular


@given(records("Decision"))
@EXAMPLES
def test_a_decision_is_written_as_fastavro_writes_it(decision: Decision) -> None:
    data = write_decision(
        shared_of(decision),
        part(Answer, decision),
        trajectory_part(part(TrajectoryPart, decision)),
        part(AuditPart, decision),
    )
    assert data == codec("Decision").encode(decision) == fastavro_bytes("Decision", decision)


@pytest.mark.parametrize("reason", sorted(set(Reason.__members__) & set(TrueReason.__members__)))
def test_a_reason_of_one_text_and_two_enums_is_written_by_its_place_in_its_own(reason: str) -> None:
    for _ in range(2):
        # Twice: what is encoded once for all signals must not mix the two enums up.
        routed = SIGNAL._replace(reason=Reason(reason))
        revision, answer = shared_of(routed), part(Answer, routed)
        data = write_routed_signal(revision, answer, NO_TRAJECTORY)
        assert data == codec("RoutedSignal").encode(routed)
        true_answer = answer._replace(reason=TrueReason(reason))
        decision = write_decision(revision, true_answer, NO_TRAJECTORY, NO_AUDIT)
        assert codec("Decision").decode(decision).reason is TrueReason(reason)


def test_a_trajectory_of_nothing_is_no_trajectory() -> None:
    assert trajectory_part(TrajectoryPart()) == NO_TRAJECTORY


@given(records("Decision"))
@EXAMPLES
def test_a_routed_signal_and_the_decision_of_one_revision_share_their_head(decision: Decision) -> None:
    """Encoded once for both: what one reads of the signal is what the other reads."""
    routed = SIGNAL._replace(
        **{name: getattr(decision, name) for name in (*RoutingHead._fields, *Carried._fields)}
    )
    assert shared_of(routed) == shared_of(decision)
