"""Cijfers: what a municipality's signals and contacts come to, small groups suppressed; as charts, tables and CSV.

In: somebody's municipalities. Out: a page, or a file. No number on it leads to a resident.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from signaalwissel.console.figure_rows import csv_of
from signaalwissel.console.webpages import rights
from signaalwissel.console.webpages.charts import Chart, chart, in_text
from signaalwissel.console.webpages.formats import month as month_text
from signaalwissel.console.webpages.kept import Counted, Kept
from signaalwissel.console.webpages.parts import Page, Pages, Parts, session_of
from signaalwissel.console.webpages.words import word
from signaalwissel.processors.access import Action, Principal
from signaalwissel.processors.figures import Precision, Shown
from signaalwissel.processors.municipal_figures import (
    RELAPSE_MONTHS_MAX,
    Contact,
    Figure,
    FigureLine,
    figure_lines,
)
from signaalwissel.security.http_problems import Problem
from signaalwissel.sinks.municipal_figures import first_month, municipal_counts

MONTHS = 13
_CONTACTS = {
    Contact.WITHIN_3_DAYS: "binnen 3 dagen",
    Contact.WITHIN_7_DAYS: "4 tot 7 dagen",
    Contact.WITHIN_14_DAYS: "8 tot 14 dagen",
    Contact.WITHIN_28_DAYS: "15 tot 28 dagen",
    Contact.LATER: "later",
    Contact.NOT_YET: "nog niet",
}


class Grid(NamedTuple):
    """A table under a chart: what its rows are, its columns, and a text for each cell."""

    name: str
    caption: str
    rows_are: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


class Section(NamedTuple):
    """A figure: its heading, what it says, charts and tables."""

    name: str
    heading: str
    meaning: str
    charts: Sequence[Chart]
    grids: Sequence[Grid]


class FiguresPage(Page):
    """The page.

    Args:
        parts: What it is made of.
        pages: Makes the page.
    """

    def __init__(self, parts: Parts, pages: Pages) -> None:
        super().__init__(parts, pages)
        self._counted: Kept[list[FigureLine]] = Kept(parts.patience_s)

    def routes(self) -> APIRouter:
        """The page and its download."""
        router = APIRouter()
        router.add_api_route("/cijfers", self.show, methods=["GET"])
        router.add_api_route("/cijfers.csv", self.download, methods=["GET"])
        return router

    def show(self, request: Request, gemeente: str = "") -> HTMLResponse:
        """The figures of a municipality."""
        codes, chosen = self._chosen(request, gemeente)
        counted = self._look(request, chosen)
        return self._pages.page(
            request,
            "figures.html",
            title="Cijfers",
            codes=codes,
            chosen=chosen,
            below=self._below(chosen),
            months=MONTHS,
            counted=counted,
            sections=[] if counted is None else list(_sections(counted.value)),
        )

    def download(self, request: Request, gemeente: str = "") -> Response:
        """The same as CSV; a file waits until it is counted."""
        _, chosen = self._chosen(request, gemeente)
        counted = self._look(request, chosen, whole=True)
        name = f"cijfers-{chosen}.csv"
        return Response(
            csv_of(chosen, [] if counted is None else counted.value),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _chosen(self, request: Request, municipality: str) -> tuple[list[str], str]:
        codes = rights.municipalities_for(session_of(request).principal, Action.READ_FIGURES)
        chosen = municipality or next(iter(codes), "")
        if chosen not in codes:
            raise Problem(403, "U mag deze cijfers niet zien.")
        return codes, chosen

    def _below(self, code: str) -> int:
        policies = self._parts.policies
        return (policies.get(code) or policies.default).figures.suppress_below

    def _look(self, request: Request, code: str, *, whole: bool = False) -> Counted[list[FigureLine]] | None:
        principal, below = session_of(request).principal, self._below(code)
        return self._counted.look(code, lambda: self._lines(principal, code, below), whole=whole)

    def _lines(self, principal: Principal, code: str, below: int) -> list[FigureLine]:
        with self._parts.rows(principal) as connection:
            counts = municipal_counts(connection, code, first_month(connection, MONTHS))
            return figure_lines(counts, below)


def _sections(lines: Sequence[FigureLine]) -> Iterable[Section]:
    signals, hits = _of(lines, Figure.SIGNALS), _of(lines, Figure.HITS)
    if signals:
        yield _signal_section(signals)
        yield _hit_section(hits)
    contacts = _of(lines, Figure.CONTACT)
    if contacts:
        yield _contact_section(contacts, _of(lines, Figure.ESCALATED), _of(lines, Figure.OFFERED))
    relapses = _of(lines, Figure.RELAPSE)
    if relapses:
        yield _relapse_section(relapses)


def _signal_section(lines: Sequence[FigureLine]) -> Section:
    charts = [
        chart("signalen", "Signalen per maand", [(_month(one), one.shown, "") for one in _totals(lines)])
    ]
    for kind in _groups(lines):
        rows = [(_month(one), one.shown, "") for one in lines if one.group == kind]
        charts.append(chart(f"signalen-{kind}", f"Signalen over {word(kind, 'partner')}", rows))
    return Section(
        "signalen",
        "Signalen",
        "Hoeveel signalen er kwamen, per maand en soort partner.",
        charts,
        [_by_month("tabel-signalen", "Signalen per maand en soort partner", lines)],
    )


def _hit_section(lines: Sequence[FigureLine]) -> Section:
    shares = [
        (_month(one), Shown(Precision.EXACT, one.share), "%")
        for one in _totals(lines)
        if one.share is not None
    ]
    charts = [chart("aandeel", "Aandeel dat naar een schuldhulpverlener ging", shares)] if shares else []
    return Section(
        "hits",
        "Naar een schuldhulpverlener",
        "Welk deel van de signalen bij een lopend of net afgerond traject hoorde.",
        charts,
        [_by_month("tabel-hits", "Signalen naar een schuldhulpverlener", lines)],
    )


def _contact_section(
    lines: Sequence[FigureLine], escalated: Sequence[FigureLine], offered: Sequence[FigureLine]
) -> Section:
    months = sorted({line.month for line in lines if line.month is not None})
    # The month that runs is not over; the one before tells more.
    shown_month = months[-2] if len(months) > 1 else months[-1]
    rows = [
        (_CONTACTS[Contact(line.group)], line.shown, "")
        for line in lines
        if line.group and line.month == shown_month
    ]
    totals = {line.month: line.shown for line in lines if line.group is None}
    climbed = {line.month: line.shown for line in escalated}
    given = {line.month: line.shown for line in offered}
    steps = [
        (month_text(month), [in_text(one[month]) for one in (totals, climbed, given)]) for month in months
    ]
    return Section(
        "contact",
        "Contact na een terugval",
        "Hoe snel er contact was na de dag van ontvangst, en hoe vaak het team of vroegsignalering erbij kwam.",
        [chart("contact", f"Tijd tot contact, taken van {month_text(shown_month)}", rows)],
        [
            _by_month("tabel-contact", "Tijd tot contact, per maand waarin de taak begon", lines, _CONTACTS),
            Grid(
                "tabel-team",
                "Naar het team en naar vroegsignalering",
                "Maand",
                ("Taken", "Naar het team", "Ook naar vroegsignalering"),
                steps,
            ),
        ],
    )


def _relapse_section(lines: Sequence[FigureLine]) -> Section:
    rows = [(_since_exit(line.group), line.shown, "") for line in lines if line.group is not None]
    total = [(_since_exit(line.group), line.shown, "") for line in lines if line.group is None]
    return Section(
        "terugval",
        "Terugval na afronding",
        "Hoeveel inwoners na afronding een eerste signaal kregen, naar hele maanden na de uitstroom.",
        [chart("terugval", "Eerste signaal na afronding", rows)],
        [
            Grid(
                "tabel-terugval",
                "Eerste signaal na afronding",
                "Maanden na uitstroom",
                ("Inwoners",),
                [(label, [in_text(shown)]) for label, shown, _ in (*rows, *total)],
            )
        ],
    )


def _by_month(
    name: str, caption: str, lines: Sequence[FigureLine], names: dict[Contact, str] | None = None
) -> Grid:
    groups = [str(contact) for contact in names] if names else _groups(lines)
    months = sorted({line.month for line in lines if line.month is not None})
    cells = {(line.month, line.group): _cell(line) for line in lines}
    rows = [
        (month_text(month), [cells.get((month, group), "0") for group in (*groups, None)]) for month in months
    ]
    columns = [names[Contact(group)] if names else word(group, "partner") for group in groups]
    return Grid(name, caption, "Maand", (*map(str.capitalize, columns), "Totaal"), rows)


def _cell(line: FigureLine) -> str:
    share = "" if line.share is None else f" ({line.share}%)"
    return in_text(line.shown) + share


def _of(lines: Sequence[FigureLine], figure: Figure) -> list[FigureLine]:
    return [line for line in lines if line.figure is figure]


def _totals(lines: Sequence[FigureLine]) -> list[FigureLine]:
    return [line for line in lines if line.group is None]


def _groups(lines: Sequence[FigureLine]) -> list[str]:
    return sorted({str(line.group) for line in lines if line.group is not None})


def _month(line: FigureLine) -> str:
    return "" if line.month is None else month_text(line.month)


def _since_exit(group: str | None) -> str:
    if group is None:
        return "totaal"
    if int(group) >= RELAPSE_MONTHS_MAX:
        return f"{RELAPSE_MONTHS_MAX} of meer"
    return "minder dan 1" if group == "0" else group
