"""A believable month of records, made up. In: numbers of residents and signals, and a seed. Out: JSON lines as they arrive.

Nobody in it exists: names are drawn from lists, addresses are invented, citizen service numbers are test numbers
(see generated_people). The same arguments give the same lines on every machine.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date

from signaalwissel.sources.generated_clock import Month
from signaalwissel.sources.generated_dice import Dice
from signaalwissel.sources.generated_disorder import SignalLines, bad_event_lines, event_lines
from signaalwissel.sources.generated_drafts import Casebook
from signaalwissel.sources.generated_flaws import spoil
from signaalwissel.sources.generated_partners import Partners
from signaalwissel.sources.generated_people import RESIDENTS_MAX, settle
from signaalwissel.sources.generated_records import Json, Line
from signaalwissel.sources.generated_signals import Signals
from signaalwissel.sources.generated_trajectories import histories

FEBRUARY_2026 = date(2026, 2, 1)
THREE_MUNICIPALITIES = ("0344", "0363", "0599")


def generate(
    residents: int,
    signals: int,
    seed: int,
    *,
    month: date = FEBRUARY_2026,
    municipalities: Sequence[str] = THREE_MUNICIPALITIES,
    bad: float = 0.002,
) -> Iterator[Json]:
    """Return the lines of a month in the order of arrival: `{"topic": ..., "value": ...}`.

    The history of the trajectories comes first, and later events between and after the signals. Trajectories depend
    on `residents`, `month`, `municipalities` and `seed` only, so another number of signals keeps them.

    Args:
        residents: How many people live in the municipalities, 1 to 500,000.
        signals: How many lines of topic `signals` there are, those sent again and the bad ones included.
        seed: Any whole number; another seed gives another month.
        month: A day in the month in which the signals are received.
        municipalities: Codes of four digits, each once.
        bad: The share of the lines, of each topic, that is refused as bad input (domain 8.16), 0 to less than 1.

    Raises:
        ValueError: An argument lies outside its bounds; the text names it.
    """
    if not 1 <= residents <= RESIDENTS_MAX:
        raise ValueError(f"residents must be 1 to {RESIDENTS_MAX}, not {residents}")
    if signals < 0:
        raise ValueError(f"signals must be 0 or more, not {signals}")
    if not 0 <= bad < 1:
        raise ValueError(f"bad must be a share of 0 to less than 1, not {bad}")
    codes = tuple(municipalities)
    if not codes or len(set(codes)) < len(codes) or not all(re.fullmatch("[0-9]{4}", code) for code in codes):
        raise ValueError(f"municipalities must be different codes of four digits, such as 0344, not {codes}")
    return (
        _as_json(line) for line in _lines(residents, signals, seed, (Month(month.replace(day=1)), codes, bad))
    )


def _lines(
    residents: int, signals: int, seed: int, setting: tuple[Month, tuple[str, ...], float]
) -> Iterator[Line]:
    month, codes, bad = setting
    people = settle(residents, codes, month, Dice(seed, "people"))
    casebook, road = Casebook(people, month, Dice(seed, "trajectories")), Dice(seed, "events on the road")
    lines = [line for history in histories(casebook) for line in event_lines(history, road)]
    lines += bad_event_lines(lines, bad, month, road)
    partners = Partners(codes, month, Dice(seed, "partners"))
    source = Signals(people, partners, month, Dice(seed, "signals")).situations()
    lines += SignalLines(source, signals, month, Dice(seed, "signals on the road")).lines(bad)
    lines.sort(key=lambda line: line.arrival_ms)
    yield from lines


def _as_json(line: Line) -> Json:
    value = line.record.as_json()
    if line.flaw:
        spoil(value, line.flaw)
    return {"topic": line.topic, "value": value}
