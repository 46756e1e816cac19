"""Avro's primitive encodings as functions on bytes, for the records of the hot path.

Readers take the buffer and a position and give the value and the next position. A truncated buffer raises
IndexError or shows in the final position, which the caller compares with the length: one check for the record
instead of one for each field.
"""

from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeVar

EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
FIRST_MOMENT: Final = -62_135_596_800_000
LAST_MOMENT: Final = 253_402_300_799_999
"""The years 1 to 9999 in milliseconds: what a timestamp of this calendar can be."""
INT_BOUND: Final = 2**31
BROKEN: Final = (IndexError, ValueError, OverflowError)
"""What the readers raise for bytes that do not fit."""

NULL: Final = b"\x00"
SOME: Final = b"\x02"
TRUE: Final = b"\x01"
FALSE: Final = b"\x00"
_LONG_BITS: Final = 64
_BASE: Final = 128

Item = TypeVar("Item")
Symbol = TypeVar("Symbol", bound=StrEnum)


_LAST: Final = (
    *(bytes((low,)) for low in range(_BASE)),
    *(bytes((low | _BASE, high)) for high in range(1, _BASE) for low in range(_BASE)),
)
"""The last one or two bytes of a number, by its value: 14 bits."""
_MORE: Final = tuple(bytes((low | _BASE, high | _BASE)) for high in range(_BASE) for low in range(_BASE))
"""Two bytes of a number that goes on behind them, by their 14 bits."""
_BITS: Final = 14
_LOW_BITS: Final = (1 << _BITS) - 1
_LONGS: Final = _LAST[::2]
"""The numbers from 0 on that take one or two bytes: counts, lengths and symbols."""
_SMALL: Final = len(_LONGS)


def _zigzag(value: int) -> bytes:
    rest = (value << 1) ^ (value >> 63)
    out = b""
    while rest > _LOW_BITS:
        out += _MORE[rest & _LOW_BITS]
        rest >>= _BITS
    return out + _LAST[rest]


def long(value: int) -> bytes:
    """An int or long."""
    return _LONGS[value] if 0 <= value < _SMALL else _zigzag(value)


@lru_cache(maxsize=1024)
def moment(value: int) -> bytes:
    """A timestamp in milliseconds, one that many records in a row share: when they were decided, when they came."""
    return _zigzag(value)


def string(value: str) -> bytes:
    """A string."""
    encoded = value.encode()
    size = len(encoded)
    return (_LONGS[size] if size < _SMALL else _zigzag(size)) + encoded


def binary(value: bytes) -> bytes:
    """Bytes."""
    return long(len(value)) + value


@lru_cache(maxsize=4096)
def day(value: date) -> bytes:
    """A date; the same few are written again and again."""
    return _zigzag(value.toordinal() - EPOCH_ORDINAL)


def optional_string(value: str | None) -> bytes:
    """A union of null and string."""
    return NULL if value is None else SOME + string(value)


def optional_binary(value: bytes | None) -> bytes:
    """A union of null and bytes."""
    return NULL if value is None else SOME + long(len(value)) + value


def optional_day(value: date | None) -> bytes:
    """A union of null and date."""
    return NULL if value is None else SOME + day(value)


def optional_long(value: int | None) -> bytes:
    """A union of null and int or long."""
    return NULL if value is None else SOME + long(value)


def decimal(unscaled: int) -> bytes:
    """A decimal as its unscaled integer."""
    size = (unscaled if unscaled >= 0 else ~unscaled).bit_length() // 8 + 1
    return long(size) + unscaled.to_bytes(size, "big", signed=True)


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """An int or long; ValueError where it has more than 64 bits."""
    byte = data[at]
    at += 1
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), at
    value = byte & 0x7F
    shift = 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
        if shift >= _LONG_BITS:
            raise ValueError("more than 64 bits")
    if value >> _LONG_BITS:
        # The tenth byte has room for one bit only.
        raise ValueError("more than 64 bits")
    return (value >> 1) ^ -(value & 1), at


def read_binary(data: bytes, at: int) -> tuple[bytes, int]:
    """Bytes; ValueError for a negative length."""
    size = data[at]
    if size < 0x80 and not size & 1:
        at += 1
        end = at + (size >> 1)
    else:
        size, at = read_long(data, at)
        if size < 0:
            raise ValueError("negative length")
        end = at + size
    return data[at:end], end


def read_string(data: bytes, at: int) -> tuple[str, int]:
    """A string; UnicodeDecodeError (a ValueError) where it is not UTF-8."""
    size = data[at]
    if size < 0x80 and not size & 1:
        at += 1
        end = at + (size >> 1)
    else:
        size, at = read_long(data, at)
        if size < 0:
            raise ValueError("negative length")
        end = at + size
    return data[at:end].decode(), end


def read_is_some(data: bytes, at: int) -> bool:
    """Whether a union of null and one other type holds the other; ValueError for any third branch."""
    branch = data[at]
    if branch > 2 or branch & 1:
        raise ValueError("no such branch of the union")
    return branch == 2


def read_optional_string(data: bytes, at: int) -> tuple[str | None, int]:
    """A union of null and string."""
    if not read_is_some(data, at):
        return None, at + 1
    return read_string(data, at + 1)


def read_optional_binary(data: bytes, at: int) -> tuple[bytes | None, int]:
    """A union of null and bytes."""
    if not read_is_some(data, at):
        return None, at + 1
    return read_binary(data, at + 1)


def read_optional_long(data: bytes, at: int) -> tuple[int | None, int]:
    """A union of null and int or long."""
    if not read_is_some(data, at):
        return None, at + 1
    return read_long(data, at + 1)


def read_int(data: bytes, at: int) -> tuple[int, int]:
    """An int; ValueError where it has more than 32 bits."""
    value, at = read_long(data, at)
    if not -INT_BOUND <= value < INT_BOUND:
        raise ValueError("more than 32 bits")
    return value, at


def read_optional_int(data: bytes, at: int) -> tuple[int | None, int]:
    """A union of null and int; ValueError where it has more than 32 bits."""
    if not read_is_some(data, at):
        return None, at + 1
    return read_int(data, at + 1)


def read_symbol(data: bytes, at: int, symbols: tuple[Symbol, ...]) -> tuple[Symbol, int]:
    """A symbol of an enum; IndexError or ValueError where it has none of that number."""
    index, at = read_long(data, at)
    if index < 0:
        raise ValueError("no such symbol")
    return symbols[index], at


def read_optional_symbol(data: bytes, at: int, symbols: tuple[Symbol, ...]) -> tuple[Symbol | None, int]:
    """A union of null and an enum."""
    if not read_is_some(data, at):
        return None, at + 1
    return read_symbol(data, at + 1, symbols)


def read_moment(data: bytes, at: int) -> tuple[int, int]:
    """A timestamp in milliseconds; ValueError where the calendar has none."""
    value, at = read_long(data, at)
    if not FIRST_MOMENT <= value <= LAST_MOMENT:
        raise ValueError("no moment of this calendar")
    return value, at


def read_day(data: bytes, at: int) -> tuple[date, int]:
    """A date; ValueError or OverflowError where the calendar has none."""
    days, at = read_long(data, at)
    return date.fromordinal(days + EPOCH_ORDINAL), at


def read_optional_day(data: bytes, at: int) -> tuple[date | None, int]:
    """A union of null and date."""
    if not read_is_some(data, at):
        return None, at + 1
    return read_day(data, at + 1)


def read_boolean(data: bytes, at: int) -> tuple[bool, int]:
    """A boolean; ValueError for any byte but 0 and 1."""
    value = data[at]
    if value > 1:
        raise ValueError("no boolean")
    return value == 1, at + 1


def read_optional_boolean(data: bytes, at: int) -> tuple[bool | None, int]:
    """A union of null and boolean."""
    if not read_is_some(data, at):
        return None, at + 1
    return read_boolean(data, at + 1)


def array(items: Sequence[bytes]) -> bytes:
    """An array of encoded items, as one block."""
    return long(len(items)) + b"".join(items) + NULL if items else NULL


def read_array(
    data: bytes, at: int, read_item: Callable[[bytes, int], tuple[Item, int]]
) -> tuple[tuple[Item, ...], int]:
    """An array; ValueError for a block with a byte size, which none of our own writers makes."""
    items: list[Item] = []
    count, at = read_long(data, at)
    while count:
        if count < 0:
            raise ValueError("a block with its size")
        for _ in range(count):
            item, at = read_item(data, at)
            items.append(item)
        count, at = read_long(data, at)
    return tuple(items), at
