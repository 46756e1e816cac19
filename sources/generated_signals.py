"""Early-warning signals of generated data. In: residents and partners. Out: a month of signals, situation by situation.

The mix follows domain 5. Signals meet residents with a history far more often than in reality, so that about a
fifth of them is followed up by a counsellor and a small month shows every case.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from signaalwissel.sources.generated_addresses import written_addition, written_postcode
from signaalwissel.sources.generated_clock import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    Month,
    day_of,
    days,
    midnight_ms,
)
from signaalwissel.sources.generated_dice import Dice
from signaalwissel.sources.generated_names import spelled
from signaalwissel.sources.generated_partners import KINDS, Partners
from signaalwissel.sources.generated_people import People, Resident
from signaalwissel.sources.generated_records import Debt, Partner, Signal, Subject

# The share of the signals that is about a resident with a trajectory in his history.
ON_HISTORY_SHARE = 0.5
# How partners know a resident: BSN, address and birth date, or (the rest) address alone.
IDENTIFIED = {
    "HEALTH_INSURANCE": (0.97, 0.03),
    "RENT": (0.14, 0.3),
    "ENERGY": (0.18, 0.21),
    "WATER": (0.15, 0.22),
}
IDENTIFIED_ELSE = (0.9, 0.1)
CRISIS_SHARES = {"ENERGY": 0.25, "RENT": 0.06, "WATER": 0.05, "HEALTH_INSURANCE": 0.02}
# Euro: least, usual most, and how far a bad case goes beyond (domain 2: thresholds).
AMOUNTS = {
    "HEALTH_INSURANCE": (140, 620, 1500), "RENT": (350, 1900, 6000), "ENERGY": (80, 700, 3500), "WATER": (40, 260, 900),
    "MORTGAGE": (700, 4500, 12000), "TAX": (600, 3000, 9000), "BENEFITS": (600, 3000, 9000),
}  # fmt: skip
AMOUNTS_ELSE = (100, 900, 2500)
SITUATIONS = (("SINGLE", 0.74), ("MULTIPLE", 0.14), ("CONSECUTIVE", 0.05), ("REPEATED", 0.07))
WRONG_BIRTH_DATE_SHARE = 0.04
OLD_ADDRESS_SHARE = 0.35


@dataclass(frozen=True, slots=True)
class Moment:
    """When a signal comes in, and the day that the partner wrote on it."""

    received_ms: int
    signalled_on: date | None


class Signals:
    """Makes the signals of a month; the residents' trajectories must have been told by then."""

    def __init__(self, people: People, partners: Partners, month: Month, dice: Dice) -> None:
        self._people = people
        self._partners = partners
        self._month = month
        self._dice = dice
        self._known = [one for one in people.residents if one.has_history] or people.residents
        self._others = [one for one in people.residents if not one.has_history] or people.residents

    def situations(self) -> Iterator[Signal]:
        """Yield signals without end: single, several on one address, consecutive and repeated ones (domain 3)."""
        while True:
            resident = self._dice.pick(self._known if self._dice.chance(ON_HISTORY_SHARE) else self._others)
            situation = self._dice.weighted(SITUATIONS)
            if situation == "CONSECUTIVE":
                yield from self._consecutive(resident)
                continue
            signal = self._signal(resident, self._dice.weighted(KINDS))
            yield signal
            if situation == "MULTIPLE":
                yield from self._also(resident, signal)
            elif situation == "REPEATED":
                yield self._repeated(signal)

    def _also(self, resident: Resident, first: Signal) -> Iterator[Signal]:
        """Yield signals of other kinds of partners about the same address in the same month."""
        household, kinds = self._people.households[resident.household], {first.partner.kind}
        for _ in range(self._dice.between(1, 3)):
            kind = self._dice.weighted(KINDS)
            if kind not in kinds:
                kinds.add(kind)
                yield self._signal(resident if self._dice.chance(0.7) else self._dice.pick(household), kind)

    def _consecutive(self, resident: Resident) -> Iterator[Signal]:
        """Yield a signal from the six months before the month, and one of the month itself."""
        kind = self._dice.weighted(KINDS)
        early_ms = self._month.begin_ms - self._dice.between(2 * HOUR_MS, 180 * DAY_MS)
        sent_on = day_of(early_ms) - days(self._dice.between(0, 10))
        older = self._signal(resident, kind, Moment(early_ms, sent_on))
        yield older
        if self._dice.chance(0.4):
            yield self._repeated(older)
        else:
            yield self._signal(resident, self._dice.weighted(KINDS))

    def _repeated(self, signal: Signal) -> Signal:
        """Return the partner's next signal about the same arrears: the amount the same, higher or lower."""
        dice = self._dice
        late_ms = min(
            max(signal.received_ms, self._month.begin_ms) + dice.between(HOUR_MS, 20 * DAY_MS), self._last_ms
        )
        factor = dice.weighted(((100, 0.45), (dice.between(105, 180), 0.4), (dice.between(40, 95), 0.15)))
        return replace(
            signal,
            signal_id=self._partners.number(signal.municipality, signal.partner),
            debt=Debt(signal.debt.cents * factor // 100, signal.debt.since),
            signalled_on=signal.signalled_on and day_of(late_ms) - days(dice.between(0, 3)),
            received_ms=max(late_ms, signal.received_ms),
        )

    def _signal(self, resident: Resident, kind: str, moment: Moment | None = None) -> Signal:
        dice, municipality = self._dice, resident.municipality
        if resident.elsewhere and dice.chance(0.2):
            municipality = resident.elsewhere
        partner = self._partners.choose(municipality, kind)
        moment = moment or self._moment(resident, municipality, partner)
        crisis, warm, attested = CRISIS_SHARES.get(kind, 0.0), 0.06, 0.8
        return Signal(
            self._partners.number(municipality, partner),
            municipality,
            partner,
            self._subject(resident, kind, day_of(moment.received_ms)),
            f"{dice.between(10_000_000, 99_999_999)}" if dice.chance(0.7) else None,
            self._debt(kind, moment),
            moment.signalled_on,
            moment.received_ms,
            dice.chance(crisis),
            dice.chance(warm),
            dice.chance(attested),
        )

    @property
    def _last_ms(self) -> int:
        return self._month.end_ms - self._dice.between(1, 3 * SECOND_MS)

    def _moment(self, resident: Resident, municipality: str, partner: Partner) -> Moment:
        """Return a place in one of the partner's batches, or, for a resident with an aim, a day of its own."""
        if resident.aim and self._dice.chance(0.75):
            return self._aimed(resident.aim)
        delivery = self._partners.delivery(municipality, partner)
        return Moment(min(delivery.next_ms(), self._last_ms), delivery.sent_on)

    def _aimed(self, aim: date) -> Moment:
        """Return a moment whose reference date is the aim: as the day of sending, or as the day of receipt."""
        dice, month = self._dice, self._month
        first = max(aim, month.first)
        received_on = first + days(
            dice.between(0, min((month.last - first).days, 40)) if dice.chance(0.6) else 0
        )
        way = dice.between(1, 10)
        if way == 1:
            received_ms = midnight_ms(received_on) + dice.between(0, MINUTE_MS)
        elif way == 2:
            received_ms = midnight_ms(received_on + days(1)) - dice.between(1, MINUTE_MS)
        else:
            received_ms = midnight_ms(received_on) + dice.between(7 * HOUR_MS, 20 * HOUR_MS)
        return Moment(received_ms, None if received_on == aim and dice.chance(0.3) else aim)

    def _debt(self, kind: str, moment: Moment) -> Debt:
        dice = self._dice
        least, most, worst = AMOUNTS.get(kind, AMOUNTS_ELSE)
        cents = dice.between(least * 100, (worst if dice.chance(0.1) else most) * 100)
        if dice.chance(0.12):
            return Debt(cents, None)
        age = dice.weighted(((dice.between(30, 120), 0.8), (dice.between(120, 600), 0.2)))
        return Debt(cents, (moment.signalled_on or day_of(moment.received_ms)) - days(age))

    def _subject(self, resident: Resident, kind: str, day: date) -> Subject:
        """Return what a partner of this kind knows: the BSN and nothing else, or the address and some more."""
        dice = self._dice
        by_bsn, by_birth_date = IDENTIFIED.get(kind, IDENTIFIED_ELSE)
        if dice.chance(by_bsn):
            return (
                self._at_address(resident, day, resident.bsn) if dice.chance(0.25) else Subject(resident.bsn)
            )
        subject = self._at_address(resident, day, None)
        if not dice.chance(by_birth_date / (1 - by_bsn)):
            return subject
        born = resident.birth_date
        wrong = dice.chance(WRONG_BIRTH_DATE_SHARE)
        return replace(subject, birth_date=born.replace(day=born.day % 28 + 1) if wrong else born)

    def _at_address(self, resident: Resident, day: date, bsn: str | None) -> Subject:
        """Return the resident at his address, or at one that he has left, or has yet to move to."""
        dice = self._dice
        address = resident.address_on(day)
        if dice.chance(OLD_ADDRESS_SHARE):
            address = dice.pick(resident.addresses)[1]
        named = dice.chance(0.5)
        return Subject(
            bsn,
            written_postcode(address.postcode, dice),
            address.house_number,
            written_addition(address.addition, dice),
            None,
            resident.initials if named and dice.chance(0.6) else None,
            spelled(resident.surname, dice) if named else None,
            resident.phone if dice.chance(0.4) else None,
            resident.email if dice.chance(0.4) else None,
        )
