"""What a record is on Kafka, whoever publishes it."""

from signaalwissel.processors.published import published
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.trajectory import TrajectoryEventKind

from tests.sources.gateway_support import event, signal, update


def test_a_signal_goes_under_partner_and_number() -> None:
    record = codec("EarlySignal").from_json(signal(received_at="2026-02-28T10:00:00Z"))
    sent = published(record)
    assert (sent.key, sent.kind) == (b"water-west/S-1", "nl.vroegsignalering.signaal-ontvangen")
    assert sent.event_id == f"0344/water-west/S-1/{record.received_at}"
    assert codec("EarlySignal").decode(sent.value) == record


def test_an_event_goes_under_its_trajectory_with_a_type_for_its_kind() -> None:
    for kind in TrajectoryEventKind:
        record = codec("TrajectoryEvent").from_json(event(kind=kind.value))
        sent = published(record)
        assert (sent.key, sent.event_id) == (b"0344/T-1", "e-1")
        assert sent.kind == "nl.schuldhulpverlening.traject-" + kind.value.lower().replace("_", "-")
        assert codec("TrajectoryEvent").decode(sent.value) == record


def test_an_update_goes_under_its_task() -> None:
    record = codec("TaskUpdate").from_json(update())
    sent = published(record)
    assert (sent.key, sent.event_id) == (b"t-1", "u-1")
    assert sent.kind == "nl.schuldhulpverlening.taak-gemeld"
    assert codec("TaskUpdate").decode(sent.value) == record
