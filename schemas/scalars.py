"""Shapes of single values: text, numbers, bytes, dates, instants, decimals and enums.

Each converter knows three forms: the value in our objects, Avro's plain form, and the JSON form.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.primitives import EPOCH_ORDINAL, FIRST_MOMENT, LAST_MOMENT

_DAY_S = 24 * 60 * 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Python's own parsers also take weeks (2026-W09-6), and a digit may be any script's.
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_DECIMAL = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?")


class _Required:
    """Marks a field that JSON input may not leave out."""


REQUIRED = _Required()


class TextShape:
    """A string."""

    absent: Any = REQUIRED

    def from_avro(self, plain: Any) -> Any:
        return plain

    to_avro = to_json = from_avro

    def from_json(self, plain: Any) -> str:
        if not isinstance(plain, str):
            raise DoesNotFit("", "must be a text")
        try:
            plain.encode()
        except UnicodeEncodeError:
            # JSON can escape half a surrogate pair, which no UTF-8 can carry.
            raise DoesNotFit("", "must be a text of whole Unicode characters") from None
        return plain


class BooleanShape:
    """A boolean; missing in JSON input means false."""

    absent: Any = False

    def from_avro(self, plain: Any) -> Any:
        return plain

    to_avro = to_json = from_avro

    def from_json(self, plain: Any) -> bool:
        if not isinstance(plain, bool):
            raise DoesNotFit("", "must be true or false")
        return plain


@dataclass(frozen=True)
class IntegerShape:
    """An int or long."""

    bound: int
    absent: Any = REQUIRED

    def from_avro(self, plain: int) -> int:
        # Avro writes an int like a long: only its reader can hold it to 32 bits.
        if not -self.bound <= plain < self.bound:
            raise DoesNotFit("", "is out of range")
        return plain

    def to_avro(self, value: Any) -> Any:
        return value

    to_json = to_avro

    def from_json(self, plain: Any) -> int:
        if isinstance(plain, bool) or not isinstance(plain, int):
            raise DoesNotFit("", "must be a whole number")
        return self.from_avro(plain)


class BytesShape:
    """Bytes; base64 in JSON."""

    absent: Any = REQUIRED

    def from_avro(self, plain: Any) -> Any:
        return plain

    to_avro = from_avro

    def from_json(self, plain: Any) -> bytes:
        if not isinstance(plain, str):
            raise DoesNotFit("", "must be base64")
        try:
            return base64.b64decode(plain, validate=True)
        except ValueError:
            raise DoesNotFit("", "must be base64") from None

    def to_json(self, value: bytes) -> str:
        return base64.b64encode(value).decode("ascii")


class DateShape:
    """A date: days since 1970-01-01 in Avro, `2026-02-28` in JSON."""

    absent: Any = REQUIRED

    def from_avro(self, plain: int) -> date:
        try:
            return date.fromordinal(plain + EPOCH_ORDINAL)
        except (ValueError, OverflowError):
            raise DoesNotFit("", "is not a date of this calendar") from None

    def to_avro(self, value: date) -> int:
        return value.toordinal() - EPOCH_ORDINAL

    def from_json(self, plain: Any) -> date:
        if not isinstance(plain, str) or not _ISO_DATE.fullmatch(plain):
            raise DoesNotFit("", "must be a date like 2026-02-28")
        try:
            return date.fromisoformat(plain)
        except ValueError:
            raise DoesNotFit("", "must be a date like 2026-02-28") from None

    def to_json(self, value: date) -> str:
        return value.isoformat()


class TimestampShape:
    """An instant of the years 1 to 9999: milliseconds since the epoch, in JSON ISO 8601 with `Z`.

    JSON input may have any offset; what is finer than a millisecond is cut off.
    """

    absent: Any = REQUIRED

    def from_avro(self, plain: int) -> int:
        if not FIRST_MOMENT <= plain <= LAST_MOMENT:
            raise DoesNotFit("", "is not a moment of this calendar")
        return plain

    def to_avro(self, value: Any) -> Any:
        return value

    def from_json(self, plain: Any) -> int:
        if not isinstance(plain, str) or not _RFC3339.fullmatch(plain):
            raise DoesNotFit("", "must be a timestamp like 2026-02-28T09:30:00.000Z")
        try:
            since = datetime.fromisoformat(plain.upper()) - _EPOCH
        except ValueError:
            raise DoesNotFit("", "must be a timestamp like 2026-02-28T09:30:00.000Z") from None
        seconds = since.days * _DAY_S + since.seconds
        return self.from_avro(seconds * 1000 + since.microseconds // 1000)

    def to_json(self, value: int) -> str:
        moment = _EPOCH + timedelta(milliseconds=value)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class DecimalShape:
    """A decimal as its unscaled integer (cents); a text in JSON."""

    precision: int
    scale: int
    absent: Any = REQUIRED

    def from_avro(self, plain: bytes) -> int:
        return self._within(int.from_bytes(plain, "big", signed=True))

    def to_avro(self, value: int) -> bytes:
        # One bit for the sign: 128 needs two bytes in two's complement.
        return value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, "big", signed=True)

    def from_json(self, plain: Any) -> int:
        if isinstance(plain, bool) or not isinstance(plain, str | int | Decimal):
            raise DoesNotFit("", "must be a decimal in a text, like '123.45'")
        if isinstance(plain, int):
            return self._within(plain * 10**self.scale)
        text = str(plain)
        # No exponents: '1e999999999' is a short text and a very long number.
        if not _DECIMAL.fullmatch(text):
            raise DoesNotFit("", "must be a decimal in a text, like '123.45'")
        whole, _, fraction = text.partition(".")
        fraction = fraction.rstrip("0")
        if len(fraction) > self.scale:
            raise DoesNotFit("", f"has more than {self.scale} decimals")
        return self._within(int(whole + fraction.ljust(self.scale, "0")))

    def to_json(self, value: int) -> str:
        return f"{Decimal(value).scaleb(-self.scale):.{self.scale}f}"

    def _within(self, value: int) -> int:
        if abs(value) >= 10**self.precision:
            raise DoesNotFit("", f"has more than {self.precision} digits")
        return value


@dataclass(frozen=True)
class EnumShape:
    """An enum, by symbol."""

    members: Mapping[str, StrEnum]
    absent: Any = REQUIRED

    def from_avro(self, plain: Any) -> StrEnum:
        return self.members[plain]

    def to_avro(self, value: StrEnum) -> str:
        return value.value

    to_json = to_avro

    def from_json(self, plain: Any) -> StrEnum:
        if not isinstance(plain, str) or plain not in self.members:
            raise DoesNotFit("", f"must be one of {', '.join(self.members)}")
        return self.members[plain]
