"""What the road does to generated records. In: sound records in their own order. Out: lines with an instant of arrival.

Events come twice, late and out of order; signals are sent again; a small share of the lines is bad.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from signaalwissel.sources.generated_clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Month, day_of, days
from signaalwissel.sources.generated_dice import Dice
from signaalwissel.sources.generated_flaws import EVENT_FLAWS, NEVER_APPLIED, SIGNAL_FLAWS
from signaalwissel.sources.generated_records import Debt, Details, Event, Line, Signal

# Shares of the trajectories with an event that arrives after its successor; of the events that come twice, as
# they were or with another instant of recording.
OVERTAKEN_SHARE = 0.06
TWICE_SHARE = 0.01
TWICE_OTHERWISE_SHARE = 0.002
# An application overtaken by more than this would let its successors wait for too long (domain 8.16: 30 days).
OVERTAKEN_BY_DAYS = 12
# Shares of the signal lines: sent again unchanged, changed, more than the resend period later, at its very edge.
RESENDS = (("SAME", 0.006), ("CONFLICTING", 0.001), ("LATER", 0.002), ("AT_EDGE", 0.001))
RESEND_PERIOD_MS = 35 * DAY_MS
# From so many lines per kind of flaw on, every kind occurs at least once.
LINES_PER_FLAW = 250
UNKNOWN_TRAJECTORIES = 900_000


def event_lines(history: list[Event], dice: Dice) -> Iterator[Line]:
    """Yield the events of one trajectory as they arrive; the list is in the order of recording."""
    arrivals = [event.recorded_ms + _delay_ms(dice) for event in history]
    if len(history) > 1 and dice.chance(OVERTAKEN_SHARE):
        first = 0 if dice.chance(0.4) else dice.between(0, len(history) - 2)
        if history[first + 1].recorded_ms - history[first].recorded_ms < OVERTAKEN_BY_DAYS * DAY_MS:
            arrivals[first] = arrivals[first + 1] + dice.between(MINUTE_MS, 2 * DAY_MS)
    for event, arrival_ms in zip(history, arrivals, strict=True):
        yield Line(arrival_ms, event)
        if dice.chance(TWICE_SHARE):
            yield Line(arrival_ms + dice.between(MINUTE_MS, 10 * DAY_MS), event)
        elif dice.chance(TWICE_OTHERWISE_SHARE):
            # The copy is recorded later, but one in three of them comes first.
            recorded_ms = event.recorded_ms + dice.between(HOUR_MS, 3 * DAY_MS)
            early = dice.chance(1 / 3)
            if early:
                yield Line(recorded_ms + 2 * HOUR_MS, event)
            yield Line(recorded_ms + _delay_ms(dice), replace(event, recorded_ms=recorded_ms))


def _delay_ms(dice: Dice) -> int:
    return dice.between(200, 30 * SECOND_MS)


def bad_event_lines(lines: list[Line], share: float, month: Month, dice: Dice, first: int = 0) -> list[Line]:
    """Return bad events beside the good ones: applications spoiled later, and events never applied for.

    `first` numbers them; another month of the same municipality goes on where this one ended.
    """
    applications = [
        line.record for line in lines if isinstance(line.record, Event) and line.record.kind == "APPLIED"
    ]
    kinds = [*EVENT_FLAWS, NEVER_APPLIED, NEVER_APPLIED]
    bad: list[Line] = []
    for number, flaw in enumerate(_flaws(kinds, len(lines), share, dice) if applications else (), first):
        event = dice.pick(applications)
        at_ms = month.begin_ms - dice.between(-28 * DAY_MS, 90 * DAY_MS)
        spoiled = replace(
            event, event_id=f"{event.event_id}-{number}", sequence=event.sequence + 100, recorded_ms=at_ms
        )
        if flaw == NEVER_APPLIED:
            spoiled = _orphan(spoiled, UNKNOWN_TRAJECTORIES + number, dice)
        bad.append(Line(at_ms + _delay_ms(dice), spoiled, flaw))
    return bad


def _orphan(event: Event, number: int, dice: Dice) -> Event:
    kind = dice.pick(("ADMITTED", "PLAN_ADOPTED", "RESIDENT_INFORMED", "AFTERCARE_STARTED"))
    occurred_on = day_of(event.recorded_ms)
    trajectory_id = f"SHV-{number}"
    return replace(
        event,
        event_id=f"{trajectory_id}/2",
        trajectory_id=trajectory_id,
        occurred_on=occurred_on,
        kind=kind,
        clients=(),
        details=Details(),
    )


def _flaws(kinds: list[str], lines: int, share: float, dice: Dice) -> list[str]:
    """Return the flaws to put in so many lines, every kind in its turn."""
    count = round(share * lines)
    if share > 0 and lines >= LINES_PER_FLAW * len(kinds):
        count = max(count, len(kinds))
    order = dice.shuffled(kinds)
    return [order[n % len(order)] for n in range(count)]


@dataclass(slots=True)
class SignalLines:
    """The signals of a month as lines: exactly so many, those sent again and the bad ones among them."""

    source: Iterator[Signal]
    count: int
    month: Month
    dice: Dice

    def lines(self, bad: float) -> list[Line]:
        """Return the lines in no order; `bad` is the share that is spoiled."""
        resends = [kind for kind, share in RESENDS for _ in range(round(share * self.count))]
        signals = list(islice(self.source, self.count - len(resends)))
        order = self.dice.shuffled(range(len(signals)))
        touched = self._send_again(signals, resends, order)
        signals += islice(self.source, self.count - len(signals))
        lines = [Line(signal.received_ms + _delay_ms(self.dice), signal) for signal in signals]
        untouched = (index for index in reversed(order) if index not in touched)
        for flaw, index in zip(
            _flaws(list(SIGNAL_FLAWS), self.count, bad, self.dice), untouched, strict=False
        ):
            lines[index] = replace(lines[index], flaw=flaw)
        return lines

    def _send_again(self, signals: list[Signal], resends: list[str], order: list[int]) -> set[int]:
        """Append what is sent again to the signals; return the places of the signals that it repeats."""
        touched: set[int] = set()
        waiting = list(resends)
        for index in order:
            if not waiting:
                break
            signal = signals[index]
            again_ms = signal.received_ms + self.dice.between(5 * MINUTE_MS, 20 * DAY_MS)
            if signal.received_ms < self.month.begin_ms or again_ms >= self.month.end_ms:
                continue
            kind = waiting.pop()
            touched.add(index)
            if kind in {"SAME", "CONFLICTING"}:
                again = replace(signal, received_ms=again_ms)
                signals.append(self._changed(again) if kind == "CONFLICTING" else again)
            else:
                older, signals[index] = self._older(signal, kind)
                signals.append(older)
        return touched

    def _changed(self, signal: Signal) -> Signal:
        if self.dice.chance(0.3):
            return replace(signal, crisis=not signal.crisis)
        return replace(
            signal, debt=Debt(signal.debt.cents + self.dice.between(100, 50_000), signal.debt.since)
        )

    def _older(self, signal: Signal, kind: str) -> tuple[Signal, Signal]:
        """Return a delivery of the same signal before the month, and the signal that repeats it.

        Within 35 days of 24 hours it is the same signal, beyond them a new one (domain 8.15).
        """
        if kind == "LATER":
            gap_ms = RESEND_PERIOD_MS + (
                1 if self.dice.chance(0.2) else self.dice.between(HOUR_MS, 20 * DAY_MS)
            )
        else:
            gap_ms = RESEND_PERIOD_MS - self.dice.pick((0, 1, HOUR_MS))
        sent_on = day_of(signal.received_ms - gap_ms) - days(self.dice.between(0, 5))
        debt = Debt(signal.debt.cents, signal.debt.since and sent_on - days(self.dice.between(30, 90)))
        newer = replace(signal, signalled_on=sent_on, debt=debt)
        older = replace(newer, received_ms=signal.received_ms - gap_ms)
        return older, self._changed(newer) if kind == "LATER" and self.dice.chance(0.3) else newer
