"""Avro's primitive encodings by hand: what fastavro writes and reads, and what a reader must refuse."""

import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from signaalwissel.schemas import primitives
from signaalwissel.schemas.routing import Route

from tests.schemas.strategies import EXAMPLES, FASTAVRO_PADS

DAY = {"type": "int", "logicalType": "date"}
EURO = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}
LONGS = st.integers(-(2**63), 2**63 - 1)


def by_fastavro(schema: Any, value: Any) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, value)
    return out.getvalue()


@given(LONGS)
@example(-(2**63))
@example(2**63 - 1)
@example(8191)
@example(8192)
@example(-1)
@EXAMPLES
def test_longs_are_fastavros(value: int) -> None:
    data = by_fastavro("long", value)
    assert primitives.long(value) == data
    assert primitives.read_long(b"x" + data + b"y", 1) == (value, 1 + len(data))
    assert primitives.optional_long(value) == by_fastavro(["null", "long"], value)
    assert primitives.read_optional_long(b"\x02" + data, 0) == (value, 1 + len(data))


@given(LONGS)
@example(1_772_000_000_000)
@EXAMPLES
def test_moments_are_longs(value: int) -> None:
    assert primitives.moment(value) == primitives.moment(value) == primitives.long(value)


@given(st.text(max_size=200))
@example("x" * 63)
@example("x" * 64)
@EXAMPLES
def test_strings_are_fastavros(value: str) -> None:
    data = by_fastavro("string", value)
    assert primitives.string(value) == data
    assert primitives.read_string(b"x" + data + b"y", 1) == (value, 1 + len(data))
    assert primitives.optional_string(value) == by_fastavro(["null", "string"], value)
    assert primitives.read_optional_string(b"\x02" + data, 0) == (value, 1 + len(data))


@given(st.binary(max_size=200))
@EXAMPLES
def test_bytes_are_fastavros(value: bytes) -> None:
    data = by_fastavro("bytes", value)
    assert primitives.binary(value) == data
    assert primitives.read_binary(b"x" + data + b"y", 1) == (value, 1 + len(data))
    assert primitives.optional_binary(value) == by_fastavro(["null", "bytes"], value)
    assert primitives.read_optional_binary(b"\x02" + data, 0) == (value, 1 + len(data))


@given(st.dates())
@example(date.min)
@example(date.max)
@EXAMPLES
def test_dates_are_fastavros(value: date) -> None:
    data = by_fastavro(DAY, value)
    assert primitives.day(value) == data
    assert primitives.read_day(data, 0) == (value, len(data))
    assert primitives.optional_day(value) == by_fastavro(["null", DAY], value)
    assert primitives.read_optional_day(b"\x02" + data, 0) == (value, 1 + len(data))


@given(st.integers(-(10**12) + 1, 10**12 - 1).filter(lambda value: value not in FASTAVRO_PADS))
@EXAMPLES
def test_decimals_are_fastavros(value: int) -> None:
    assert primitives.decimal(value) == by_fastavro(EURO, Decimal(value).scaleb(-2))


@pytest.mark.parametrize("value", sorted(FASTAVRO_PADS))
def test_a_decimal_that_fastavro_pads_is_one_byte_shorter_and_reads_the_same(value: int) -> None:
    data = primitives.decimal(value)
    padded = by_fastavro(EURO, Decimal(value).scaleb(-2))
    assert len(data) == len(padded) - 1
    read = fastavro.schemaless_reader(io.BytesIO(data), EURO)
    assert read == Decimal(value).scaleb(-2) == fastavro.schemaless_reader(io.BytesIO(padded), EURO)


@given(st.lists(st.binary(max_size=9), max_size=300))
@EXAMPLES
def test_arrays_are_fastavros(items: list[bytes]) -> None:
    data = by_fastavro({"type": "array", "items": "bytes"}, items)
    assert primitives.array([primitives.binary(item) for item in items]) == data
    assert primitives.read_array(data, 0, primitives.read_binary) == (tuple(items), len(data))


@pytest.mark.parametrize(
    "read",
    [
        primitives.read_optional_long,
        primitives.read_optional_int,
        primitives.read_optional_string,
        primitives.read_optional_binary,
        primitives.read_optional_day,
        primitives.read_optional_boolean,
        lambda data, at: primitives.read_optional_symbol(data, at, tuple(Route)),
    ],
)
def test_null_is_one_zero_byte(read: Callable[[bytes, int], Any]) -> None:
    assert read(b"x\x00y", 1) == (None, 2)


def test_absent_values_are_one_zero_byte() -> None:
    for write in (
        primitives.optional_long,
        primitives.optional_string,
        primitives.optional_binary,
        primitives.optional_day,
    ):
        assert write(None) == b"\x00"


def test_symbols_are_counted_from_0() -> None:
    assert primitives.read_symbol(b"\x02", 0, tuple(Route)) == (Route.REGULAR_FLOW, 1)
    assert primitives.read_optional_symbol(b"\x02\x00", 0, tuple(Route)) == (Route.COUNSELLOR_FOLLOWUP, 2)


def test_booleans_are_0_or_1() -> None:
    assert primitives.read_boolean(b"\x00", 0) == (False, 1)
    assert primitives.read_boolean(b"\x01", 0) == (True, 1)
    assert primitives.read_optional_boolean(b"\x02\x01", 0) == (True, 2)


def test_moments_reach_from_year_1_to_9999() -> None:
    for moment in (primitives.FIRST_MOMENT, primitives.LAST_MOMENT):
        assert primitives.read_moment(primitives.long(moment), 0)[0] == moment
    for beyond in (primitives.FIRST_MOMENT - 1, primitives.LAST_MOMENT + 1):
        with pytest.raises(ValueError, match="no moment"):
            primitives.read_moment(primitives.long(beyond), 0)


def test_ints_have_32_bits() -> None:
    for value in (-(2**31), 2**31 - 1):
        assert primitives.read_int(primitives.long(value), 0)[0] == value
        assert primitives.read_optional_int(b"\x02" + primitives.long(value), 0)[0] == value
    for beyond in (-(2**31) - 1, 2**31):
        with pytest.raises(ValueError, match="more than 32 bits"):
            primitives.read_int(primitives.long(beyond), 0)


@pytest.mark.parametrize(
    ("read", "data"),
    [
        pytest.param(primitives.read_long, b"", id="no number"),
        pytest.param(primitives.read_long, b"\x80", id="half a number"),
        pytest.param(primitives.read_long, b"\xff" * 9 + b"\x02", id="65 bits in ten bytes"),
        pytest.param(primitives.read_long, b"\xff" * 10 + b"\x00", id="eleven bytes"),
        pytest.param(primitives.read_long, b"\xff" * 1_000_000, id="a million bytes"),
        pytest.param(primitives.read_string, b"", id="no string"),
        pytest.param(primitives.read_string, b"\x01", id="a string of length -1"),
        pytest.param(primitives.read_string, primitives.long(-70) + b"x" * 99, id="a string of length -70"),
        pytest.param(primitives.read_string, b"\x02\xff", id="not UTF-8"),
        pytest.param(primitives.read_string, b"\x06\xed\xa0\x80", id="half a surrogate pair in UTF-8"),
        pytest.param(primitives.read_binary, b"\x01", id="bytes of length -1"),
        pytest.param(primitives.read_optional_string, b"\x04\x00", id="a third branch"),
        pytest.param(primitives.read_optional_string, b"\x01\x00", id="branch -1"),
        pytest.param(primitives.read_boolean, b"\x02", id="boolean 2"),
        pytest.param(primitives.read_boolean, b"", id="no boolean"),
        pytest.param(primitives.read_day, primitives.long(2_932_897), id="the day after the last"),
        pytest.param(primitives.read_day, primitives.long(2**62), id="a day beyond any calendar"),
        pytest.param(
            lambda data, at: primitives.read_symbol(data, at, tuple(Route)), b"\x01", id="symbol -1"
        ),
        pytest.param(
            lambda data, at: primitives.read_symbol(data, at, tuple(Route)), b"\x04", id="symbol 2 of 2"
        ),
        pytest.param(
            lambda data, at: primitives.read_array(data, at, primitives.read_binary),
            primitives.long(2**40) + b"\x00" * 9,
            id="an array of 2^40 items",
        ),
        pytest.param(
            lambda data, at: primitives.read_array(data, at, primitives.read_binary),
            b"\x01\x02\x00\x00",
            id="a block with its size",
        ),
    ],
)
def test_what_does_not_fit_raises_one_of_the_announced_errors(
    read: Callable[[bytes, int], Any], data: bytes
) -> None:
    with pytest.raises(primitives.BROKEN):
        read(data, 0)


@pytest.mark.parametrize("size", [2**31, 2**40, 2**63 - 1])
@pytest.mark.parametrize("read", [primitives.read_string, primitives.read_binary])
def test_a_declared_length_beyond_the_end_shows_in_the_position(
    read: Callable[[bytes, int], Any], size: int
) -> None:
    data = primitives.long(size) + b"abc"
    _, at = read(data, 0)
    assert at == len(data) - 3 + size
