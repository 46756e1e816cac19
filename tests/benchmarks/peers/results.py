"""What a comparison says. In: the runs of each peer. Out: one JSON line per peer, and tables with ratios."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rich.table import Table

from tests.benchmarks.pages import table_lines
from tests.benchmarks.peers.catalogue import KAFKA_STREAMS, PEERS, PRODUCT, WHOLE, Peer
from tests.benchmarks.peers.latency import Latency
from tests.benchmarks.peers.measure import Figures
from tests.benchmarks.peers.verify import Verdict

_BETTER: Mapping[str, Callable[[Iterable[float]], float]] = {
    "signals_per_s": max,
    "cpu_us_per_signal": min,
    "p99_ms": min,
}
"""The figures of which ratios are told, and which of two is the better."""
_MOST_CORRECTIONS = 0.001
"""Of the product's signals: first decisions that had to be corrected."""
_COLUMNS = (
    *("peer", "guarantee", "signals/s", "x", "us CPU", "x", "p50 ms", "p99 ms", "x"),
    *("MiB", "cold right %", "corr./1000", "correct", "about"),
)
_TEXTS = {"peer", "guarantee", "correct", "about"}


@dataclass
class Result:
    """All runs of one peer with one number of workers."""

    peer: Peer
    workers: int
    runs: list[Figures] = field(default_factory=list)
    latencies: list[Latency] = field(default_factory=list)
    replay: Verdict | None = None
    signals: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def correct(self) -> bool:
        """Whether every run of it was, the cold replay included; of the product's also whether few were corrected."""
        verdicts = [run.verdict for run in self.runs]
        if self.replay is not None:
            verdicts.append(self.replay)
        return bool(self.runs) and not self.failures and all(map(self._correct, verdicts))

    def _correct(self, verdict: Verdict) -> bool:
        if self.peer.name in {PRODUCT, WHOLE} and verdict.corrections > _MOST_CORRECTIONS * self.signals:
            return False
        return verdict.correct

    def content(self) -> dict[str, Any]:
        """The JSON line as an object; medians, None where nothing was measured."""
        replay = self.replay
        found = [run.verdict.findings for run in self.runs if run.verdict.findings]
        cold = {} if replay is None else dict(replay.findings)
        return {
            "peer": self.peer.name,
            "guarantee": self.peer.guarantee,
            "signals_per_s": _median([run.signals_per_s for run in self.runs], 0),
            "cpu_us_per_signal": _median([run.cpu_us for run in self.runs], 1),
            "p50_ms": _median([one.p50_ms for one in self.latencies], 1),
            "p99_ms": _median([one.p99_ms for one in self.latencies], 1),
            "peak_rss_mib": _median([run.peak_rss_mib for run in self.runs], 0),
            "correct": self.correct,
            "workers": self.workers,
            "signals": self.signals,
            "all_signals_per_s": [round(run.signals_per_s) for run in self.runs],
            "all_p99_ms": [round(one.p99_ms, 1) for one in self.latencies],
            "cold_right_percent": None
            if replay is None
            else round(100 * replay.right / max(self.signals, 1), 2),
            "cold_corrections_per_1000": None
            if replay is None
            else round(1000 * replay.corrections / max(self.signals, 1), 2),
            "about": self.peer.about,
            **({"wrong": [dict(one) for one in found]} if found else {}),
            **({"cold_wrong": cold} if cold else {}),
            **({"failures": self.failures} if self.failures else {}),
        }

    def line(self) -> str:
        """The result as one JSON line."""
        return json.dumps(self.content(), ensure_ascii=False)


def best_of(results: Iterable[Result]) -> dict[str, float]:
    """The better of Kafka Streams' variants, figure by figure: what everybody is compared with."""
    streams = [one.content() for one in results if one.peer.name.startswith(KAFKA_STREAMS)]
    best = {}
    for name, better in _BETTER.items():
        if measured := [content[name] for content in streams if content[name] is not None]:
            best[name] = better(measured)
    return best


def ratios(result: Result, best: Mapping[str, float]) -> dict[str, float | None]:
    """A result's figures divided by those of Kafka Streams."""
    mine = result.content()
    return {name: mine[name] / best[name] if mine[name] and best.get(name) else None for name in _BETTER}


def table_of(results: Sequence[Result], workers: int) -> Table:
    """All peers with one number of workers, each beside Kafka Streams."""
    table = Table(title=_title(workers), title_justify="left")
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name in _TEXTS else "right")
    for row in _rows(results, workers):
        table.add_row(*row)
    return table


def markdown_of(results: Sequence[Result], workers: int) -> list[str]:
    """The same as a table of a page."""
    return [f"{_title(workers)}.", "", *table_lines(_COLUMNS, _rows(results, workers))]


def _title(workers: int) -> str:
    of = f"{workers} worker{'s' if workers > 1 else ''}"
    return f"The match job, {of}; x: ratio to Kafka Streams, in each figure to the better of its two stores"


def _rows(results: Sequence[Result], workers: int) -> Iterator[list[str]]:
    mine = [one for one in results if one.workers == workers]
    best = best_of(mine)
    for one in sorted(mine, key=lambda one: -(one.content()["signals_per_s"] or 0)):
        content, ratio = one.content(), ratios(one, best)
        yield [
            content["peer"],
            content["guarantee"],
            _shown(content["signals_per_s"], 0),
            _shown(ratio["signals_per_s"], 2),
            _shown(content["cpu_us_per_signal"], 1),
            _shown(ratio["cpu_us_per_signal"], 2),
            _shown(content["p50_ms"], 0),
            _shown(content["p99_ms"], 0),
            _shown(ratio["p99_ms"], 2),
            _shown(content["peak_rss_mib"], 0),
            _shown(content["cold_right_percent"], 2),
            _shown(content["cold_corrections_per_1000"], 2),
            "yes" if one.correct else "NO",
            one.peer.about,
        ]


def names_of(given: str) -> list[str]:
    """The peers of a list with commas; all where it is empty.

    Raises:
        ValueError: One of them is not known.
    """
    names = [name for name in given.split(",") if name] or list(PEERS)
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise ValueError(f"no such peer: {', '.join(unknown)}; there are {', '.join(PEERS)}")
    return names


def _median(values: Sequence[float], digits: int) -> float | None:
    return round(median(values), digits or None) if values else None


def _shown(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
