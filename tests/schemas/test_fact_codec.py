"""KeyedTrajectory, TrajectoryState and IntakeTrajectory by hand against the generic codec and fastavro."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.errors import DoesNotFit, UnknownSchemaId
from signaalwissel.schemas.fact_codec import (
    TrajectoryHead,
    read_intake_trajectory,
    read_keyed_trajectory,
    read_trajectory_head,
    read_trajectory_state,
    trajectory_body,
    write_intake_trajectory,
    write_keyed_trajectory,
    write_trajectory_state,
)
from signaalwissel.schemas.internal import IntakeTrajectory, KeyedTrajectory, TrajectoryState

from tests.schemas import golden
from tests.schemas.strategies import EXAMPLES, fastavro_bytes, records

READERS: dict[str, Callable[[bytes], Any]] = {
    "KeyedTrajectory": read_keyed_trajectory,
    "TrajectoryState": read_trajectory_state,
    "IntakeTrajectory": read_intake_trajectory,
}


def head_of(trajectory: KeyedTrajectory) -> TrajectoryHead:
    return TrajectoryHead(trajectory.municipality, trajectory.trajectory_id, trajectory.version)


def full(name: str) -> bytes:
    return codec(name).encode(codec(name).from_json(golden.full_json(name)))


@given(records("KeyedTrajectory"))
@EXAMPLES
def test_a_keyed_trajectory_is_written_and_read_as_by_fastavro(trajectory: KeyedTrajectory) -> None:
    data = write_keyed_trajectory(trajectory_body(trajectory))
    assert data == fastavro_bytes("KeyedTrajectory", trajectory)
    assert read_keyed_trajectory(data) == trajectory
    assert read_trajectory_head(data) == head_of(trajectory)


@given(records("TrajectoryState"))
@EXAMPLES
def test_a_trajectory_state_is_written_and_read_as_by_fastavro(trajectory: TrajectoryState) -> None:
    data = write_trajectory_state(trajectory_body(trajectory), trajectory.match_keys)
    assert data == fastavro_bytes("TrajectoryState", trajectory)
    assert read_trajectory_state(data) == trajectory


@given(records("IntakeTrajectory"))
@EXAMPLES
def test_an_intake_trajectory_is_written_and_read_as_by_fastavro(trajectory: IntakeTrajectory) -> None:
    data = write_intake_trajectory(trajectory, trajectory_body(trajectory))
    assert data == fastavro_bytes("IntakeTrajectory", trajectory)
    assert read_intake_trajectory(data) == trajectory


@pytest.mark.parametrize("name", READERS)
def test_a_record_that_ends_too_early_or_goes_on_is_refused(name: str) -> None:
    data = full(name)
    assert READERS[name](data) == codec(name).decode(data)
    with pytest.raises(DoesNotFit, match=r"is cut off"):
        READERS[name](data[:-1])
    with pytest.raises(DoesNotFit, match="goes on for 1 bytes"):
        READERS[name](data + b"\x00")


@pytest.mark.parametrize("read", [*READERS.values(), read_trajectory_head])
def test_another_record_is_refused_by_its_id(read: Callable[[bytes], Any]) -> None:
    with pytest.raises(UnknownSchemaId):
        read(b"\x00\x00\x00\x00\x01rest")


def test_a_head_that_cannot_be_read_is_refused_with_its_field() -> None:
    with pytest.raises(DoesNotFit, match="trajectory_id: is cut off"):
        read_trajectory_head(codec("KeyedTrajectory").header + b"\x020\x0422"[:-1])


def test_a_head_in_a_writing_of_its_own_is_read_by_the_generic_codec() -> None:
    data = full("KeyedTrajectory")
    # The length of the municipality, 4, in eleven bytes: too long for us, fastavro takes it.
    other = data[:5] + b"\x88" + b"\x80" * 9 + b"\x00" + data[6:]
    assert read_trajectory_head(other) == head_of(read_keyed_trajectory(data))
