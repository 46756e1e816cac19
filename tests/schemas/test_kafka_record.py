"""A record of Kafka's own format is read whole, whatever its header names are; anything else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.record.default_records import DefaultRecordBatch
from signaalwissel.schemas.kafka_record import read_kafka_record

from tests.odd_records import ODD_NAME, READ_NAME, Name, batch

BEGIN = DefaultRecordBatch.HEADER_STRUCT.size


@given(st.lists(st.tuples(st.text(max_size=200), st.none() | st.binary(max_size=20_000)), max_size=5))
def test_a_record_reads_as_the_client_reads_it(headers: list[tuple[str, bytes | None]]) -> None:
    data = batch([headers])
    (expected,) = DefaultRecordBatch(data)
    read = read_kafka_record(data, BEGIN)
    assert (read.key, read.value, read.headers) == (expected.key, expected.value, expected.headers)
    assert (read.offset_delta, read.timestamp_delta, read.end) == (0, 0, len(data))


def test_a_name_that_is_no_utf_8_tells_its_bytes() -> None:
    data = batch([[("first", b"1")], [(Name(ODD_NAME), b"odd"), ("last", None)]])
    second = read_kafka_record(data, read_kafka_record(data, BEGIN).end)
    assert second.headers == [(READ_NAME, b"odd"), ("last", None)]
    assert (second.offset_delta, second.timestamp_delta, second.end) == (1, 1, len(data))


@given(st.binary(max_size=80))
def test_bytes_that_are_no_record_are_refused(data: bytes) -> None:
    try:
        read_kafka_record(data, 0)
    except ValueError:
        return
    # Some bytes are a record by chance: then its length says so itself.
    assert len(data) > 0


@pytest.mark.parametrize("length", range(1, 12))
def test_a_record_that_is_cut_off_is_refused(length: int) -> None:
    data = batch([[("name", b"content")]])
    with pytest.raises(ValueError, match="record"):
        read_kafka_record(data[:-length], BEGIN)
