"""TrajectoryEvent by hand against the generic codec and fastavro."""

import pytest
from hypothesis import given
from signaalwissel.schemas.contract import Codec, codec
from signaalwissel.schemas.errors import DoesNotFit, UnknownSchemaId
from signaalwissel.schemas.primitives import long
from signaalwissel.schemas.signal import Subject
from signaalwissel.schemas.trajectory import TrajectoryEvent
from signaalwissel.schemas.trajectory_event_codec import read_trajectory_event, write_trajectory_event

from tests.schemas import golden
from tests.schemas.strategies import EXAMPLES, fastavro_bytes, records

GENERIC: Codec[TrajectoryEvent] = codec("TrajectoryEvent")
FULL = GENERIC.from_json(golden.full_json("TrajectoryEvent"))


@given(records("TrajectoryEvent"))
@EXAMPLES
def test_it_is_written_and_read_as_by_fastavro(event: TrajectoryEvent) -> None:
    data = write_trajectory_event(event)
    assert data == GENERIC.encode(event) == fastavro_bytes("TrajectoryEvent", event)
    assert read_trajectory_event(data) == GENERIC.decode(data) == event


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(FULL, id="all"),
        pytest.param(
            FULL._replace(
                clients=(), counsellor=None, exit_reason=None, service=None, solution=None, entrepreneur=None
            ),
            id="only what must be there",
        ),
    ],
)
def test_what_is_absent_is_null(event: TrajectoryEvent) -> None:
    assert write_trajectory_event(event) == GENERIC.encode(event)
    assert read_trajectory_event(write_trajectory_event(event)) == event


def test_a_long_in_an_int_is_refused_with_its_field() -> None:
    data = write_trajectory_event(FULL._replace(clients=(Subject(house_number=2**31 - 1),)))
    assert data.count(long(2**31 - 1)) == 1
    with pytest.raises(DoesNotFit, match=r"clients\[0\].house_number: is out of range"):
        read_trajectory_event(data.replace(long(2**31 - 1), long(2**31)))


def test_one_that_ends_too_early_or_goes_on_is_refused() -> None:
    data = write_trajectory_event(FULL)
    with pytest.raises(DoesNotFit):
        read_trajectory_event(data[:-1])
    with pytest.raises(DoesNotFit, match="goes on for 1 bytes"):
        read_trajectory_event(data + b"\x00")


def test_another_record_is_refused_by_its_id() -> None:
    with pytest.raises(UnknownSchemaId):
        read_trajectory_event(b"\x00\x00\x00\x00\x01rest")
