"""IntakeSignal by hand against the generic codec and fastavro."""

import pytest
from hypothesis import given
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.errors import DoesNotFit, UnknownSchemaId
from signaalwissel.schemas.intake_signal_codec import read_intake_signal, write_intake_signal
from signaalwissel.schemas.internal import IntakeSignal

from tests.schemas import golden
from tests.schemas.strategies import EXAMPLES, fastavro_bytes, records

FULL: IntakeSignal = codec("IntakeSignal").from_json(golden.full_json("IntakeSignal"))


@given(records("IntakeSignal"))
@EXAMPLES
def test_it_is_written_and_read_as_by_fastavro(signal: IntakeSignal) -> None:
    data = write_intake_signal(signal)
    assert data == codec("IntakeSignal").encode(signal) == fastavro_bytes("IntakeSignal", signal)
    assert read_intake_signal(data) == signal


def test_one_that_ends_too_early_or_goes_on_is_refused() -> None:
    data = write_intake_signal(FULL)
    with pytest.raises(DoesNotFit):
        read_intake_signal(data[:-1])
    with pytest.raises(DoesNotFit, match="goes on for 1 bytes"):
        read_intake_signal(data + b"\x00")


def test_another_record_is_refused_by_its_id() -> None:
    with pytest.raises(UnknownSchemaId):
        read_intake_signal(b"\x00\x00\x00\x00\x01rest")
