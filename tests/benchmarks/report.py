"""What a benchmark run says. In: samples of progress, measured values. Out: windows, a table, JSON lines."""

import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rich.table import Table

WINDOW = (0.1, 0.9)
"""The share of the output at which the measured window begins and ends: without start-up and run-out."""

STEPS_MIN = 5
"""So often the output must be seen to have grown within a window, or its ends say more of the looks than of the stage."""

_MICRO = 1e6
_LARGER_IS_BETTER = {"1/s", "x"}


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


@dataclass(frozen=True)
class Sample:
    """How far a stage was at one moment.

    Attributes:
        at_s: When, on a monotonic clock.
        cpu_s: User and system time of the stage's processes until then.
        next_offsets: Per partition the offset behind its last visible output.
    """

    at_s: float
    cpu_s: float
    next_offsets: Mapping[Place, int]


class Window(NamedTuple):
    """The measured part of a run."""

    records: int
    seconds: float
    cpu_s: float

    @property
    def per_second(self) -> float:
        """Records a second of wall time."""
        return self.records / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU microseconds a record."""
        return self.cpu_s * _MICRO / self.records


class NoWindow(ValueError):
    """A run of which too few steps were seen."""


def records_before(record_offsets: Mapping[Place, Sequence[int]], next_offsets: Mapping[Place, int]) -> int:
    """How many records lie before the given offsets; markers of transactions take offsets and are no records."""
    return sum(bisect_left(offsets, next_offsets.get(place, 0)) for place, offsets in record_offsets.items())


def window_of(samples: Sequence[Sample], record_offsets: Mapping[Place, Sequence[int]], total: int) -> Window:
    """The window between the samples in which 10 % and 90 % of the output first show.

    Both ends are moments at which the output had just grown, so a stage that commits in large steps is measured over
    whole steps.

    Args:
        samples: In order of time.
        record_offsets: Per partition the offsets of the run's output records, ascending.
        total: How many output records the run has.

    Raises:
        NoWindow: The output never came that far, or came in too few steps.
    """
    counts = [records_before(record_offsets, sample.next_offsets) for sample in samples]
    ends = [bisect_left(counts, share * total) for share in WINDOW]
    seen = set(counts[ends[0] : ends[1] + 1])
    if total == 0 or ends[1] == len(counts) or len(seen) < STEPS_MIN:
        raise NoWindow(
            f"{total} outputs in {len(set(counts))} visible steps, {len(seen)} of them from 10 % to 90 %: "
            f"a window has {STEPS_MIN} or more; take more signals"
        )
    first, last = (samples[end] for end in ends)
    return Window(counts[ends[1]] - counts[ends[0]], last.at_s - first.at_s, last.cpu_s - first.cpu_s)


@dataclass(frozen=True)
class Measurement:
    """One figure.

    Attributes:
        benchmark: Its name.
        value: The figure.
        unit: Of the figure: "us" is better small, "1/s" and "x", a ratio, better large.
        goal: What it should reach, where there is a goal.
        about: Anything else that the JSON line tells.
    """

    benchmark: str
    value: float
    unit: str
    goal: float | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.unit in _LARGER_IS_BETTER else self.value <= self.goal

    def line(self) -> str:
        """The measurement as one JSON line."""
        content: dict[str, Any] = {
            "benchmark": self.benchmark,
            "value": round(self.value, 2),
            "unit": self.unit,
        }
        if self.goal is not None:
            content |= {"goal": self.goal, "reached": self.reached}
        return json.dumps({**content, **self.about}, ensure_ascii=False)


def table_of(title: str, measurements: Sequence[Measurement]) -> Table:
    """The measurements with their goals beside them."""
    table = Table(title=title, title_justify="left")
    table.add_column("benchmark")
    for name in ("value", "unit", "goal"):
        table.add_column(name, justify="left" if name == "unit" else "right")
    table.add_column("")
    for measured in measurements:
        goal = "" if measured.goal is None else f"{measured.goal:,g}"
        verdict = {None: "", True: "reached", False: "not reached"}[measured.reached]
        shown = f"{measured.value:,.0f}" if measured.value >= 1000 else f"{measured.value:.2f}"
        table.add_row(measured.benchmark, shown, measured.unit, goal, verdict)
    return table
