"""Rows of an export, whatever the file's format: what every reader gives.

Flows out: rows with their number and cells. A row that cannot be read as one carries its refusal; a file that cannot
be read, or not to its end, raises.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from signaalwissel.processors.rejection import Rejected, RejectionCode

Cell = str | int | float | bool | Decimal | date | None
"""What a reader gives; `datetime` is a `date`."""
OUTER = "^"
"""Before the name of a value that stands around the rows of a JSON or XML file."""
DEPTH_MAX = 20
CELLS_MAX = 5_000


class FileUnreadable(ValueError):
    """A file cannot be read, or not on from a row: says where and why, never a value.

    Attributes:
        row: The row at which reading ended, None for the whole file.
        rule: What it must be.
    """

    def __init__(self, rule: str, row: int | None = None) -> None:
        super().__init__(rule)
        self.row = row
        self.rule = rule


class Row(NamedTuple):
    """A row: its number as a person finds it in the file, its cells by column, or why it is none."""

    number: int
    cells: Mapping[str, Cell]
    refusal: Rejected | None = None

    def __repr__(self) -> str:
        """Tell the number; cells are persons' data."""
        return f"Row({self.number})"


def refused(number: int, rule: str) -> Row:
    """A row that cannot be read as one."""
    return Row(number, {}, Rejected(RejectionCode.UNREADABLE, None, rule))


def flattened(number: int, item: Any, outer: Mapping[str, Cell]) -> Row:
    """A row of nested values: `client.0.Postcode` for lists, `uitstroom.datum` for objects."""
    cells: dict[str, Cell] = dict(outer)
    try:
        cells.update(_flat("", item, 0))
    except _TooLarge as error:
        return refused(number, str(error))
    return Row(number, cells)


class _TooLarge(ValueError):
    """A row has more in it than any export."""


def _flat(name: str, item: Any, depth: int) -> Iterator[tuple[str, Cell]]:
    if depth > DEPTH_MAX:
        raise _TooLarge(f"must not be nested deeper than {DEPTH_MAX} levels")
    if isinstance(item, Mapping):
        inner = item.items()
    elif isinstance(item, list):
        inner = ((str(index), one) for index, one in enumerate(item))  # type: ignore[assignment]
    else:
        yield name, item
        return
    for key, one in inner:
        yield from _flat(f"{name}.{key}" if name else str(key), one, depth + 1)
