"""Where an Avro body breaks: the field and the rule, never the value."""

import io
from typing import Any

import fastavro
import pytest
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.diagnosis import first_unreadable
from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.primitives import long

from tests.schemas import golden
from tests.schemas.strategies import NAMES, fastavro_bytes

KIND = {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}
PERSON = {
    "type": "record",
    "name": "Person",
    "fields": [{"name": "name", "type": "string"}, {"name": "age", "type": ["null", "int"]}],
}
SCHEMA = {
    "type": "record",
    "name": "Everything",
    "fields": [
        {"name": "ok", "type": "boolean"},
        {"name": "kind", "type": KIND},
        {"name": "count", "type": {"type": "long"}},
        {"name": "sealed", "type": "bytes"},
        {"name": "persons", "type": {"type": "array", "items": PERSON}},
        {"name": "kinds", "type": {"type": "array", "items": "Kind"}},
    ],
}
START = b"\x01\x02\x04\x02x"


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        pytest.param(b"", "ok: is cut off: the record ends inside it", id="nothing"),
        pytest.param(b"\x01", "kind: is cut off: the record ends inside it", id="ends before a field"),
        pytest.param(b"\x01\x04", "kind: has no such symbol of its enum", id="one symbol too many"),
        pytest.param(b"\x01\x01", "kind: has no such symbol of its enum", id="symbol -1"),
        pytest.param(
            b"\x01\x00" + b"\xff" * 20, "count: has a number of more than 64 bits", id="a long number"
        ),
        pytest.param(b"\x01\x00\x00\x01", "sealed: has a negative length", id="length -1"),
        pytest.param(
            b"\x01\x00\x00" + long(2**40), "sealed: is cut off: the record ends inside it", id="length 2^40"
        ),
        pytest.param(
            START + b"\x02\x02\xff\x00\x00\x00", "persons[0].name: is not UTF-8", id="a text of other bytes"
        ),
        pytest.param(
            START + b"\x04\x02x\x00\x02y\x04",
            "persons[1].age: has no such branch of its union",
            id="the second of a list",
        ),
        pytest.param(
            START + b"\x01\x08\x02x\x00\x02\x02y",
            "persons[1].age: is cut off: the record ends inside it",
            id="the second block, the first with its size",
        ),
        pytest.param(
            START + long(2**62), "persons[0].name: is cut off: the record ends inside it", id="2^62 items"
        ),
        pytest.param(
            START + b"\x00\x02\x06", "kinds[0]: has no such symbol of its enum", id="a type by name"
        ),
    ],
)
def test_the_first_field_that_cannot_be_read_is_named(body: bytes, finding: str) -> None:
    found = first_unreadable(b"header" + body, 6, SCHEMA)
    assert str(found) == finding


@pytest.mark.parametrize(
    "body",
    [
        START + b"\x00\x00",
        START + b"\x04\x02x\x00\x02y\x02\x08\x00\x04\x00\x02\x00",
        START + b"\x03\x0c\x02x\x00\x02y\x02\x08\x02\x02z\x00\x00\x00",
    ],
)
def test_a_body_that_can_be_read_has_no_finding(body: bytes) -> None:
    assert first_unreadable(body, 0, SCHEMA) is None
    assert fastavro.schemaless_reader(io.BytesIO(body), SCHEMA) is not None


def test_a_very_long_body_is_searched_only_so_far() -> None:
    found = first_unreadable(START + b"\x02\x02x\x00" * 50_000 + b"\x01", 0, SCHEMA)
    assert found is not None
    assert found.rule == "or something behind it cannot be read"
    assert found.field.startswith("persons[")


def field_ends(name: str) -> list[tuple[str, int]]:
    """Each top-level field of the full record of `name` and the position after it, measured with fastavro."""
    record = golden.shape_for(name).from_json(golden.full_json(name))
    plain = golden.shape_for(name).to_avro(record)
    schema: dict[str, Any] = codec(name).parsed
    ends = []
    for count, field in enumerate(schema["fields"], start=1):
        out = io.BytesIO()
        part = {"type": "record", "name": schema["name"], "fields": schema["fields"][:count]}
        fastavro.schemaless_writer(out, part, plain)
        ends.append((field["name"], 5 + len(out.getvalue())))
    return ends


@pytest.mark.parametrize("name", NAMES)
def test_a_record_cut_off_anywhere_names_the_field_in_which_it_ends(name: str) -> None:
    whole = fastavro_bytes(name, golden.shape_for(name).from_json(golden.full_json(name)))
    ends = field_ends(name)
    assert ends[-1][1] == len(whole)
    for length in range(5, len(whole)):
        field = next(field for field, end in ends if length < end)
        found = first_unreadable(whole[:length], 5, codec(name).parsed)
        assert isinstance(found, DoesNotFit)
        assert found.field.split(".")[0].split("[")[0] == field, f"cut at {length}"
        assert found.rule == "is cut off: the record ends inside it"
