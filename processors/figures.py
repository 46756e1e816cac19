"""The partners' figure: new arrears after admission and after completion, per month and partner (domain 8.19).

In: counts. Out: a table that may be shown: a small count says nothing more than that it is small, and no total
tells it either.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from signaalwissel.schemas.signal import PartnerKind


class Count(NamedTuple):
    """Signals of one partner in one month, by what they say about the debt; not to be shown as it is.

    `month` is its first day.
    """

    municipality: str
    month: date
    partner_kind: PartnerKind
    partner_id: str
    after_admission: int
    after_exit: int


class Precision(StrEnum):
    """How much a shown number says."""

    EXACT = "EXACT"
    BELOW = "BELOW"
    AT_LEAST = "AT_LEAST"


@dataclass(frozen=True, slots=True)
class Shown:
    """A number as it may be shown: itself, or a bound."""

    precision: Precision
    number: int

    @property
    def plain(self) -> int | str:
        """As JSON has it: a number where it is exact, a text like `<10` or `>=37` where it is not."""
        if self.precision is Precision.EXACT:
            return self.number
        return f"{'<' if self.precision is Precision.BELOW else '>='}{self.number}"


class Cells(NamedTuple):
    """What may be shown of one partner in one month; `month` is its first day."""

    municipality: str
    month: date
    partner_kind: PartnerKind
    partner_id: str
    after_admission: Shown
    after_exit: Shown


class FigureRow(NamedTuple):
    """One line of the table: a partner, or where kind and id are None the municipality's total."""

    municipality: str
    month: date
    partner_kind: PartnerKind | None
    partner_id: str | None
    after_admission: Shown
    after_exit: Shown


def cell(count: int, suppress_below: int) -> Shown:
    """A count as it may be shown: none and large ones as they are."""
    if 0 < count < suppress_below:
        return Shown(Precision.BELOW, suppress_below)
    return Shown(Precision.EXACT, count)


def total(cells: Iterable[Shown]) -> Shown:
    """The total of shown cells, made from nothing but what they show.

    Where one cell is small an exact total would tell it, and with several it would narrow them down; so the total then
    says only what the reader could add up. Nothing in it depends on a hidden count.
    """
    added = 0
    exact = True
    for shown in cells:
        if shown.precision is Precision.EXACT:
            added += shown.number
        else:
            # A small count is at least one.
            added += shown.number if shown.precision is Precision.AT_LEAST else 1
            exact = False
    return Shown(Precision.EXACT if exact else Precision.AT_LEAST, added)


def table(
    counts: Iterable[Count], suppress_below: Callable[[str], int], retained: Iterable[Cells] = ()
) -> list[FigureRow]:
    """The table by month, municipality, kind and partner, each municipality's total after its partners.

    Args:
        counts: Each partner of a month once.
        suppress_below: By municipality: a count below it is small (policy `figures.suppress_below`).
        retained: What is kept of months whose signals are destroyed; none of these is among the counts.
    """
    rows: list[FigureRow] = []
    shown = [*retained, *(_cells(count, suppress_below(count.municipality)) for count in counts)]
    in_order = sorted(shown, key=lambda c: (c.month, c.municipality, c.partner_kind, c.partner_id))
    for (month, municipality), group in groupby(in_order, key=lambda c: (c.month, c.municipality)):
        partners = [
            FigureRow(
                municipality,
                month,
                cells.partner_kind,
                cells.partner_id,
                cells.after_admission,
                cells.after_exit,
            )
            for cells in group
        ]
        rows += partners
        after_admission = total(row.after_admission for row in partners)
        after_exit = total(row.after_exit for row in partners)
        rows.append(FigureRow(municipality, month, None, None, after_admission, after_exit))
    return rows


def _cells(count: Count, below: int) -> Cells:
    return Cells(
        count.municipality,
        count.month,
        count.partner_kind,
        count.partner_id,
        cell(count.after_admission, below),
        cell(count.after_exit, below),
    )
