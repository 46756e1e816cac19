"""Bytes in wire format to value objects and back, for every committed schema."""

import copy
import io
import json
import traceback
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.schemas import contract
from signaalwissel.schemas.contract import (
    Codec,
    codec,
    field_names,
    record_name,
    versions,
)
from signaalwissel.schemas.errors import DoesNotFit, NotWireFormat, UnknownSchemaId
from signaalwissel.schemas.followup import TaskUpdate, TaskUpdateKind
from signaalwissel.schemas.internal import Header, OriginalRecord
from signaalwissel.schemas.shape import TextShape
from signaalwissel.schemas.wire_format import schema_id_of

from tests.schemas.strategies import (
    EXAMPLES,
    GENERIC,
    NAMES,
    as_fastavro,
    fastavro_bytes_of,
    original,
    records,
    schema_of,
    version_of,
)


@pytest.mark.parametrize("name", GENERIC)
@given(data=st.data())
@EXAMPLES
def test_a_record_comes_back_from_its_bytes(name: str, data: st.DataObject) -> None:
    record = data.draw(records(name))
    mine: Codec[Any] = codec(name)
    encoded = mine.encode(record)
    again = mine.decode(encoded)
    assert again == record
    assert type(again) is type(record)
    assert mine.decode_body(mine.encode_body(record)) == record
    assert mine.decode(mine.header + mine.encode_body(record)) == record


@pytest.mark.parametrize("name", GENERIC)
@given(data=st.data())
@EXAMPLES
def test_the_bytes_are_what_fastavro_writes_for_the_committed_file(name: str, data: st.DataObject) -> None:
    record = data.draw(records(name))
    encoded = codec(name).encode(record)
    version = version_of(encoded)
    assert encoded == fastavro_bytes_of(version, record)
    written = fastavro.parse_schema(version.schema)
    plain = fastavro.schemaless_reader(io.BytesIO(encoded[5:]), written, original(name))
    assert plain == as_fastavro(name, record)


@pytest.mark.parametrize("name", GENERIC)
@given(data=st.data())
@EXAMPLES
def test_a_record_comes_back_from_its_json_form(name: str, data: st.DataObject) -> None:
    record = data.draw(records(name))
    text = json.dumps(codec(name).to_json(record), allow_nan=False)
    assert codec(name).from_json(json.loads(text)) == record


@pytest.mark.parametrize("name", NAMES)
def test_the_header_is_magic_byte_0_and_the_fixed_id_big_endian(name: str) -> None:
    newest = [version for version in versions() if version.name == name][-1]
    assert codec(name).header == b"\x00" + newest.schema_id.to_bytes(4, "big")
    assert schema_id_of(codec(name).header) == newest.schema_id
    assert record_name(newest.schema_id) == name


@pytest.mark.parametrize("data", [b"", b"\x00\x00\x00\x00", b"\x01\x00\x00\x00\x01body", b"{}"])
def test_bytes_without_magic_byte_and_id_are_not_wire_format(data: bytes) -> None:
    with pytest.raises(NotWireFormat, match="magic byte 0"):
        codec("EarlySignal").decode(data)


@pytest.mark.parametrize("schema_id", [0, 2, 999, 2**32 - 1])
def test_an_id_of_another_record_is_refused_by_number(schema_id: int) -> None:
    with pytest.raises(UnknownSchemaId, match=f"schema id {schema_id} is not one of EarlySignal") as refused:
        codec("EarlySignal").decode(b"\x00" + schema_id.to_bytes(4, "big") + b"body")
    assert refused.value.schema_id == schema_id


@pytest.mark.parametrize("header", [Header("\ud800", b""), Header("name", "De Vries"), Header(7, b"")])
def test_a_value_that_cannot_be_written_is_refused_and_not_told(header: Any) -> None:
    with pytest.raises(DoesNotFit) as refused:
        codec("OriginalRecord").encode(OriginalRecord(None, b"", (header,)))
    told = "".join(traceback.format_exception(refused.value))
    assert "record: holds a value that OriginalRecord cannot carry" in told
    assert "Vries" not in told


def test_an_id_of_no_record_has_no_name() -> None:
    with pytest.raises(UnknownSchemaId, match="schema id 999 is not known"):
        record_name(999)


def test_bytes_behind_the_record_are_counted_not_ignored() -> None:
    data = codec("OriginalRecord").encode(OriginalRecord(b"k", b"v", (Header("h", None),)))
    with pytest.raises(DoesNotFit, match="record: goes on for 3 bytes after its end"):
        codec("OriginalRecord").decode(data + b"abc")


def test_field_names_stand_in_the_order_of_the_schema() -> None:
    assert field_names("TaskUpdate")[:3] == ("update_id", "task_id", "occurred_at")


def test_only_a_record_has_field_names(monkeypatch: pytest.MonkeyPatch) -> None:
    text: Codec[str] = Codec("Text", 1, b"", None, {}, TextShape())
    monkeypatch.setattr(contract, "codec", lambda _: text)
    with pytest.raises(TypeError, match="Text is not a record"):
        field_names("Text")


class TestAnOlderVersion:
    """`value` alone in version 1; `key` and `headers` with defaults since version 2."""

    FIRST = b"\x00\x00\x00\x01\x2d"
    SECOND = b"\x00\x00\x00\x01\x2e"

    @pytest.fixture
    def evolved(self) -> Codec[OriginalRecord]:
        new = copy.deepcopy(schema_of("OriginalRecord"))
        old = {**new, "fields": [field for field in new["fields"] if field["name"] == "value"]}
        new["fields"][2]["default"] = []
        newest = fastavro.parse_schema(new)
        shape = codec("OriginalRecord").shape
        writers = {301: fastavro.parse_schema(old), 302: newest}
        return Codec("OriginalRecord", 302, self.SECOND, newest, writers, shape)

    def test_is_read_with_the_defaults_of_what_it_lacks(self, evolved: Codec[OriginalRecord]) -> None:
        assert evolved.decode(self.FIRST + b"\x02\x06abc") == OriginalRecord(None, b"abc", ())
        assert evolved.encode(OriginalRecord(None, b"abc", ())) == self.SECOND + b"\x00\x02\x06abc\x00"

    def test_is_refused_with_the_field_of_its_own_schema(self, evolved: Codec[OriginalRecord]) -> None:
        with pytest.raises(DoesNotFit, match="value: is cut off"):
            evolved.decode(self.FIRST + b"\x02\x06ab")


class TestWhatAnOlderVersionHolds:
    """The new owner of a task came with version 2 of TaskUpdate; a sink of the version before knows only version 1."""

    UPDATE = TaskUpdate("u-1", "t-1", 0, TaskUpdateKind.REASSIGNED, None, None, None, None, None, "b-1")

    def test_is_written_with_it(self) -> None:
        assert version_of(codec("TaskUpdate").encode(self.UPDATE)).version == 1

    def test_is_written_with_the_newest_where_it_says_more(self) -> None:
        said = self.UPDATE._replace(assignee="b-2")
        encoded = codec("TaskUpdate").encode(said)
        assert version_of(encoded).version == 2
        assert codec("TaskUpdate").decode(encoded) == said

    def test_is_sealed_with_the_newest(self) -> None:
        body = codec("TaskUpdate").encode_body(self.UPDATE)
        assert codec("TaskUpdate").decode_body(body) == self.UPDATE

    def test_is_not_asked_where_a_version_changed_more_than_its_fields(self) -> None:
        # An enum that grew: what it holds now cannot be told from the fields.
        assert codec("ResidentCommand").older == ()


def test_a_failure_that_no_field_explains_names_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "first_unreadable", lambda *_: None)
    with pytest.raises(DoesNotFit, match="record: is not an Avro body of OriginalRecord"):
        codec("OriginalRecord").decode(codec("OriginalRecord").header)
