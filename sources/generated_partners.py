"""Signal partners of generated data. In: municipalities and a month. Out: partners, their deliveries, their numbers.

Health insurers, energy suppliers and the state's collectors deliver to every municipality; landlords and water
companies to one. A delivery is a batch: monthly, twice a month, weekly or on every working day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from signaalwissel.sources.generated_clock import (
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    Month,
    clock_change_after,
    days,
    midnight_ms,
)
from signaalwissel.sources.generated_dice import Dice
from signaalwissel.sources.generated_records import Partner

# Shares of the signals (domain 5, first half of 2024).
KINDS = (
    ("HEALTH_INSURANCE", 0.41), ("RENT", 0.2), ("ENERGY", 0.2), ("WATER", 0.18), ("MORTGAGE", 0.0015),
    ("CAK_HEALTH", 0.0015), ("CAK_CONTRIBUTION", 0.0014), ("DUO", 0.0014), ("TAX", 0.0014), ("BENEFITS", 0.0014),
    ("OTHER", 0.0014),
)  # fmt: skip
NATIONAL = (
    ("HEALTH_INSURANCE", "zorgverzekeraar", 5), ("ENERGY", "energie", 5), ("MORTGAGE", "hypotheek", 2),
    ("CAK_HEALTH", "cak-zorg", 1), ("CAK_CONTRIBUTION", "cak-bijdrage", 1), ("DUO", "duo", 1),
    ("TAX", "belasting", 1), ("BENEFITS", "toeslagen", 1), ("OTHER", "overig", 2),
)  # fmt: skip
LOCAL = (("RENT", "verhuurder", 5), ("WATER", "water", 2))
# Deliveries per month (0: every working day), as shares of the partners in a municipality.
RHYTHMS = ((1, 0.5), (2, 0.2), (4, 0.2), (0, 0.1))
ROW_MS = 37


@dataclass(slots=True)
class Delivery:
    """A batch of signals: when its first row comes in, which day the partner wrote on it, and the rows so far."""

    starts_ms: int
    sent_on: date | None
    rows: int = 0

    def next_ms(self) -> int:
        """Return when the next row comes in."""
        self.rows += 1
        return self.starts_ms + (self.rows - 1) * ROW_MS


class Partners:
    """Who delivers what to which municipality, and when."""

    def __init__(self, municipalities: Sequence[str], month: Month, dice: Dice) -> None:
        self._dice = dice
        self._month = month
        self._partners: dict[tuple[str, str], list[Partner]] = {}
        self._deliveries: dict[tuple[str, str], list[Delivery]] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        national = {
            kind: [Partner(f"{name}-{n}", kind) for n in range(1, count + 1)]
            for kind, name, count in NATIONAL
        }
        for code in municipalities:
            for kind, partners in national.items():
                self._partners[code, kind] = partners
            for kind, name, count in LOCAL:
                self._partners[code, kind] = [
                    Partner(f"{name}-{code}-{n}", kind) for n in range(1, count + 1)
                ]

    def choose(self, municipality: str, kind: str) -> Partner:
        """Return one of the partners of a kind that deliver to a municipality."""
        return self._dice.pick(self._partners[municipality, kind])

    def number(self, municipality: str, partner: Partner) -> str:
        """Return the partner's next signal number: everybody counts from one, for every municipality."""
        owner = (municipality, partner.partner_id)
        self._numbers[owner] = self._numbers.get(owner, 0) + 1
        return f"{self._month.first:%Y%m}-{self._numbers[owner]:06d}"

    def delivery(self, municipality: str, partner: Partner) -> Delivery:
        """Return one of the partner's deliveries to a municipality in the month."""
        owner = (municipality, partner.partner_id)
        if owner not in self._deliveries:
            self._deliveries[owner] = self._planned()
        return self._dice.pick(self._deliveries[owner])

    def _planned(self) -> list[Delivery]:
        month, dice = self._month, self._dice
        length = (month.last - month.first).days + 1
        rhythm = dice.weighted(RHYTHMS)
        offsets = (
            [dice.between(0, length // rhythm - 1) + n * (length // rhythm) for n in range(rhythm)]
            if rhythm
            else []
        )
        planned = [month.first + days(n) for n in offsets or range(length)]
        if not rhythm:
            planned = [day for day in planned if day.weekday() < 5]
        change = clock_change_after(month.first)
        if change <= month.last and dice.chance(0.3):
            planned.append(change)
        return [self._on(day, change) for day in planned]

    def _on(self, day: date, change: date) -> Delivery:
        """Return a delivery on a day: by day, or as a nightly job that runs past midnight or a clock change."""
        dice = self._dice
        starts_ms = midnight_ms(day)
        if day == change:
            starts_ms += dice.between(HOUR_MS // 2, 4 * HOUR_MS)
        elif day < self._month.last and dice.chance(0.05):
            starts_ms = midnight_ms(day + days(1)) - dice.between(1, 20) * SECOND_MS
        else:
            starts_ms += dice.between(7 * 60, 18 * 60) * MINUTE_MS
        lag = dice.weighted((((0, 0), 0.3), ((1, 5), 0.48), ((6, 40), 0.22)))
        return Delivery(starts_ms, None if dice.chance(0.08) else day - days(dice.between(*lag)))
