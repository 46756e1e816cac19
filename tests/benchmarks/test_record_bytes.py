"""The bytes of a record are those of Kafka's own format."""

import pytest
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from tests.benchmarks.record_bytes import Entry, record_size


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(Entry(b"key", b"value", ()), id="small"),
        pytest.param(Entry(b"k" * 63, b"v" * 64, ()), id="a length of two bytes begins at 64"),
        pytest.param(Entry(b"key", None, ()), id="tombstone"),
        pytest.param(Entry(None, b"value", ()), id="no key"),
        pytest.param(Entry(b"k", b"v" * 9000, (("ce_id", b"x" * 70), ("ce_type", b"y"))), id="headers"),
    ],
)
def test_a_record_is_counted_as_a_batch_holds_it(entry: Entry) -> None:
    batch = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1 << 20,
    )
    batch.append(0, 1_000, entry.key, entry.value, list(entry.headers))
    assert len(batch.build()) - DefaultRecordBatch.HEADER_STRUCT.size == record_size(entry)
