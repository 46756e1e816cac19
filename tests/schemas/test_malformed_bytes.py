"""Bytes that are no record of ours: every reader refuses them with one of three errors, quickly and in little memory."""

import random
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.decision_codec import read_decision
from signaalwissel.schemas.early_signal_codec import read_early_signal
from signaalwissel.schemas.errors import DoesNotFit, NotWireFormat, UnknownSchemaId
from signaalwissel.schemas.fact_codec import (
    read_intake_trajectory,
    read_keyed_trajectory,
    read_trajectory_head,
    read_trajectory_state,
)
from signaalwissel.schemas.keyed_signal_codec import read_keyed_signal
from signaalwissel.schemas.primitives import long
from signaalwissel.schemas.recent_signal_codec import read_recent_signal

from tests.schemas import golden
from tests.schemas.strategies import EXAMPLES, GENERIC, NAMES, fastavro_bytes

Reader = Callable[[bytes], Any]
REFUSED = (NotWireFormat, UnknownSchemaId, DoesNotFit)
BY_HAND: dict[str, Reader] = {
    "EarlySignal": read_early_signal,
    "Decision": read_decision,
    "KeyedTrajectory": read_keyed_trajectory,
    "TrajectoryState": read_trajectory_state,
    "IntakeTrajectory": read_intake_trajectory,
    "RecentSignal": read_recent_signal,
}
READERS: list[tuple[str, Reader]] = [
    *((name, codec(name).decode) for name in GENERIC),
    *BY_HAND.items(),
    ("KeyedSignal", read_keyed_signal),
    ("KeyedTrajectory", read_trajectory_head),
]
CPU_SECONDS_MAX = 10.0
"""Far above what it takes, far below what it takes once something is not linear in the bytes."""

every_reader = pytest.mark.parametrize(
    ("name", "read"),
    [pytest.param(name, read, id=f"{name}-{getattr(read, '__name__', 'reader')}") for name, read in READERS],
)
WHOLE = {
    name: fastavro_bytes(name, golden.shape_for(name).from_json(golden.full_json(name))) for name in NAMES
}
ODD_NUMBERS = (
    long(2**31),
    long(2**40),
    long(2**63 - 1),
    long(-1),
    long(-2),
    long(-(2**63)),
    b"\xff" * 9 + b"\x01",
    b"\xff" * 9 + b"\x7f",
    b"\x80" * 10 + b"\x01",
    b"\xff" * 40,
)


def outcome(read: Reader, data: bytes) -> Any:
    """The record, or the kind of refusal; any other error fails the test."""
    try:
        return read(data)
    except REFUSED as refused:
        return type(refused)


@pytest.mark.parametrize("name", GENERIC)
def test_a_record_cut_off_anywhere_is_refused_with_a_field(name: str) -> None:
    for length in range(len(WHOLE[name])):
        with pytest.raises(NotWireFormat if length < 5 else DoesNotFit) as refused:
            codec(name).decode(WHOLE[name][:length])
        assert length < 5 or refused.value.field


@pytest.mark.parametrize("name", BY_HAND)
def test_a_reader_by_hand_refuses_a_record_cut_off_anywhere_as_the_generic_codec_does(name: str) -> None:
    for length in range(len(WHOLE[name])):
        with pytest.raises(REFUSED) as expected:
            codec(name).decode(WHOLE[name][:length])
        with pytest.raises(type(expected.value)) as refused:
            BY_HAND[name](WHOLE[name][:length])
        assert str(refused.value) == str(expected.value)


@every_reader
def test_odd_numbers_anywhere_are_refused_or_read_but_break_nothing(name: str, read: Reader) -> None:
    whole = WHOLE[name]
    for at in range(5, len(whole), 5):
        for number in ODD_NUMBERS:
            for broken in (whole[:at] + number + whole[at + 1 :], whole[:at] + number):
                mine = outcome(read, broken)
                if name in BY_HAND and read is BY_HAND[name]:
                    assert mine == outcome(codec(name).decode, broken)


@st.composite
def mutations(draw: st.DrawFn, whole: bytes) -> bytes:
    """The record with a few of its bytes changed, left out, doubled or put elsewhere."""
    data = whole
    for _ in range(draw(st.integers(1, 4))):
        at, until = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        kind = draw(st.sampled_from(("change", "leave out", "double", "insert")))
        if kind == "change" and at < len(data):
            data = data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
        elif kind == "leave out":
            data = data[:at] + data[until:]
        elif kind == "double":
            data = data[:until] + data[at:]
        else:
            data = data[:at] + draw(st.binary(max_size=12) | st.sampled_from(ODD_NUMBERS)) + data[at:]
    return data


@every_reader
@given(data=st.data())
@EXAMPLES
def test_a_mutated_record_is_refused_or_read_but_breaks_nothing(
    name: str, read: Reader, data: st.DataObject
) -> None:
    broken = data.draw(mutations(WHOLE[name]))
    mine = outcome(read, broken)
    if name in BY_HAND and read is BY_HAND[name]:
        assert mine == outcome(codec(name).decode, broken)
    if read == getattr(codec(name), "decode", None) and not isinstance(mine, type):
        # What was read can be written and read again.
        assert codec(name).decode(codec(name).encode(mine)) == mine


@every_reader
@given(body=st.binary(max_size=400))
@EXAMPLES
def test_random_bytes_behind_the_right_header_break_nothing(name: str, read: Reader, body: bytes) -> None:
    outcome(read, codec(name).header + body)


@every_reader
@given(data=st.binary(max_size=60))
@EXAMPLES
def test_random_bytes_break_nothing(name: str, read: Reader, data: bytes) -> None:
    outcome(read, data)


def garbage(size: int) -> dict[str, bytes]:
    """`size` bytes of several kinds of nonsense, some of them of the shape of endless lists."""
    return {
        "random": random.Random(7).randbytes(size),
        **{f"{byte:#04x}": bytes([byte]) * size for byte in (0x00, 0x01, 0x02, 0x61, 0x80, 0xFF)},
        "lengths": long(2**40) * (size // 6),
        "counts": long(-(2**40)) * (size // 6),
    }


MEGABYTE = garbage(2**20)
KILOBYTES = garbage(2**17)


@every_reader
def test_a_megabyte_of_garbage_is_dealt_with_in_seconds(name: str, read: Reader) -> None:
    for kind, body in MEGABYTE.items():
        started = time.process_time()
        outcome(read, codec(name).header + body)
        assert time.process_time() - started < CPU_SECONDS_MAX, kind


@every_reader
def test_garbage_takes_no_more_memory_than_64_times_its_size(name: str, read: Reader) -> None:
    for kind, body in KILOBYTES.items():
        assert memory_peak(read, [codec(name).header + body]) < 64 * len(body), kind


def memory_peak(read: Reader, records: list[bytes]) -> int:
    tracemalloc.start()
    try:
        for data in records:
            outcome(read, data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@every_reader
def test_a_declared_length_is_not_believed(name: str, read: Reader) -> None:
    sizes = (2**31, 2**40, 2**63 - 1, -1, -(2**40), -(2**63))
    whole = WHOLE[name]
    broken = [whole[:at] + long(size) + whole[at:] for size in sizes for at in range(5, 25)]
    assert memory_peak(read, broken) < 2**20
