"""Table values with the Kafka time of their last write in front: the clock of housekeeping (design 3)."""

from typing import Final

from signaalwissel.schemas.units import Millis

_SIZE: Final = 8


def stamp(record: bytes, written_at: Millis) -> bytes:
    """A table value: eight bytes of Kafka time, then the record in wire format."""
    return max(written_at, 0).to_bytes(_SIZE, "big") + record


def record_in(value: bytes) -> bytes:
    """The record of a table value."""
    return value[_SIZE:]


def written_at(value: bytes) -> Millis:
    """When a table value was last written, in Kafka time."""
    return int.from_bytes(value[:_SIZE], "big")
