"""EarlySignal by hand against the generic codec and fastavro."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.schemas.contract import Codec, codec
from signaalwissel.schemas.early_signal_codec import (
    content_without_moment,
    read_arrears,
    read_early_signal,
    sealed_subject_body,
    write_early_signal,
)
from signaalwissel.schemas.errors import DoesNotFit, UnknownSchemaId
from signaalwissel.schemas.primitives import binary, long
from signaalwissel.schemas.signal import EarlySignal, Partner, PartnerKind, SealedSubject, Subject

from tests.schemas.strategies import EXAMPLES, FASTAVRO_PADS, fastavro_bytes, records

GENERIC: Codec[EarlySignal] = codec("EarlySignal")
SIGNAL = EarlySignal(
    signal_id="VS-1",
    municipality="0344",
    partner=Partner("stedin", PartnerKind.ENERGY),
    subject=Subject(bsn="999990019"),
    customer_reference=None,
    arrears=31245,
    arrears_since=None,
    signalled_on=None,
    received_at=1772271000123,
    crisis=False,
    warm_transfer=True,
    collection_effort_attested=False,
)


@given(records("EarlySignal"))
@EXAMPLES
def test_what_fastavro_wrote_is_read_as_the_generic_codec_reads_it(signal: EarlySignal) -> None:
    data = fastavro_bytes("EarlySignal", signal)
    assert read_early_signal(data) == GENERIC.decode(data) == signal


@given(records("EarlySignal").filter(lambda signal: signal.arrears not in FASTAVRO_PADS))
@EXAMPLES
def test_it_is_written_as_by_fastavro(signal: EarlySignal) -> None:
    assert write_early_signal(signal) == GENERIC.encode(signal) == fastavro_bytes("EarlySignal", signal)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"arrears": 10**12}, "arrears", id="more digits than the schema has"),
        pytest.param({"received_at": 253402300800000}, "received_at", id="after year 9999"),
    ],
)
def test_what_the_schema_cannot_hold_is_refused_with_its_field(change: dict[str, object], field: str) -> None:
    with pytest.raises(DoesNotFit) as refused:
        read_early_signal(GENERIC.encode(SIGNAL._replace(**change)))
    assert refused.value.field == field


def test_a_long_in_an_int_is_refused_with_its_field() -> None:
    data = GENERIC.encode(SIGNAL._replace(subject=Subject(house_number=2**31 - 1)))
    assert data.count(long(2**31 - 1)) == 1
    with pytest.raises(DoesNotFit) as refused:
        read_early_signal(data.replace(long(2**31 - 1), long(2**31)))
    assert str(refused.value) == "subject.house_number: is out of range"


def test_a_long_way_of_writing_a_number_is_read_as_the_generic_codec_reads_it() -> None:
    data = GENERIC.encode(SIGNAL)
    # The length of signal_id in two bytes instead of one: fastavro takes it, and so do we.
    padded = data[:5] + b"\x88\x00" + data[6:]
    assert read_early_signal(padded) == SIGNAL
    # No birth date, in two bytes.
    some = GENERIC.encode(SIGNAL._replace(customer_reference="x"))
    at = some.rindex(b"\x02\x02x")
    assert read_early_signal(some[:at] + b"\x82\x00" + some[at + 1 :]).customer_reference == "x"


def test_bytes_behind_the_signal_are_refused() -> None:
    with pytest.raises(DoesNotFit, match="goes on for 1 bytes"):
        read_early_signal(GENERIC.encode(SIGNAL) + b"\x00")


def test_the_bytes_of_another_record_are_refused() -> None:
    with pytest.raises(UnknownSchemaId, match="schema id 5 is not one of EarlySignal"):
        read_early_signal(b"\x00\x00\x00\x00\x05" + GENERIC.encode(SIGNAL)[5:])


@pytest.mark.parametrize("arrears", [0, 1, -1, 10**12 - 1, -(10**12) + 1])
def test_arrears_of_twelve_digits_are_read(arrears: int) -> None:
    plain = arrears.to_bytes(6, "big", signed=True)
    assert read_arrears(binary(plain), 0) == (arrears, 7)


@given(records("EarlySignal"), st.integers(0, 2**42))
@EXAMPLES
def test_a_resend_differs_in_nothing_but_the_moment(signal: EarlySignal, later: int) -> None:
    again = signal._replace(received_at=later)
    content = content_without_moment(GENERIC.encode(signal), signal)
    assert content == content_without_moment(GENERIC.encode(again), again)
    assert content == GENERIC.encode_body(signal)[: -3 - len(long(signal.received_at))] + bytes(signal[-3:])


@given(records("EarlySignal"), records("EarlySignal"))
@EXAMPLES
def test_another_signal_has_other_content(one: EarlySignal, other: EarlySignal) -> None:
    same = one._replace(received_at=0) == other._replace(received_at=0)
    contents = {content_without_moment(GENERIC.encode(signal), signal) for signal in (one, other)}
    assert (len(contents) == 1) == same


@pytest.mark.parametrize(
    "header", [pytest.param(b"\x00\x00\x00\x00\x09", id="another version"), pytest.param(None, id="padded")]
)
def test_content_is_compared_in_our_own_encoding_where_the_writers_differs(header: bytes | None) -> None:
    data = GENERIC.encode(SIGNAL)
    moment = long(SIGNAL.received_at)
    padded = data[: -3 - len(moment)] + moment[:-1] + bytes([moment[-1] | 0x80, 0]) + data[-3:]
    if header is None:
        assert read_early_signal(padded) == SIGNAL
    other = padded if header is None else header + b"anything"
    assert content_without_moment(other, SIGNAL) == content_without_moment(data, SIGNAL)


@given(records("SealedSubject"))
@EXAMPLES
def test_the_body_of_a_sealed_subject_is_the_generic_codecs(sealed: SealedSubject) -> None:
    body = sealed_subject_body(sealed.subject, sealed.customer_reference)
    assert body == codec("SealedSubject").encode_body(sealed)


def test_a_subject_does_not_show_itself() -> None:
    assert "999990019" not in repr(SIGNAL)
    assert "999990019" not in f"{SIGNAL.subject!s} {SIGNAL.subject!r}"
