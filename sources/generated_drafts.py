"""Drafts of generated trajectories. In: what happened to whom on which day. Out: lifecycle events as recorded.

A draft knows days; recording turns them into events: most on the same or the next day, some weeks later, some
later than any signal of that time still takes notice of, a few around midnight or while the clocks change.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from signaalwissel.sources.generated_addresses import written_addition, written_postcode
from signaalwissel.sources.generated_clock import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    Month,
    clock_change_after,
    days,
    midnight_ms,
)
from signaalwissel.sources.generated_dice import Dice
from signaalwissel.sources.generated_people import People, Resident
from signaalwissel.sources.generated_records import Counsellor, Details, Event, Subject

# How many days after the day itself an event is recorded: (from, to) and the share of the events.
DELAYS = (((0, 0), 0.71), ((1, 1), 0.18), ((2, 5), 0.055), ((8, 25), 0.035), ((36, 75), 0.02))
# Exits decide most, so that late ones make most corrections (domain 8.11).
EXIT_DELAYS = (((0, 0), 0.6), ((1, 1), 0.2), ((2, 5), 0.06), ((8, 25), 0.07), ((36, 75), 0.07))
# An application recorded later than this would leave its successors waiting for too long (domain 8.16: 30 days).
APPLICATION_DELAYS = (((0, 0), 0.8), ((1, 1), 0.15), ((2, 5), 0.03), ((8, 14), 0.02))
DELAYS_OF = {"APPLIED": APPLICATION_DELAYS, "EXITED": EXIT_DELAYS}
NO_DETAILS = Details()
# More than a third of the residents has a history, far more than in reality, so that a small month shows every case.
HISTORY_SHARE = 0.38
# From the client as he is to the client as the case system has him.
Misfiling = Callable[[Subject], Subject]


def numbered(bsn: str | None) -> Misfiling:
    """Return the mistake of another BSN, or none."""
    return lambda client: replace(client, bsn=bsn)


def born_on(day: date | None) -> Misfiling:
    """Return the mistake of another birth date, or none."""
    return lambda client: replace(client, birth_date=day)


@dataclass(slots=True)
class Step:
    """Something that happened on a day, and the day on which the case system heard of it.

    `who` are the positions of the clients that the event lists. A prompt step is recorded at once and after
    everything before it: where the order carries the meaning.
    """

    kind: str
    on: date
    told_on: date
    who: tuple[int, ...] = ()
    details: Details = NO_DETAILS
    prompt: bool = False


@dataclass(slots=True)
class Draft:
    """A trajectory being told: one or two clients, and the steps so far.

    `mistakes` say how the case system had a client, by position, wrong until a day; from
    `addressless_from` on the first client has no known address.
    """

    municipality: str
    trajectory_id: str
    clients: list[Resident]
    applied: date
    exited: date | None = None
    exit_reason: str | None = None
    steps: list[Step] = field(default_factory=list)
    mistakes: dict[int, tuple[date, Misfiling]] = field(default_factory=dict)
    addressless_from: date = date.max

    @property
    def everybody(self) -> tuple[int, ...]:
        """The positions of all clients."""
        return tuple(range(len(self.clients)))

    def add(self, kind: str, on: date, who: tuple[int, ...] = (), details: Details = NO_DETAILS) -> Step:
        """Add a step that is told on its own day and return it."""
        step = Step(kind, on, on, who, details)
        self.steps.append(step)
        return step

    def find(self, kind: str) -> Step | None:
        """Return the first step of a kind."""
        return next((step for step in self.steps if step.kind == kind), None)


class Casebook:
    """The case systems of all municipalities: numbers, counsellors, and how events are recorded.

    Args:
        people: Whom they may help.
        month: The month whose signals are generated.
        dice: Decides what is not said.
        history: The share of the residents with a trajectory.
        numbers: How many trajectories each municipality has had before.
    """

    def __init__(
        self,
        people: People,
        month: Month,
        dice: Dice,
        history: float = HISTORY_SHARE,
        numbers: dict[str, int] | None = None,
    ) -> None:
        self.people = people
        self.month = month
        self.dice = dice
        self.history = history
        self.numbers = dict.fromkeys(people.books, 0) if numbers is None else numbers
        size = max(3, len(people.residents) // (150 * len(people.books)))
        self._counsellors = {
            code: [Counsellor(f"shv-{code}-{n:03d}", f"Team {n % 3 + 1}") for n in range(1, size + 1)]
            for code in people.books
        }

    def number(self, municipality: str) -> str:
        """Return the next trajectory number; every municipality counts for itself from one."""
        self.numbers[municipality] += 1
        return f"SHV-{self.numbers[municipality]:06d}"

    def counsellor(self, municipality: str) -> Counsellor:
        """Return one of the counsellors of a municipality."""
        return self.dice.pick(self._counsellors[municipality])

    def record(self, draft: Draft) -> list[Event]:
        """Return the events of a draft in the order of recording, numbered in that order, some numbers skipped."""
        steps = [step for step in draft.steps if step.told_on <= self.month.today]
        steps.sort(key=lambda step: step.told_on)
        recorded: list[tuple[int, int]] = []
        latest = 0
        for index, step in enumerate(steps):
            at_ms, late = self._recorded_ms(step)
            if not late:
                at_ms = latest = max(at_ms, latest + self.dice.between(20, 600) * SECOND_MS)
            recorded.append((at_ms, index))
        recorded.sort()
        sequence, events = 0, []
        for at_ms, index in recorded:
            sequence += 2 if self.dice.chance(0.05) else 1
            events.append(
                self._event(draft, steps[index], (f"{draft.trajectory_id}/{index + 1}", sequence, at_ms))
            )
        return events

    def _recorded_ms(self, step: Step) -> tuple[int, bool]:
        """Return when a step is recorded, and whether that is late: then its successors do not wait for it."""
        told, dice = step.told_on, self.dice
        at_ms = self._hour_ms()
        if step.prompt or told > step.on:
            return midnight_ms(told) + at_ms, False
        if step.kind != "APPLIED" and dice.chance(0.05):
            change = clock_change_after(told)
            if change <= told + days(21):
                return midnight_ms(change) + dice.between(0, 4 * HOUR_MS), change > told + days(5)
        delay = dice.between(*dice.weighted(DELAYS_OF.get(step.kind, DELAYS)))
        return midnight_ms(told + days(delay)) + at_ms, delay > 5

    def _hour_ms(self) -> int:
        """Return a time of the day: in office hours, seldom just after or just before midnight."""
        if self.dice.chance(0.97):
            return self.dice.between(8 * HOUR_MS, 18 * HOUR_MS)
        if self.dice.chance(0.5):
            return self.dice.between(0, 90 * SECOND_MS)
        # On a day of 23 hours this is past midnight, which is as good.
        return DAY_MS - self.dice.between(1, 2 * MINUTE_MS)

    def _event(self, draft: Draft, step: Step, filed: tuple[str, int, int]) -> Event:
        event_id, sequence, recorded_ms = filed
        clients = self._clients(draft, step.who, step.told_on) if step.who else ()
        return Event(
            event_id,
            draft.trajectory_id,
            draft.municipality,
            sequence,
            step.on,
            recorded_ms,
            step.kind,
            clients,
            step.details,
        )

    def _clients(self, draft: Draft, who: Sequence[int], told_on: date) -> tuple[Subject, ...]:
        clients = []
        for position in who:
            client = self._as_filed(draft.clients[position], told_on)
            if position in draft.mistakes:
                until, misfiled = draft.mistakes[position]
                client = misfiled(client) if told_on < until else client
            if position == 0 and told_on >= draft.addressless_from and client.bsn:
                client = replace(client, postcode=None, house_number=None, addition=None)
            clients.append(client)
        return tuple(clients)

    def _as_filed(self, resident: Resident, told_on: date) -> Subject:
        address = resident.address_on(told_on)
        return Subject(
            resident.bsn,
            written_postcode(address.postcode, self.dice),
            address.house_number,
            written_addition(address.addition, self.dice),
            resident.birth_date,
            resident.initials,
            resident.surname.full,
            resident.phone,
            resident.email,
        )
