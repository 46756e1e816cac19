"""Bar charts as SVG, made on the server: geometry only, drawn by a template.

In: labels with numbers that may be shown. Out: bars. A number that is a bound is drawn in outline, as long as what is
sure, and its text says so: no bar tells more than its number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from signaalwissel.console.webpages.formats import number
from signaalwissel.processors.figures import Precision, Shown

LABEL_WIDTH, BAR_WIDTH, TEXT_WIDTH = 132, 148, 72
ROW_HEIGHT = 24
_WIDTH = LABEL_WIDTH + BAR_WIDTH + TEXT_WIDTH
_LEAST = 2


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; `exact` tells whether it is filled."""

    label: str
    text: str
    width: int
    y: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart; `told` is all of it in a sentence, for whoever hears the page."""

    name: str
    title: str
    bars: tuple[Bar, ...]

    @property
    def height(self) -> int:
        """In the units of the view box."""
        return ROW_HEIGHT * len(self.bars) + 4

    @property
    def width(self) -> int:
        """In the units of the view box."""
        return _WIDTH

    @property
    def told(self) -> str:
        """All numbers in words."""
        return "; ".join(f"{bar.label}: {bar.text}" for bar in self.bars)


def chart(name: str, title: str, rows: Sequence[tuple[str, Shown, str]]) -> Chart:
    """A chart of rows: label, number, and what stands behind the number such as a percent sign."""
    # A small group is somewhere between none and its bound: it gets the length of nothing.
    lengths = [0 if shown.precision is Precision.BELOW else shown.number for _, shown, _ in rows]
    most = max(lengths, default=0) or 1
    bars = tuple(
        Bar(
            label,
            in_text(shown) + unit,
            max(round(BAR_WIDTH * length / most), _LEAST if shown.number else 0),
            ROW_HEIGHT * position,
            shown.precision is Precision.EXACT,
        )
        for position, ((label, shown, unit), length) in enumerate(zip(rows, lengths, strict=True))
    )
    return Chart(name, title, bars)


def in_text(shown: Shown) -> str:
    """A number as a Dutch page writes it: 1.234, minder dan 10, minstens 37."""
    words = {Precision.EXACT: "", Precision.BELOW: "< ", Precision.AT_LEAST: "≥ "}
    return words[shown.precision] + number(shown.number)
