"""Cells into values: texts, amounts with a comma, dates in a system's own form, yes and no.

In: a cell as a reader gives it. Out: a value, None where the cell is empty, or Unfit with the rule that it breaks,
never with what stands in it. Pure.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from signaalwissel.processors.amsterdam import AMSTERDAM
from signaalwissel.schemas.units import Cents, Millis
from signaalwissel.sources.rows import Cell

_LENGTH_MAX = 2_000
_FORMULA = "="
_SPREADSHEET_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"})
# Tabs and line breaks come in addresses; whatever else controls a terminal comes in no export.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]")
_AMOUNT = re.compile(r"-?\d{1,12}(\.\d+)?")
_GROUPS = re.compile(r"-?\d{1,3}(,\d{3})*(\.\d+)?")
_WHOLE = re.compile(r"-?\d{1,18}")
_BSN_DIGITS = (8, 9)
_CENTS = 100
_EXPONENT_MAX = 13
_SERIAL_ORIGIN = date(1899, 12, 30)
"""Day 0 of a spreadsheet, so that its day 60, which never was, does no harm to later ones."""
_SERIALS = (61, 401_769)


class Unfit(ValueError):
    """A cell is not what its field needs; the text is the rule, without the value."""


def text(cell: Cell, empty: frozenset[str] = frozenset()) -> str | None:
    """A text without outer spaces; None for an empty cell or one of the words that mean empty."""
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    found = _number_text(cell) if isinstance(cell, int | float | Decimal) else str(cell).strip()
    if not found or found.casefold() in empty:
        return None
    if len(found) > _LENGTH_MAX:
        raise Unfit(f"must have at most {_LENGTH_MAX} characters")
    if found.startswith(_FORMULA):
        raise Unfit("must be a value, not a formula")
    if found in _SPREADSHEET_ERRORS:
        raise Unfit("must be a value, not an error of the spreadsheet")
    if _CONTROL.search(found):
        raise Unfit("must not hold control characters, or characters that the file's encoding lost")
    return found


def bsn(found: str) -> str:
    """A BSN with the leading zero that spreadsheets lose; the 11-proof is checked with the record."""
    digits = re.sub(r"[ .]", "", found)
    if not digits.isascii() or not digits.isdigit() or len(digits) not in _BSN_DIGITS:
        raise Unfit("must have nine digits")
    return digits.zfill(9)


def municipality(found: str) -> str:
    """A municipality's four digits, from GM0344, 344 or 0344."""
    digits = found.upper().removeprefix("GM")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 4:
        raise Unfit("must be four digits, with or without GM before them")
    return digits.zfill(4)


def whole(found: str) -> int:
    """A whole number."""
    if not _WHOLE.fullmatch(found):
        raise Unfit("must be a whole number")
    return int(found)


def money(cell: Cell, found: str, decimal: str) -> Cents:
    """An amount in euro cents.

    Args:
        cell: The cell; a number is read as it is.
        found: Its text.
        decimal: What stands before the cents in texts; the other one may group thousands.
    """
    if isinstance(cell, str):
        found = re.sub(r"[\s€]|EUR", "", found)
        if decimal == ",":
            found = found.translate(str.maketrans(",.", ".,"))
        if "," in found and not _GROUPS.fullmatch(found):
            raise Unfit(f"must be an amount with {decimal!r} before the cents")
        found = found.replace(",", "")
    if not _AMOUNT.fullmatch(found):
        raise Unfit(f"must be an amount with {decimal!r} before the cents")
    try:
        cents = Decimal(found) * _CENTS
    except InvalidOperation:
        raise Unfit("must be an amount") from None
    if cents != cents.to_integral_value():
        raise Unfit("must have at most two decimals")
    return int(cents)


def day(cell: Cell, found: str, forms: Sequence[str], *, serial: bool) -> date:
    """A date.

    Args:
        cell: The cell; a spreadsheet's own date is read as it is.
        found: Its text.
        forms: How texts write it, as strptime has it.
        serial: Whether a number is the spreadsheet's count of days.
    """
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if serial and isinstance(cell, int | float | Decimal) and not isinstance(cell, bool):
        if cell != int(cell) or not _SERIALS[0] <= cell <= _SERIALS[1]:
            raise Unfit("must be a date of the spreadsheet")
        return _SERIAL_ORIGIN + timedelta(days=int(cell))
    for form in forms:
        try:
            # The zone does not matter: a date is what is wanted.
            return datetime.strptime(found, form).date()  # noqa: DTZ007
        except ValueError:
            continue
    raise Unfit(f"must be a date written {' or '.join(forms)}")


def moment(cell: Cell, found: str, forms: Sequence[str]) -> Millis:
    """A moment in milliseconds; without a zone it is Amsterdam's, a day alone its beginning."""
    at = _moment(cell, found, forms)
    aware = at.replace(tzinfo=AMSTERDAM) if at.tzinfo is None else at
    return int(aware.astimezone(UTC).timestamp() * 1000)


def _moment(cell: Cell, found: str, forms: Sequence[str]) -> datetime:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    for form in forms:
        try:
            return datetime.fromisoformat(found) if form == "iso" else datetime.strptime(found, form)  # noqa: DTZ007
        except ValueError:
            continue
    raise Unfit(f"must be a moment written {' or '.join(forms)}")


def _number_text(cell: float | Decimal) -> str:
    try:
        number = Decimal(str(cell))
    except InvalidOperation:
        raise Unfit("must be a number") from None
    if not number.is_finite() or abs(number.adjusted()) > _EXPONENT_MAX:
        raise Unfit("must be a number of a length that amounts and ids have")
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
