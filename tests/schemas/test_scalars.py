"""Single values between objects, Avro's plain form and the JSON form."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.scalars import (
    BooleanShape,
    BytesShape,
    DateShape,
    DecimalShape,
    EnumShape,
    IntegerShape,
    TextShape,
    TimestampShape,
)
from signaalwissel.schemas.signal import PartnerKind

from tests.schemas.strategies import EXAMPLES

EURO = DecimalShape(precision=12, scale=2)
KIND = EnumShape({kind.value: kind for kind in PartnerKind})
INT = IntegerShape(2**31)
MS_2026_02_28 = 1772236800000


@pytest.mark.parametrize(
    ("shape", "plain", "value"),
    [
        pytest.param(TextShape(), "Ömer €", "Ömer €", id="a text as it is"),
        pytest.param(BooleanShape(), False, False, id="a boolean as it is"),
        pytest.param(INT, -(2**31), -(2**31), id="the smallest int"),
        pytest.param(INT, 2**31 - 1, 2**31 - 1, id="the largest int"),
        pytest.param(BytesShape(), "AP8=", b"\x00\xff", id="bytes in base64"),
        pytest.param(BytesShape(), "", b"", id="no bytes"),
        pytest.param(DateShape(), "2026-02-28", date(2026, 2, 28), id="a date"),
        pytest.param(DateShape(), "0001-01-01", date.min, id="the first day"),
        pytest.param(TimestampShape(), "2026-02-28T00:00:00.000Z", MS_2026_02_28, id="an instant with Z"),
        pytest.param(TimestampShape(), "0001-01-01T00:00:00.000Z", -62135596800000, id="the first instant"),
        pytest.param(TimestampShape(), "9999-12-31T23:59:59.999Z", 253402300799999, id="the last instant"),
        pytest.param(EURO, "123.45", 12345, id="a decimal in a text"),
        pytest.param(EURO, "0.05", 5, id="cents alone"),
        pytest.param(EURO, "-0.05", -5, id="a negative decimal"),
        pytest.param(EURO, "9999999999.99", 999999999999, id="twelve digits"),
        pytest.param(KIND, "RENT", PartnerKind.RENT, id="an enum by its symbol"),
    ],
)
def test_the_json_form_reads_and_writes_the_same(shape: Any, plain: Any, value: Any) -> None:
    assert shape.from_json(plain) == value
    assert type(shape.from_json(plain)) is type(value)
    assert shape.to_json(value) == plain


@pytest.mark.parametrize(
    ("shape", "plain", "value"),
    [
        pytest.param(TimestampShape(), "2026-02-28T01:00:00+01:00", MS_2026_02_28, id="another offset"),
        pytest.param(TimestampShape(), "2026-02-28t00:00:00z", MS_2026_02_28, id="small letters, RFC 3339"),
        pytest.param(TimestampShape(), "2026-02-28 00:00:00Z", MS_2026_02_28, id="a space, RFC 3339"),
        pytest.param(TimestampShape(), "2026-02-28T00:00:00.1Z", MS_2026_02_28 + 100, id="a tenth"),
        pytest.param(
            TimestampShape(), "2026-02-28T00:00:00.000999999Z", MS_2026_02_28, id="finer than a millisecond"
        ),
        pytest.param(EURO, "123.4", 12340, id="one decimal"),
        pytest.param(EURO, "+7", 700, id="no decimals, a plus"),
        pytest.param(EURO, "1.5000", 150, id="zeros behind"),
        pytest.param(EURO, 7, 700, id="a whole number"),
        pytest.param(EURO, Decimal("7.50"), 750, id="a Decimal"),
    ],
)
def test_the_json_form_also_reads(shape: Any, plain: Any, value: int) -> None:
    assert shape.from_json(plain) == value


A_DATE = "must be a date like 2026-02-28"
A_MOMENT = "must be a timestamp like 2026-02-28T09:30:00.000Z"
A_DECIMAL = "must be a decimal in a text, like '123.45'"


@pytest.mark.parametrize(
    ("shape", "plain", "rule"),
    [
        pytest.param(TextShape(), 12, "must be a text", id="number for text"),
        pytest.param(TextShape(), "\ud800", "must be a text of whole Unicode characters", id="half a pair"),
        pytest.param(BooleanShape(), 1, "must be true or false", id="1 for true"),
        pytest.param(BooleanShape(), "true", "must be true or false", id="text for boolean"),
        pytest.param(INT, True, "must be a whole number", id="true for 1"),
        pytest.param(INT, 1.0, "must be a whole number", id="float for int"),
        pytest.param(INT, "1", "must be a whole number", id="text for int"),
        pytest.param(INT, 2**31, "is out of range", id="one too many for an int"),
        pytest.param(INT, -(2**31) - 1, "is out of range", id="one too few for an int"),
        pytest.param(IntegerShape(2**63), 2**63, "is out of range", id="one too many for a long"),
        pytest.param(BytesShape(), "A", "must be base64", id="half a byte"),
        pytest.param(BytesShape(), "AP8=\n", "must be base64", id="a line end in base64"),
        pytest.param(BytesShape(), "AP8é", "must be base64", id="a letter that base64 lacks"),
        pytest.param(BytesShape(), [1], "must be base64", id="list for bytes"),
        pytest.param(DateShape(), "2026-02-30", A_DATE, id="30 February"),
        pytest.param(DateShape(), "2026-W09-6", A_DATE, id="a week date"),
        pytest.param(DateShape(), "20260228", A_DATE, id="no dashes"),
        pytest.param(DateShape(), "2026-02-2\u0668", A_DATE, id="a digit of another script"),
        pytest.param(DateShape(), 20260228, A_DATE, id="number for date"),
        pytest.param(TimestampShape(), "2026-02-28T09:30:00", A_MOMENT, id="no offset"),
        pytest.param(TimestampShape(), "2026-02-28", A_MOMENT, id="a date alone"),
        pytest.param(TimestampShape(), "2026-02-28T24:30:00Z", A_MOMENT, id="hour 24"),
        pytest.param(TimestampShape(), "2026-02-28T09:30:60Z", A_MOMENT, id="a leap second"),
        pytest.param(TimestampShape(), 1772236800000, A_MOMENT, id="number for timestamp"),
        pytest.param(
            TimestampShape(),
            "0001-01-01T00:00:00+01:00",
            "is not a moment of this calendar",
            id="before year 1 in UTC",
        ),
        pytest.param(EURO, 1.5, A_DECIMAL, id="float for decimal"),
        pytest.param(EURO, True, A_DECIMAL, id="true for decimal"),
        pytest.param(EURO, "1,50", A_DECIMAL, id="a comma"),
        pytest.param(EURO, "", A_DECIMAL, id="nothing"),
        pytest.param(EURO, ".5", A_DECIMAL, id="no digit before the point"),
        pytest.param(EURO, "1_000", A_DECIMAL, id="an underscore"),
        pytest.param(EURO, "\u0661", A_DECIMAL, id="a digit of another script"),
        pytest.param(EURO, "NaN", A_DECIMAL, id="not a number"),
        pytest.param(EURO, "1e2", A_DECIMAL, id="an exponent"),
        pytest.param(EURO, "9e999999999", A_DECIMAL, id="an exponent that fills the memory"),
        pytest.param(EURO, Decimal("Infinity"), A_DECIMAL, id="infinity"),
        pytest.param(EURO, "1" * 5000, A_DECIMAL, id="a number too long to read"),
        pytest.param(EURO, "0.001", "has more than 2 decimals", id="three decimals"),
        pytest.param(EURO, "1." + "0" * 38 + "1", "has more than 2 decimals", id="a decimal far behind"),
        pytest.param(EURO, "10000000000.00", "has more than 12 digits", id="thirteen digits"),
        pytest.param(EURO, 10**5000, "has more than 12 digits", id="five thousand digits"),
        pytest.param(KIND, "rent", "must be one of ENERGY, RENT, ", id="a symbol in small letters"),
        pytest.param(KIND, 1, "must be one of ENERGY, RENT, ", id="index for symbol"),
        pytest.param(KIND, ["RENT"], "must be one of ENERGY, RENT, ", id="list for symbol"),
    ],
)
def test_the_json_form_refuses(shape: Any, plain: Any, rule: str) -> None:
    with pytest.raises(DoesNotFit) as refused:
        shape.from_json(plain)
    assert refused.value.rule.startswith(rule)
    assert refused.value.field == ""
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.parametrize(
    ("shape", "plain", "rule"),
    [
        pytest.param(INT, 2**31, "is out of range", id="a long in an int"),
        pytest.param(DateShape(), 2_932_897, "is not a date of this calendar", id="the day after the last"),
        pytest.param(DateShape(), -719_163, "is not a date of this calendar", id="the day before the first"),
        pytest.param(DateShape(), 2**62, "is not a date of this calendar", id="a day beyond any calendar"),
        pytest.param(
            TimestampShape(), 253402300800000, "is not a moment of this calendar", id="after year 9999"
        ),
        pytest.param(TimestampShape(), -(2**63), "is not a moment of this calendar", id="before year 1"),
        pytest.param(EURO, (10**12).to_bytes(6, "big"), "has more than 12 digits", id="thirteen digits"),
        pytest.param(EURO, b"\x7f" * 100_000, "has more than 12 digits", id="a number of 100 kB"),
    ],
)
def test_what_avro_can_hold_and_the_schema_cannot_is_refused(shape: Any, plain: Any, rule: str) -> None:
    with pytest.raises(DoesNotFit, match=rule):
        shape.from_avro(plain)


def test_no_bytes_are_the_decimal_zero() -> None:
    assert EURO.from_avro(b"") == 0


@given(st.integers(-(10**12) + 1, 10**12 - 1))
@EXAMPLES
def test_a_decimal_takes_the_fewest_bytes_of_two_s_complement(value: int) -> None:
    plain = EURO.to_avro(value)
    assert EURO.from_avro(plain) == value
    assert len(plain) == 1 or not -(2 ** (8 * len(plain) - 9)) <= value < 2 ** (8 * len(plain) - 9)


@given(st.integers(-(10**12) + 1, 10**12 - 1))
@EXAMPLES
def test_a_decimal_in_json_has_two_decimals_and_comes_back(value: int) -> None:
    text = EURO.to_json(value)
    assert Decimal(text) * 100 == value
    assert text[-3] == "."
    assert EURO.from_json(text) == value
