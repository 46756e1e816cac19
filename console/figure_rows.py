"""A municipality's figures as rows, for the command and the page's download.

In: lines that may be shown. Out: rows and CSV.
"""

import csv
import io
from collections.abc import Iterable, Iterator

from signaalwissel.processors.municipal_figures import FigureLine

FIGURE_COLUMNS = ("municipality", "figure", "month", "group", "value", "percent")

Plain = tuple[str, str, str | None, str | None, int | str, int | None]


def plain_rows(municipality: str, lines: Iterable[FigureLine]) -> Iterator[Plain]:
    """Each line as FIGURE_COLUMNS name it; None where a line has no month, group or share."""
    for line in lines:
        month = None if line.month is None else f"{line.month:%Y-%m}"
        group = None if line.group is None else str(line.group)
        yield municipality, line.figure.value, month, group, line.shown.plain, line.share


def csv_of(municipality: str, lines: Iterable[FigureLine]) -> str:
    """All lines as CSV with a header; no cell begins as a formula does."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIGURE_COLUMNS)
    writer.writerows(plain_rows(municipality, lines))
    return text.getvalue()
