"""What rules emit, on Kafka: prefix, CloudEvents headers where others read, the trace of what caused it."""

import pytest
from signaalwissel.processors.emissions import Emission
from signaalwissel.streams.publishing import Publisher, event_time

from tests.streams.handler_support import CLOUD_EVENT, NAMES, SOURCE, TRACE, CollectedOutputs, Sent

PUBLIC = Emission("regular-flow", b"key", b"value", "nl.test.routed", "id-0")
INTERNAL = Emission("resident-events", b"key", b"value")
TIME = event_time(1_772_280_000_123)


def published(*emissions: Emission, trace: tuple[tuple[str, bytes], ...] = ()) -> list[Sent]:
    outputs = CollectedOutputs()
    Publisher(NAMES, SOURCE).publish(outputs, emissions, trace, TIME)
    return outputs.sent


def test_a_public_record_is_a_cloud_event() -> None:
    (record,) = published(PUBLIC)
    assert (record.topic, record.key, record.value) == ("regular-flow", b"key", b"value")
    assert record.named == {
        "ce_id": b"id-0",
        "ce_source": SOURCE.encode(),
        "ce_specversion": b"1.0",
        "ce_type": b"nl.test.routed",
        "ce_time": b"2026-02-28T12:00:00.123Z",
        "content-type": b"application/avro",
    }
    assert set(record.named) == CLOUD_EVENT


def test_an_internal_record_has_no_headers() -> None:
    assert published(INTERNAL)[0].headers == ()


@pytest.mark.parametrize("emission", [PUBLIC, INTERNAL])
def test_the_trace_is_passed_on(emission: Emission) -> None:
    (record,) = published(emission, trace=(TRACE,))
    assert record.named["traceparent"] == TRACE[1]


def test_the_headers_of_an_emission_come_with_it() -> None:
    letter = Emission("dead-letters", b"id", b"value", headers=(("dead-letter-code", b"UNREADABLE"),))
    assert published(letter, trace=(TRACE,))[0].headers == (("dead-letter-code", b"UNREADABLE"), TRACE)


def test_records_keep_their_order() -> None:
    assert [record.topic for record in published(PUBLIC, INTERNAL, PUBLIC)] == [
        "regular-flow",
        "resident-events",
        "regular-flow",
    ]
