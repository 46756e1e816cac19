"""A municipality's own figures: signals and hits per kind of partner and month, how soon there was contact, relapse.

In: counts. Out: figures that may be shown: a small group says nothing more than that it is small, and neither a total
nor what is left of a whole tells it (domain 8.19, as `figures.py`).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from signaalwissel.processors.figures import Precision, Shown, cell, total
from signaalwissel.schemas.signal import PartnerKind


class Contact(StrEnum):
    """How long after the day of receipt there was contact with the resident."""

    WITHIN_3_DAYS = "WITHIN_3_DAYS"
    WITHIN_7_DAYS = "WITHIN_7_DAYS"
    WITHIN_14_DAYS = "WITHIN_14_DAYS"
    WITHIN_28_DAYS = "WITHIN_28_DAYS"
    LATER = "LATER"
    NOT_YET = "NOT_YET"


CONTACT_DAYS = {
    Contact.WITHIN_3_DAYS: 3,
    Contact.WITHIN_7_DAYS: 7,
    Contact.WITHIN_14_DAYS: 14,
    Contact.WITHIN_28_DAYS: 28,
}
"""The last day of each group of CONTACT that has one."""
RELAPSE_MONTHS_MAX = 12
"""Relapses so many months after completion or more are one group."""


class SignalCount(NamedTuple):
    """Signals of a kind of partner in a month, and how many of them were hits; not to be shown as it is."""

    month: date
    partner_kind: PartnerKind
    signals: int
    hits: int


class ContactCount(NamedTuple):
    """Contacts on a relapse that were opened in a month, by how soon there was contact; not to be shown as it is."""

    month: date
    contact: Contact
    tasks: int


class EscalationCount(NamedTuple):
    """Of the contacts that were opened in a month: all, with the team in the end, offered to the regular flow."""

    month: date
    tasks: int
    escalated: int
    offered: int


class RelapseCount(NamedTuple):
    """Residents whose first signal after completion came so many whole months after the exit."""

    months_since_exit: int
    residents: int


class Counts(NamedTuple):
    """All that is counted of a municipality."""

    signals: Sequence[SignalCount]
    contacts: Sequence[ContactCount]
    escalations: Sequence[EscalationCount]
    relapses: Sequence[RelapseCount]


class Figure(StrEnum):
    """What a number is about."""

    SIGNALS = "SIGNALS"
    HITS = "HITS"
    CONTACT = "CONTACT"
    ESCALATED = "ESCALATED"
    OFFERED = "OFFERED"
    RELAPSE = "RELAPSE"


class FigureLine(NamedTuple):
    """One number as it may be shown.

    Attributes:
        month: Its first day; None where the figure is not by month.
        group: The kind of partner, the value of Contact, or the months since exit; None for the total.
        share: In whole percents of the whole, where both are told exactly.
    """

    figure: Figure
    month: date | None
    group: str | None
    shown: Shown
    share: int | None = None


def part(count: int, whole: Shown, suppress_below: int) -> Shown:
    """A part of a whole, made from the part and what is shown of the whole, so that nothing can be subtracted.

    What is left of the whole must be none, or no small group either. Where the whole is a bound, what is left is not
    known, and the part is told only where it is certainly no small group.
    """
    shown = cell(count, suppress_below)
    rest = whole.number - count
    exact = whole.precision is Precision.EXACT
    if count == 0 or (exact and rest == 0):
        return shown
    if exact and suppress_below <= whole.number < 2 * suppress_below - 1:
        # Either side may be the small one; which of them it is would tell much of it.
        return Shown(Precision.AT_LEAST, 1)
    if shown.precision is not Precision.EXACT:
        return shown
    if rest >= suppress_below:
        return shown
    return Shown(Precision.AT_LEAST, max(whole.number - suppress_below + 1, 0))


def figure_lines(counts: Counts, suppress_below: int) -> list[FigureLine]:
    """Every number, in the order in which it is read: by figure, month and group, each total after its groups."""
    return [
        *_signals(counts.signals, suppress_below),
        *_contacts(counts.contacts, suppress_below),
        *_escalations(counts, suppress_below),
        *_relapses(counts.relapses, suppress_below),
    ]


def _signals(counts: Iterable[SignalCount], below: int) -> Iterator[FigureLine]:
    ordered = sorted(counts, key=lambda one: (one.month, one.partner_kind))
    months = [(month, list(group)) for month, group in groupby(ordered, key=lambda one: one.month)]
    for month, group in months:
        cells = [cell(one.signals, below) for one in group]
        for one, shown in zip(group, cells, strict=True):
            yield FigureLine(Figure.SIGNALS, month, one.partner_kind, shown)
        yield FigureLine(Figure.SIGNALS, month, None, total(cells))
    for month, group in months:
        cells = [part(one.hits, cell(one.signals, below), below) for one in group]
        for one, shown in zip(group, cells, strict=True):
            share = _share(shown, cell(one.signals, below))
            yield FigureLine(Figure.HITS, month, one.partner_kind, shown, share)
        whole = total(cell(one.signals, below) for one in group)
        hits = total(cells)
        yield FigureLine(Figure.HITS, month, None, hits, _share(hits, whole))


def _contacts(counts: Iterable[ContactCount], below: int) -> Iterator[FigureLine]:
    for month, cells in _contact_cells(counts, below):
        for contact, shown in cells.items():
            yield FigureLine(Figure.CONTACT, month, contact, shown)
        yield FigureLine(Figure.CONTACT, month, None, total(cells.values()))


def _contact_cells(counts: Iterable[ContactCount], below: int) -> Iterator[tuple[date, dict[Contact, Shown]]]:
    ordered = sorted(counts, key=lambda one: one.month)
    for month, group in groupby(ordered, key=lambda one: one.month):
        found = {one.contact: one.tasks for one in group}
        yield month, {contact: cell(found.get(contact, 0), below) for contact in Contact}


def _escalations(counts: Counts, below: int) -> Iterator[FigureLine]:
    wholes = {month: total(cells.values()) for month, cells in _contact_cells(counts.contacts, below)}
    ordered = sorted(counts.escalations)
    climbed = {one.month: part(one.escalated, wholes[one.month], below) for one in ordered}
    for month, shown in climbed.items():
        yield FigureLine(Figure.ESCALATED, month, None, shown)
    for one in ordered:
        # Whoever is offered to the regular flow was with the team before: those who were not are a group as well.
        of_all = part(one.offered, wholes[one.month], below)
        of_those = part(one.offered, climbed[one.month], below) if one.offered <= one.escalated else of_all
        yield FigureLine(Figure.OFFERED, one.month, None, min(of_all, of_those, key=_says))


def _relapses(counts: Iterable[RelapseCount], below: int) -> Iterator[FigureLine]:
    found = {one.months_since_exit: one.residents for one in counts}
    if not found:
        return
    cells = [cell(found.get(months, 0), below) for months in range(RELAPSE_MONTHS_MAX + 1)]
    for months, shown in enumerate(cells):
        yield FigureLine(Figure.RELAPSE, None, str(months), shown)
    yield FigureLine(Figure.RELAPSE, None, None, total(cells))


def _share(shown: Shown, whole: Shown) -> int | None:
    if shown.precision is not Precision.EXACT or whole.precision is not Precision.EXACT or not whole.number:
        return None
    return round(100 * shown.number / whole.number)


def _says(shown: Shown) -> tuple[bool, int]:
    """Less says less: a bound before a number, and the lower of two bounds."""
    return shown.precision is Precision.EXACT, shown.number
