"""Bytes into a record, or a refusal that says what is wrong with them (domain 8.16)."""

import pytest
from signaalwissel.processors.reading import RECORD_SIZE_MAX, read_record
from signaalwissel.processors.rejection import Rejected
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.early_signal_codec import read_early_signal

from tests.processors.given import signal

GOOD = codec("EarlySignal").encode(codec("EarlySignal").from_json(signal()["value"]))


def test_a_good_record_is_read() -> None:
    assert read_record(read_early_signal, GOOD).signal_id == "S1"


@pytest.mark.parametrize(
    ("value", "code", "field"),
    [
        pytest.param(None, "NULL_VALUE", None, id="no value"),
        pytest.param(b"", "NOT_WIRE_FORMAT", None, id="no bytes"),
        pytest.param(b"{}{}{}", "NOT_WIRE_FORMAT", None, id="no magic byte"),
        pytest.param(
            b"\x00\x00\x00\xff\xff" + GOOD[5:], "UNKNOWN_SCHEMA_ID", None, id="a schema of somebody else"
        ),
        pytest.param(GOOD[:-1], "UNREADABLE", "collection_effort_attested", id="cut off"),
        pytest.param(GOOD + b"\x00", "UNREADABLE", None, id="goes on after its end"),
        pytest.param(bytes(RECORD_SIZE_MAX + 1), "TOO_LARGE", None, id="too large to be one of ours"),
    ],
)
def test_what_is_no_record_is_refused(value: bytes | None, code: str, field: str | None) -> None:
    with pytest.raises(Rejected) as refused:
        read_record(read_early_signal, value)
    assert (refused.value.code.value, refused.value.field) == (code, field)


def test_a_refusal_reads_as_code_field_and_rule() -> None:
    with pytest.raises(Rejected, match=r"^NULL_VALUE: record: has no value$"):
        read_record(read_early_signal, None)
