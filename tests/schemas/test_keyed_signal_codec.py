"""KeyedSignal and the carried block by hand, against fastavro with the committed schema."""

import io
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.errors import DoesNotFit, NotWireFormat, UnknownSchemaId
from signaalwissel.schemas.internal import ClientPseudonym, KeyedSignal
from signaalwissel.schemas.keyed_signal_codec import (
    Carried,
    carried_block,
    open_carried,
    read_keyed_signal,
    without_subject,
    write_keyed_signal,
)
from signaalwissel.schemas.primitives import long
from signaalwissel.schemas.signal import EarlySignal

from tests.schemas.strategies import (
    EXAMPLES,
    as_fastavro,
    class_of,
    fastavro_body,
    named_types,
    original,
    records,
    schema_of,
    written_out,
)

DAYS = st.dates()
PSEUDONYMS = st.builds(ClientPseudonym, *[st.none() | st.binary(max_size=40)] * 4)


def keyed(signal: EarlySignal, pseudonym: ClientPseudonym, sealed: bytes, data: st.DataObject) -> KeyedSignal:
    return KeyedSignal(
        signal_ref=data.draw(st.binary(max_size=40)),
        reference_date=data.draw(DAYS),
        last_day=data.draw(DAYS),
        pseudonym=pseudonym,
        signal_id=signal.signal_id,
        municipality=signal.municipality,
        partner_id=signal.partner.partner_id,
        carried=carried_block(signal, sealed),
    )


def plain_of(keyed_signal: KeyedSignal, signal: EarlySignal, sealed: bytes) -> dict[str, Any]:
    """The record as fastavro knows it: the fields of the carried block in the open."""
    return {
        "signal_ref": keyed_signal.signal_ref,
        "reference_date": keyed_signal.reference_date,
        "last_day": keyed_signal.last_day,
        "pseudonym": keyed_signal.pseudonym._asdict(),
        "signal_id": signal.signal_id,
        "municipality": signal.municipality,
        **{
            name: value
            for name, value in as_fastavro("EarlySignal", signal).items()
            if name in Carried._fields
        },
        "sealed_subject": sealed,
    }


@given(records("EarlySignal"), PSEUDONYMS, st.binary(max_size=60), st.data())
@EXAMPLES
def test_the_bytes_are_what_fastavro_writes_and_reads(
    signal: EarlySignal, pseudonym: ClientPseudonym, sealed: bytes, data: st.DataObject
) -> None:
    mine = keyed(signal, pseudonym, sealed, data)
    plain = plain_of(mine, signal, sealed)
    written = write_keyed_signal(mine)
    assert written == codec("KeyedSignal").header + fastavro_body("KeyedSignal", plain)
    assert fastavro.schemaless_reader(io.BytesIO(written[5:]), original("KeyedSignal")) == plain
    assert read_keyed_signal(written) == mine


@given(records("EarlySignal"), st.binary(max_size=60))
@EXAMPLES
def test_the_carried_block_opens_into_what_went_in(signal: EarlySignal, sealed: bytes) -> None:
    opened = open_carried(carried_block(signal, sealed))
    assert opened == Carried(
        signal.partner,
        signal.arrears,
        signal.arrears_since,
        signal.signalled_on,
        signal.received_at,
        signal.crisis,
        signal.warm_transfer,
        sealed,
    )


@given(records("EarlySignal"), st.binary(max_size=200))
@EXAMPLES
def test_an_erased_resident_leaves_nothing_sealed(signal: EarlySignal, sealed: bytes) -> None:
    assert without_subject(carried_block(signal, sealed)) == carried_block(signal, b"")


def test_the_carried_fields_stand_in_the_same_order_in_every_record_that_holds_them() -> None:
    for name in ("KeyedSignal", "RoutedSignal", "Decision"):
        fields = {field["name"]: field["type"] for field in schema_of(name)["fields"]}
        first = list(fields).index("partner")
        block = list(fields)[first : first + len(Carried._fields)]
        assert tuple(block) == Carried._fields
        for field in block:
            mine = written_out(fields[field], named_types(schema_of(name)))
            keyed_types = {one["name"]: one["type"] for one in schema_of("KeyedSignal")["fields"]}
            assert mine == written_out(keyed_types[field], named_types(schema_of("KeyedSignal")))
    assert schema_of("KeyedSignal")["fields"][-1]["name"] == "sealed_subject"


def test_the_value_object_has_the_fields_of_the_schema_up_to_the_carried_block() -> None:
    names = [field["name"] for field in schema_of("KeyedSignal")["fields"]]
    open_fields = names[: names.index("partner")]
    assert [*open_fields, "partner_id", "carried"] == list(class_of("KeyedSignal")._fields)


HEADER = codec("KeyedSignal").header


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"\x00\x00", NotWireFormat, id="no header"),
        pytest.param(b"\x00\x00\x00\x00\x01" + b"\x00" * 99, UnknownSchemaId, id="another record"),
        pytest.param(HEADER + b"\x04a", DoesNotFit, id="cut off"),
    ],
)
def test_what_is_no_keyed_signal_is_refused(data: bytes, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        read_keyed_signal(data)


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        pytest.param(b"\x00\x00\x00\x04", "pseudonym.bsn: has no such branch of its union", id="a field"),
        pytest.param(b"\x00" + long(2**40), "record: is not an Avro body of KeyedSignal", id="an odd date"),
    ],
)
def test_a_broken_body_is_refused_with_the_field_where_there_is_one(body: bytes, finding: str) -> None:
    with pytest.raises(DoesNotFit) as refused:
        read_keyed_signal(HEADER + body + b"\x00" * 20)
    assert str(refused.value) == finding
