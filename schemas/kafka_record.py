"""One record of Kafka's record format v2, read with whatever header names it has.

In: the content of a batch and the place of a record in it. Out: the record's parts. A broker takes header names as
they come, while both Python clients end at a name that is no UTF-8, and with it the partition. This reader is for such
a record; every other one is read by the clients themselves, which are faster.
"""

from typing import NamedTuple

_VARINT_BITS_MAX = 63


class KafkaRecordParts(NamedTuple):
    r"""A record as it lies in its batch.

    Attributes:
        size: Bytes of its content, as its length field says.
        timestamp_delta: Milliseconds after the batch's first timestamp.
        offset_delta: Offsets after the batch's base offset.
        key: Its key.
        value: Its value.
        headers: Names and values; a byte of a name that is no UTF-8 reads `\xNN`.
        end: Where the next record begins.
    """

    size: int
    timestamp_delta: int
    offset_delta: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    end: int


def read_kafka_record(batch: bytes | bytearray, start: int) -> KafkaRecordParts:
    """The record that begins at `start` in a batch that is not compressed (any more).

    Raises:
        ValueError: There is no record of this format.
    """
    try:
        size, begin = _varint(batch, start)
        timestamp_delta, place = _varint(
            batch, begin + 1
        )  # behind a byte of attributes that mean nothing yet
        offset_delta, place = _varint(batch, place)
        key, place = _bytes(batch, place)
        value, place = _bytes(batch, place)
        count, place = _varint(batch, place)
        headers = []
        for _ in range(count):
            name, place = _bytes(batch, place)
            content, place = _bytes(batch, place)
            headers.append(((name or b"").decode("utf-8", "backslashreplace"), content))
    except IndexError as error:
        raise ValueError("a record goes on behind its batch") from error
    if place - begin != size:
        raise ValueError(f"a record has {place - begin} bytes, not {size}")
    return KafkaRecordParts(size, timestamp_delta, offset_delta, key, value, headers, place)


def _varint(batch: bytes | bytearray, place: int) -> tuple[int, int]:
    """A zigzag integer of variable length, and where it ends."""
    number = shift = 0
    while True:
        byte = batch[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return (number >> 1) ^ -(number & 1), place
        shift += 7
        if shift > _VARINT_BITS_MAX:
            raise ValueError("a number has more than 64 bits")


def _bytes(batch: bytes | bytearray, place: int) -> tuple[bytes | None, int]:
    """A byte string behind its length, which is negative for none at all."""
    length, place = _varint(batch, place)
    if length < 0:
        return None, place
    end = place + length
    if end > len(batch):
        raise IndexError(end)
    return bytes(batch[place:end]), end
