"""Everything that an installation leaves behind, as hay: records, tables, stores, processes and stubs.

Files are read by the detector itself. Here stands what has to be unpacked first: a batch of records may be compressed,
so may a long value in PostgreSQL or a block of RocksDB.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from rocksdict import AccessType, Options, Rdict
from sqlalchemy import Connection, text

from tests.privacy.detector import Hay

BOUND_MS = 2000


def records(bootstrap: str, prefix: str) -> Iterator[Hay]:
    """Key, value, header names and header values of every record under a prefix, aborted ones too."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", isolation_level="read_uncommitted",
        enable_auto_commit=False, max_poll_records=5000,
    )  # fmt: skip
    try:
        found = [
            TopicPartition(topic, number)
            for topic in sorted(consumer.topics())
            if topic.startswith(prefix)
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        consumer.assign(found)
        ends = consumer.end_offsets(found)
        consumer.seek_to_beginning(*found)
        while any(consumer.position(place) < end for place, end in ends.items()):
            for polled in consumer.poll(timeout_ms=BOUND_MS).values():
                for record in polled:
                    yield from _of_record(record, prefix)
    finally:
        consumer.close()


def _of_record(record: ConsumerRecord, prefix: str) -> Iterator[Hay]:
    place = f"topic {record.topic.removeprefix(prefix)}[{record.partition}]@{record.offset}"
    yield Hay(f"{place} key", record.key or b"")
    yield Hay(f"{place} value", record.value or b"")
    for number, (name, value) in enumerate(record.headers):
        yield Hay(f"{place} header {number} name", name.encode())
        yield Hay(f"{place} header {number}", value or b"")


def tables(connection: Connection) -> Iterator[Hay]:
    """Every value of every table that is not PostgreSQL's own; bytes as they are, all else as text."""
    names = connection.execute(
        text(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
        )
    ).scalars()
    for name in list(names):
        # The name comes from the catalogue, quoted by it.
        rows = connection.execute(text(f"SELECT * FROM {name}")).mappings()  # noqa: S608
        for number, row in enumerate(rows):
            for column, value in row.items():
                yield Hay(f"table {name}.{column} row {number}", as_bytes(value))


def as_bytes(value: Any) -> bytes:
    """A column's value: bytes as they are, anything else as text."""
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def rocks(folder: Path) -> Iterator[Hay]:
    """Key and value of every entry of every RocksDB below a folder; no process may have it open."""
    for current in sorted(folder.rglob("CURRENT")):
        store = Rdict(str(current.parent), Options(raw_mode=True), access_type=AccessType.read_only())
        place = f"store {current.parent.relative_to(folder)}"
        for number, (key, value) in enumerate(store.items()):
            yield Hay(f"{place} key {number}", key)
            yield Hay(f"{place} value {number}", value)
        store.close()


def processes(pids: Iterable[int]) -> Iterator[Hay]:
    """Environment and command line of processes that run."""
    for pid in pids:
        for kind in ("environ", "cmdline"):
            yield Hay(f"process {pid} {kind}", Path(f"/proc/{pid}/{kind}").read_bytes())
