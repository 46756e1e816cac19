"""A record on a topic: what breaks the contract is told with its field and rule, and never with a value."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.processors.contract_topics import RECORD_ON
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.public_topics import event_types_of, examples, key_of
from signaalwissel.processors.simulation_lines import RECORDS
from signaalwissel.processors.wire_findings import Headers, Looked, WireRecord, look_at
from signaalwissel.schemas.contract import codec

POLICIES = packaged_policies(for_every_code=True)
PUBLISHED = 1_780_000_000_000
DAY_MS = 86_400_000


def headers_of(topic: str, value: dict[str, Any], **others: bytes | None) -> Headers:
    good: dict[str, bytes | None] = {
        "ce_id": b"e-1",
        "ce_source": b"urn:x",
        "ce_specversion": b"1.0",
        "ce_type": event_types_of(topic, value)[0].encode(),
        "ce_time": b"2026-02-10T10:00:00Z",
        "content-type": b"application/avro",
        "traceparent": b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    return [(name, content) for name, content in {**good, **others}.items() if content is not None]


def wire(topic: str, **fields: Any) -> WireRecord:
    value = {**examples()[topic][0], **fields}
    kind = codec(RECORD_ON[topic])
    key = key_of(topic, value).encode() if topic in RECORDS else b"k"
    return WireRecord(key, kind.encode(kind.from_json(value)), headers_of(topic, value), 0, PUBLISHED)


def look(
    topic: str, record: WireRecord, partition_of: Callable[[bytes], int] | None = None
) -> list[tuple[str, str | None, bool]]:
    return [(one.code, one.field, one.refused) for one in looked(topic, record, partition_of).findings]


def looked(topic: str, record: WireRecord, partition_of: Callable[[bytes], int] | None = None) -> Looked:
    return look_at(topic, record, POLICIES, partition_of)


@pytest.mark.parametrize("topic", RECORD_ON)
def test_nothing_is_wrong_with_a_record_that_keeps_to_the_contract(topic: str) -> None:
    assert look(topic, wire(topic)) == []


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "NULL_VALUE"),
        (b"", "NOT_WIRE_FORMAT"),
        (b'{"signal_id": "S-1"}', "NOT_WIRE_FORMAT"),
        (b"\x00\x00\x00\x00\x02abc", "UNKNOWN_SCHEMA_ID"),
        (b"\x00\x00\x00\x00\x01abc", "UNREADABLE"),
        (b"\x00" * 70_000, "TOO_LARGE"),
    ],
)
def test_bytes_that_are_no_record_are_refused_and_not_looked_into(value: bytes | None, code: str) -> None:
    found = looked("signals", wire("signals")._replace(value=value))
    assert ([one.code for one in found.findings], found.value, found.refused) == ([code], None, True)


def test_every_field_that_intake_would_refuse_is_told_at_once() -> None:
    record = wire("signals", arrears="0.00", subject={"bsn": "123456789"})
    assert look("signals", record) == [
        ("INVALID_FIELD", "subject.bsn", True),
        ("INVALID_FIELD", "arrears", True),
    ]


def test_a_moment_more_than_a_day_after_publication_is_refused() -> None:
    record = wire("signals", received_at="2026-02-10T10:00:00Z")
    received = codec("EarlySignal").decode(record.value).received_at
    assert look("signals", record._replace(published=received - DAY_MS)) == []
    assert look("signals", record._replace(published=received - DAY_MS - 1)) == [
        ("INVALID_FIELD", "received_at", True)
    ]


@pytest.mark.parametrize("key", [None, b"S-1"])
def test_another_key_breaks_the_contract_and_is_handled_all_the_same(key: bytes | None) -> None:
    found = looked("signals", wire("signals")._replace(key=key))
    assert [(one.code, one.field) for one in found.findings] == [("OTHER_KEY", "key")]
    assert not found.refused


def test_the_partition_must_be_that_of_the_prescribed_key() -> None:
    record = wire("signals")
    assert look("signals", record, {record.key: 0}.__getitem__) == []
    assert look("signals", record, {record.key: 1}.__getitem__) == [("OTHER_PARTITION", "partition", False)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ce_id", b""),
        ("ce_source", b""),
        ("ce_specversion", b"0.3"),
        ("ce_type", b"nl.vroegsignalering.iets-anders"),
        ("ce_time", b"gisteren"),
        ("ce_time", b"2026-02-10T10:00:00"),
        ("ce_time", b"\xff"),
        ("content-type", b"application/json"),
        ("traceparent", b"00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01"),
    ],
)
def test_a_header_that_is_there_must_be_right(name: str, content: bytes) -> None:
    record = wire("signals")
    broken = record._replace(headers=headers_of("signals", examples()["signals"][0], **{name: content}))
    assert look("signals", broken) == [("OTHER_HEADER", name, False)]


def test_no_header_is_required_of_what_others_write() -> None:
    assert look("signals", wire("signals")._replace(headers=[])) == []


def test_every_header_of_cloudevents_is_required_of_what_we_write() -> None:
    found = look("tasks", wire("tasks")._replace(headers=[]))
    named = ["ce_id", "ce_source", "ce_specversion", "ce_type", "ce_time", "content-type"]
    assert found == [("OTHER_HEADER", name, False) for name in named]


def test_an_event_has_the_type_of_its_kind() -> None:
    record = wire("trajectories")
    other = headers_of("trajectories", examples()["trajectories"][1])
    assert look("trajectories", record._replace(headers=other)) == [("OTHER_HEADER", "ce_type", False)]


def test_a_publishers_own_topic_has_the_rules_of_its_kind() -> None:
    assert look("signals.water-west", wire("signals")._replace(value=None)) == [("NULL_VALUE", None, True)]


@given(st.binary(max_size=60), st.binary(max_size=20), st.text(max_size=10), st.binary(max_size=20))
def test_whatever_lies_on_a_topic_gets_an_answer(value: bytes, key: bytes, name: str, content: bytes) -> None:
    for given_value in (value, b"\x00\x00\x00\x00\x01" + value):
        record = WireRecord(key, given_value, [(name, content), ("ce_id", None)], 0, PUBLISHED)
        assert looked("signals", record).findings


def test_a_finding_never_holds_what_was_sent() -> None:
    private = "Geheim-4711"
    record = wire("signals", signal_id=private, subject={"bsn": "123456789", "surname": private})
    record = record._replace(key=private.encode(), headers=[("ce_type", private.encode()), (private, b"x")])
    assert private not in repr(looked("signals", record).findings)
