"""Believable months of records, made up. In: numbers of residents and signals, and a seed. Out: JSON lines as they arrive.

Nobody in it exists: names are drawn from lists, addresses are invented, citizen service numbers are test numbers
(see generated_people). The same arguments give the same lines on every machine.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date

from signaalwissel.sources.generated_clock import Month, add_months
from signaalwissel.sources.generated_dice import Dice
from signaalwissel.sources.generated_disorder import SignalLines, bad_event_lines, event_lines
from signaalwissel.sources.generated_drafts import HISTORY_SHARE, Casebook
from signaalwissel.sources.generated_flaws import spoil
from signaalwissel.sources.generated_partners import Partners
from signaalwissel.sources.generated_people import RESIDENTS_MAX, People, settle
from signaalwissel.sources.generated_records import Json, Line
from signaalwissel.sources.generated_signals import Signals
from signaalwissel.sources.generated_trajectories import histories

FEBRUARY_2026 = date(2026, 2, 1)
MONTHS_MAX = 120
THREE_MUNICIPALITIES = ("0344", "0363", "0599")


def generate(
    residents: int,
    signals: int,
    seed: int,
    *,
    month: date = FEBRUARY_2026,
    months: int = 1,
    municipalities: Sequence[str] = THREE_MUNICIPALITIES,
    bad: float = 0.002,
    history: float = HISTORY_SHARE,
) -> Iterator[Json]:
    """Return the lines of a month in the order of arrival: `{"topic": ..., "value": ...}`.

    The history of the trajectories comes first, and later events between and after the signals. Trajectories depend
    on `residents`, `month`, `municipalities` and `seed` only, so another number of signals keeps them.

    Args:
        residents: How many people live in the municipalities, 1 to 500,000.
        signals: How many lines of topic `signals` there are, those sent again and the bad ones included.
        seed: Any whole number; another seed gives another month.
        month: A day in the month in which the (first) signals are received.
        months: Over how many months the signals are spread. Each month is about residents of its own, whose
            trajectories turn around it.
        municipalities: Codes of four digits, each once.
        bad: The share of the lines, of each topic, that is refused as bad input (domain 8.16), 0 to less than 1.
        history: The share of the residents with a trajectory, 0 to 1.

    Raises:
        ValueError: An argument lies outside its bounds; the text names it.
    """
    if not 1 <= residents <= RESIDENTS_MAX:
        raise ValueError(f"residents must be 1 to {RESIDENTS_MAX}, not {residents}")
    if signals < 0:
        raise ValueError(f"signals must be 0 or more, not {signals}")
    if not 0 <= bad < 1:
        raise ValueError(f"bad must be a share of 0 to less than 1, not {bad}")
    if not 1 <= months <= MONTHS_MAX:
        raise ValueError(f"months must be 1 to {MONTHS_MAX}, not {months}")
    if residents < months:
        raise ValueError(f"residents must be at least one for each of {months} months, not {residents}")
    if not 0 <= history <= 1:
        raise ValueError(f"history must be a share of 0 to 1, not {history}")
    codes = tuple(municipalities)
    if not codes or len(set(codes)) < len(codes) or not all(re.fullmatch("[0-9]{4}", code) for code in codes):
        raise ValueError(f"municipalities must be different codes of four digits, such as 0344, not {codes}")
    town = Town(codes, seed, bad, history)
    first = month.replace(day=1)
    return (
        _as_json(line)
        for line in town.lines(residents, signals, [add_months(first, n) for n in range(months)])
    )


class Town:
    """The municipalities: month after month with residents of its own, who share streets and case systems.

    The arguments are those of `generate`.
    """

    def __init__(self, municipalities: tuple[str, ...], seed: int, bad: float, history: float) -> None:
        self._codes = municipalities
        self._seed = seed
        self._bad = bad
        self._history = history
        self._people: People | None = None
        self._numbers = dict.fromkeys(municipalities, 0)
        self._spoiled = 0

    def lines(self, residents: int, signals: int, firsts: Sequence[date]) -> Iterator[Line]:
        """Yield the lines of all months, given by their first days, as they arrive."""
        lines: list[Line] = []
        for number, first in enumerate(firsts):
            left = len(firsts) - number
            lines += self._month(number, Month(first), (residents // left, signals // left))
            residents, signals = residents - residents // left, signals - signals // left
        lines.sort(key=lambda line: line.arrival_ms)
        yield from lines

    def _month(self, number: int, month: Month, counts: tuple[int, int]) -> list[Line]:
        residents, signals = counts
        self._people = people = settle(
            residents, self._codes, month, self._dice("people", number), self._people
        )
        dice, road = self._dice("trajectories", number), self._dice("events on the road", number)
        casebook = Casebook(people, month, dice, self._history, self._numbers)
        lines = [line for history in histories(casebook) for line in event_lines(history, road)]
        spoiled = bad_event_lines(lines, self._bad, month, road, self._spoiled)
        self._spoiled += len(spoiled)
        partners = Partners(self._codes, month, self._dice("partners", number))
        source = Signals(people, partners, month, self._dice("signals", number)).situations()
        sent = SignalLines(source, signals, month, self._dice("signals on the road", number)).lines(self._bad)
        return [*lines, *spoiled, *sent]

    def _dice(self, purpose: str, number: int) -> Dice:
        return Dice(self._seed, f"{purpose} {number}" if number else purpose)


def _as_json(line: Line) -> Json:
    value = line.record.as_json()
    if line.flaw:
        spoil(value, line.flaw)
    return {"topic": line.topic, "value": value}
