"""RoutedSignal and Decision by hand against the generic codec and fastavro."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.keyed_signal_codec import carried_block
from signaalwissel.schemas.routed_codec import (
    NO_TRAJECTORY_PART,
    AuditPart,
    RoutingHead,
    TrajectoryPart,
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
    data = write_routed_signal(part(RoutingHead, routed), carried_of(routed), part(TrajectoryPart, routed))
    assert data == codec("RoutedSignal").encode(routed) == fastavro_bytes("RoutedSignal", routed)


@given(records("RoutedSignal"))
@EXAMPLES
def test_a_regular_signal_has_no_trajectory_in_it(routed: RoutedSignal) -> None:
    data = write_routed_signal(part(RoutingHead, routed), carried_of(routed), NO_TRAJECTORY_PART)
    regular = routed._replace(**dict.fromkeys(TrajectoryPart._fields))
    assert data == codec("RoutedSignal").encode(regular)
    assert codec("RoutedSignal").decode(data) == regular


@given(records("Decision"))
@EXAMPLES
def test_a_decision_is_written_as_fastavro_writes_it(decision: Decision) -> None:
    data = write_decision(
        part(RoutingHead, decision),
        carried_of(decision),
        part(TrajectoryPart, decision),
        part(AuditPart, decision),
    )
    assert data == codec("Decision").encode(decision) == fastavro_bytes("Decision", decision)


@pytest.mark.parametrize("reason", sorted(set(Reason.__members__) & set(TrueReason.__members__)))
def test_a_reason_of_one_text_and_two_enums_is_written_by_its_place_in_its_own(reason: str) -> None:
    for _ in range(2):
        # Twice: what is encoded once for all signals must not mix the two enums up.
        routed = SIGNAL._replace(reason=Reason(reason))
        head = part(RoutingHead, routed)
        data = write_routed_signal(head, carried_of(routed), NO_TRAJECTORY_PART)
        assert data == codec("RoutedSignal").encode(routed)
        true_head = head._replace(reason=TrueReason(reason))
        decision = write_decision(true_head, carried_of(routed), NO_TRAJECTORY_PART, NO_AUDIT)
        assert codec("Decision").decode(decision).reason is TrueReason(reason)
