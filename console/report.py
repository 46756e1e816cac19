"""`report`: figures for partners and the municipality, small groups suppressed."""

import csv
import sys
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

import typer
from rich.table import Table
from signaalwissel.console import environment, runtime
from signaalwissel.console.connections import database
from signaalwissel.console.ddas_report import ddas
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.figure_rows import FIGURE_COLUMNS, csv_of, plain_rows
from signaalwissel.console.lines import dump
from signaalwissel.console.screen import screen
from signaalwissel.processors.figures import FigureRow
from signaalwissel.processors.municipal_figures import FigureLine, figure_lines
from signaalwissel.processors.validation import is_municipality
from signaalwissel.sinks.figures import new_arrears as new_arrears_table
from signaalwissel.sinks.municipal_figures import counts_of

report = typer.Typer(help="Figures, small groups suppressed, and the delivery to DDAS.", no_args_is_help=True)
report.command()(ddas)

_COLUMNS = ("month", "municipality", "partner_kind", "partner_id", "after_admission", "after_exit")
_ALL = "ALL"
# What a spreadsheet would take for a formula; partners choose their ids.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@report.callback()
def _report() -> None:
    """Figures, small groups suppressed, and the delivery to DDAS."""


@report.command()
def new_arrears(
    month: Annotated[str | None, typer.Option(help="Like 2026-02; every month otherwise.")] = None,
    municipality: Annotated[
        str | None, typer.Option(help="Four digits; every municipality otherwise.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated, with a header.")] = False,
) -> None:
    """Show, per month and partner, how many signals told of arrears that began after admission or after completion.

    Counts below the policy's figures.suppress_below are shown as `<10`, and the municipality's total then as a lower
    bound like `>=37`, so that it tells no small count.

    Example: signaalwissel report new-arrears --month 2026-02 --municipality 0344
    """
    _check_form(as_json=as_json, as_csv=as_csv)
    if municipality is not None and not is_municipality(municipality):
        raise UsageFailure("--municipality must be four digits, like 0344")
    settings = environment.settings()
    policies = runtime.policies(settings)
    wanted = None if month is None else _month(month)
    with database(settings) as engine:
        rows = new_arrears_table(engine, policies, municipality=municipality, month=wanted)
    if as_json:
        print(dump([dict(zip(_COLUMNS, _plain(row), strict=True)) for row in rows]))
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(map(_for_spreadsheets, rows))
    else:
        screen().print(_table(rows))


@report.command()
def figures(
    municipality: Annotated[str, typer.Option(help="Four digits.")],
    months: Annotated[int, typer.Option(min=1, max=60, help="So many months back, this one included.")] = 13,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated, with a header.")] = False,
) -> None:
    """Show a municipality's own figures: signals, hits, time to contact, escalations, relapse after completion.

    They are those of the page Cijfers. A group below the policy's figures.suppress_below is shown as `<10`, and what
    would tell it by subtraction as a lower bound like `>=37`.

    Example: signaalwissel report figures --municipality 0344 --csv
    """
    _check_form(as_json=as_json, as_csv=as_csv)
    settings = environment.settings()
    policies = runtime.policies(settings)
    below = (policies.get(municipality) or policies.default).figures.suppress_below
    with database(settings) as engine:
        lines = figure_lines(counts_of(engine, municipality, months), below)
    if as_json:
        print(dump([dict(zip(FIGURE_COLUMNS, row, strict=True)) for row in plain_rows(municipality, lines)]))
    elif as_csv:
        print(csv_of(municipality, lines), end="")
    else:
        screen().print(_figures(municipality, lines))


def _check_form(*, as_json: bool, as_csv: bool) -> None:
    if as_json and as_csv:
        raise UsageFailure("--json and --csv: choose one of the two")


def _figures(municipality: str, lines: list[FigureLine]) -> Table:
    shown = Table(*(name.capitalize() for name in FIGURE_COLUMNS))
    for row in plain_rows(municipality, lines):
        shown.add_row(*("" if one is None else str(one) for one in row))
    return shown


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise UsageFailure("--month must be a month like 2026-02") from error


def _plain(row: FigureRow) -> tuple[Any, ...]:
    return (
        f"{row.month:%Y-%m}",
        row.municipality,
        row.partner_kind,
        row.partner_id,
        row.after_admission.plain,
        row.after_exit.plain,
    )


def _texts(row: FigureRow) -> Iterator[str]:
    for name, value in zip(_COLUMNS, _plain(row), strict=True):
        missing = _ALL if name == "partner_kind" else ""
        yield missing if value is None else str(value)


def _for_spreadsheets(row: FigureRow) -> list[str]:
    return [f"'{text}" if text.startswith(_FORMULA) else text for text in _texts(row)]


def _table(rows: list[FigureRow]) -> Table:
    shown = Table("Month", "Municipality", "Kind", "Partner")
    shown.add_column("After admission", justify="right")
    shown.add_column("After completion", justify="right")
    for row in rows:
        shown.add_row(*_texts(row), end_section=row.partner_kind is None)
    return shown
