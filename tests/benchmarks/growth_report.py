"""What a growth run says. In: the runs of each case. Out: JSON lines, a summary, the table of docs/scale.md."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from tests.benchmarks.pages import table_lines

MEMORY, ROCKSDB = "memory", "rocksdb"
_MIB = 1 << 20
_HEADER = (
    *(
        "known residents",
        "entries in the matcher's tables",
        "store",
        "workers",
        "signals/s",
        "CPU per signal",
    ),
    *("recovery, cold: seconds (CPU of the start)", "warm", "resident memory"),
)


@dataclass(frozen=True)
class Case:
    """What is run.

    Attributes:
        residents: How many are known.
        workers: Processes.
        store: Where the tables lie.
        asked: How many residents the signals are about; 0: all of them.
    """

    residents: int
    workers: int
    store: str
    asked: int = 0


@dataclass(frozen=True)
class Start:
    """How a worker came up.

    Attributes:
        ready_s: From its launch until it read its partitions.
        recovery_s: Of that, from the moment at which its app started: the group, the tables, the index.
        cpu_s: What it had used by then.
        rss_mib: What it took in memory then.
    """

    ready_s: float
    recovery_s: float
    cpu_s: float
    rss_mib: float


@dataclass
class Outcome:
    """What a case gave, each run of it."""

    case: Case
    entries: int
    cold: list[Start] = field(default_factory=list)
    warm: list[Start] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """The JSON line of the case, medians of its runs."""
        return {
            **dataclasses.asdict(self.case),
            "entries": self.entries,
            "signals_per_s": _median(self.per_second, 0),
            "cpu_us_per_signal": _median(self.cpu_us, 1),
            "cold_start_s": _median([one.ready_s for one in self.cold], 1),
            "cold_recovery_s": _median([one.recovery_s for one in self.cold], 1),
            "cold_start_cpu_s": _median([one.cpu_s for one in self.cold], 1),
            "warm_start_s": _median([one.ready_s for one in self.warm], 1),
            "warm_recovery_s": _median([one.recovery_s for one in self.warm], 1),
            "warm_start_cpu_s": _median([one.cpu_s for one in self.warm], 1),
            "rss_mib": _median([one.rss_mib for one in self.cold], 0),
            "runs": [round(one) for one in self.per_second],
            "correct": not self.wrong,
            "wrong": self.wrong,
        }


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What the sizes come to, from medians of one run; None where a case is missing.

    `fall_percent` is how far the slowest size is below the quickest, whichever they are, and `cpu_rise_percent` how far
    the dearest is above the cheapest; `..._asked` the same where the signals are about as many residents at each size.
    """
    measured = [one for one in outcomes if one.per_second]
    alone = [one for one in measured if one.case.workers == 1 and one.case.store == MEMORY]
    of_all = [one for one in alone if not one.case.asked]
    told: dict[str, Any] = {
        **_spread(of_all, ""),
        **_spread([one for one in alone if one.case.asked], "_asked"),
        "bytes_per_entry": _bytes_per_entry(of_all),
        "two_workers": None,
    }
    for pair in (one for one in measured if one.case.workers > 1):
        for single in (one for one in of_all if one.case.residents == pair.case.residents):
            told["two_workers"] = round(median(pair.per_second) / median(single.per_second), 2)
    return told


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """The table of docs/scale.md: a line for each case, medians of its runs."""
    return table_lines(_HEADER, map(_row, outcomes))


def _spread(outcomes: Sequence[Outcome], name: str) -> dict[str, float | None]:
    fall = rise = None
    if len(outcomes) > 1:
        rates = [median(one.per_second) for one in outcomes]
        costs = [median(one.cpu_us) for one in outcomes]
        fall = round(100 * (1 - min(rates) / max(rates)), 1)
        rise = round(100 * (max(costs) / min(costs) - 1), 1)
    return {f"fall_percent{name}": fall, f"cpu_rise_percent{name}": rise}


def _bytes_per_entry(outcomes: Sequence[Outcome]) -> int | None:
    """Resident memory of each entry that the largest size has more than the smallest."""
    if len(outcomes) < 2:
        return None
    small, large = (pick(outcomes, key=lambda one: one.entries) for pick in (min, max))
    small_mib, large_mib = (median(one.rss_mib for one in outcome.cold) for outcome in (small, large))
    return round((large_mib - small_mib) * _MIB / (large.entries - small.entries))


def _row(outcome: Outcome) -> list[str]:
    case, told = outcome.case, outcome.told()
    residents = f"{case.residents:,}" + (f", asked {case.asked:,}" if case.asked else "")
    return [
        residents,
        f"{outcome.entries:,}",
        "RocksDB" if case.store == ROCKSDB else case.store,
        str(case.workers),
        _shown(told["signals_per_s"], 0, ""),
        _shown(told["cpu_us_per_signal"], 0, " µs"),
        _start(told, "cold"),
        _start(told, "warm"),
        _shown(told["rss_mib"], 0, " MiB" + (", all" if case.workers > 1 else "")),
    ]


def _start(told: dict[str, Any], kind: str) -> str:
    seconds, cpu_s = told[f"{kind}_recovery_s"], told[f"{kind}_start_cpu_s"]
    return "" if seconds is None else f"{seconds:.1f} ({cpu_s:.1f})"


def _median(values: Sequence[float], digits: int) -> float | None:
    return round(median(values), digits or None) if values else None


def _shown(value: float | None, digits: int, unit: str) -> str:
    return "not done" if value is None else f"{value:,.{digits}f}{unit}"
