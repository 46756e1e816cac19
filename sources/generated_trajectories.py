"""Trajectories of generated residents. In: the residents. Out: their lifecycle events, trajectory by trajectory."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from signaalwissel.sources.generated_clock import Month, add_months, days
from signaalwissel.sources.generated_dice import Dice
from signaalwissel.sources.generated_drafts import Casebook, Draft, born_on, numbered
from signaalwissel.sources.generated_people import People, Resident
from signaalwissel.sources.generated_records import Details, Event
from signaalwissel.sources.generated_twists import twist

# A shelter: more than eight clients on one address get no identity check (domain 8.8).
CROWDED_HISTORY_SHARE = 0.9
CROWDED_FROM_PERSONS = 12
# Couples with a trajectory of both.
SPOUSES_TOGETHER_SHARE = 0.32
RETURNING_SHARE = 0.15
# Exits while the signals come in, for the truth that comes late (domain 8.11).
AROUND_THE_MONTH_SHARE = 0.3
ELSEWHERE_SHARE = 0.06
# What has become of a trajectory, as shares of the trajectories that are not somebody's earlier one.
STANDINGS = (
    ("RUNNING", 0.26), ("COMPLETED", 0.27), ("COMPLETED_AT_BOUNDARY", 0.17), ("DROPPED", 0.17), ("REFUSED", 0.07),
    ("JUST_APPLIED", 0.06),
)  # fmt: skip
DROP_REASONS = ("SELF", "WITHDRAWN", "NO_SHOW", "NOT_SUITABLE", "NOT_ELIGIBLE", "MOVED", "OTHER", "DECEASED")
SERVICES = (
    "BUDGET_COACHING", "BUDGET_MANAGEMENT", "PROTECTIVE_ADMINISTRATION", "LONG_TERM_GUIDANCE", "BUDGET_GUIDANCE",
)  # fmt: skip
SOLUTIONS = ("PAYMENT_PLAN", "REFINANCING", "RESTRUCTURING_LOAN", "MEDIATION", "ZERO_OFFER")
# Days from application to each phase, for a trajectory that takes its time; shorter ones skip what lies behind their end.
PHASES = (
    ("ADMITTED", 7, 50), ("PLAN_ADOPTED", 55, 90), ("STABILISATION_STARTED", 60, 120), ("SETTLEMENT_STARTED", 125, 200),
    ("SOLUTION_STARTED", 205, 260),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ending:
    """How a trajectory ends: EXITED with a reason, REFUSED, or not (no day)."""

    kind: str = ""
    on: date | None = None
    reason: str | None = None


def histories(casebook: Casebook) -> Iterator[list[Event]]:
    """Yield the events of every trajectory, each list in the order of recording.

    Side effect: residents learn that they have a history, their moves, their aim, and where else they were helped.
    """
    for clients in _chosen(casebook.people, casebook.dice, casebook.history):
        for client in clients:
            client.has_history = True
        for draft in _told(clients, casebook):
            yield casebook.record(draft)


def _chosen(people: People, dice: Dice, history: float) -> Iterator[list[Resident]]:
    """Yield the clients of each trajectory to be: spouses together, everybody else alone."""
    couples, chosen = set(people.couples), round(history * len(people.residents))
    order = dice.shuffled(range(len(people.households)))
    order.sort(key=lambda number: len(people.households[number]) < CROWDED_FROM_PERSONS)
    for number in order:
        household = people.households[number]
        share = history if len(household) < CROWDED_FROM_PERSONS else CROWDED_HISTORY_SHARE
        together = number in couples and dice.chance(SPOUSES_TOGETHER_SHARE)
        units = [household[:2]] if together else []
        units += [[member] for member in household[2 * together :] if dice.chance(share)]
        for unit in units:
            if chosen <= 0:
                return
            chosen -= len(unit)
            yield unit


def _told(clients: list[Resident], casebook: Casebook) -> Iterator[Draft]:
    """Yield the trajectories of some clients, the one that counts first."""
    dice, home = casebook.dice, clients[0].municipality
    numbers = [casebook.number(home)]
    if dice.chance(RETURNING_SHARE):
        # A system that was migrated gives older trajectories higher numbers.
        numbers = dice.shuffled([numbers[0], casebook.number(home)])
    draft = _current(clients, numbers[0], casebook)
    yield draft
    if len(numbers) > 1:
        yield _earlier(draft, numbers[1], casebook)
    others = [code for code in casebook.people.books if code != home]
    if others and dice.chance(ELSEWHERE_SHARE):
        yield _elsewhere(clients[0], dice.pick(others), draft, casebook)


def _current(clients: list[Resident], number: str, casebook: Casebook) -> Draft:
    dice, month = casebook.dice, casebook.month
    standing = dice.weighted(STANDINGS)
    if standing == "RUNNING":
        ending = Ending()
    elif standing == "JUST_APPLIED":
        draft = Draft(clients[0].municipality, number, clients, month.first + days(dice.between(-45, 32)))
        _open(draft, casebook)
        return draft
    elif standing == "COMPLETED_AT_BOUNDARY":
        ending = _boundary_ending(clients, month, dice)
    elif standing == "REFUSED":
        ending = Ending("REFUSED", month.first + days(dice.between(-300, 32)))
    else:
        around = dice.chance(AROUND_THE_MONTH_SHARE)
        ended = month.first + days(dice.between(-20, 35) if around else dice.between(-425, 40))
        ending = Ending("EXITED", ended, "COMPLETED" if standing == "COMPLETED" else dice.pick(DROP_REASONS))
    applied = (ending.on or month.first) - days(
        dice.between(20, 60) if standing == "REFUSED" else dice.between(70, 600)
    )
    draft = Draft(clients[0].municipality, number, clients, applied)
    _live(draft, ending, casebook)
    twist(draft, casebook)
    return draft


def _boundary_ending(clients: list[Resident], month: Month, dice: Dice) -> Ending:
    """Return an exit whose window ends on the day before, on, or after a reference date (domain 8.1).

    The reference date lies in the month, or shortly before it, often on its last days: there the window is clamped,
    and several exit days share its end (Aug 28 to 31 all end on Feb 28).
    """
    aim = (
        month.last - days(dice.between(0, 1)) if dice.chance(0.4) else month.last - days(dice.between(0, 37))
    )
    ends = aim + days(dice.between(-1, 1))
    earliest = add_months(ends, -6)
    exits = [day for day in (earliest + days(n) for n in range(4)) if add_months(day, 6) == ends]
    for client in clients:
        client.aim = aim
    return Ending("EXITED", dice.pick(exits or [earliest]), "COMPLETED")


def _earlier(current: Draft, number: str, casebook: Casebook) -> Draft:
    """Return a trajectory before the current one of a returning client, whose identity was kept less well then."""
    dice, client = casebook.dice, current.clients[0]
    overlap = dice.chance(0.1)
    ended = current.applied + days(dice.between(1, 40) if overlap else -dice.between(15, 300))
    draft = Draft(current.municipality, number, [client], ended - days(dice.between(70, 400)))
    if overlap and dice.chance(0.5):
        draft.applied = current.applied
    if dice.chance(0.3):
        wrong = client.birth_date.replace(day=client.birth_date.day % 28 + 1)
        draft.mistakes[0] = (date.max, born_on(wrong if dice.chance(0.5) else None))
    reason = "COMPLETED" if dice.chance(0.7) else dice.pick(DROP_REASONS[:-1])
    _live(draft, Ending("EXITED", ended, reason), casebook)
    return draft


def _elsewhere(client: Resident, code: str, current: Draft, casebook: Casebook) -> Draft:
    """Return a trajectory of the same resident in another municipality, where he lived before."""
    dice = casebook.dice
    ended = min(current.applied, casebook.month.first) - days(dice.between(0, 90))
    applied = ended - days(dice.between(90, 400))
    draft = Draft(code, casebook.number(code), [_as_known_in(client, code, casebook)], applied)
    _live(draft, Ending("EXITED", ended, dice.pick(("COMPLETED", "MOVED"))), casebook)
    client.elsewhere = code
    return draft


def _as_known_in(client: Resident, code: str, casebook: Casebook) -> Resident:
    """Return the resident as another municipality knows him: the same person at an address there."""
    return replace(client, municipality=code, addresses=[(date.min, casebook.people.books[code].take())])


def _open(draft: Draft, casebook: Casebook) -> None:
    """Tell the application, and who runs the trajectory: with it, some days later, or never."""
    dice = casebook.dice
    who = casebook.counsellor(draft.municipality)
    named = dice.between(1, 10)
    entrepreneur = dice.weighted(((None, 0.5), (False, 0.42), (True, 0.08)))
    details = Details(counsellor=who if named <= 6 else None, entrepreneur=entrepreneur)
    draft.add("APPLIED", draft.applied, draft.everybody, details)
    if named in {7, 8, 9}:
        draft.add(
            "COUNSELLOR_ASSIGNED", draft.applied + days(dice.between(0, 10)), details=Details(counsellor=who)
        )
    if dice.chance(0.04):
        draft.mistakes.setdefault(dice.pick(draft.everybody), (date.max, numbered(None)))
    elif dice.chance(0.04):
        draft.mistakes.setdefault(dice.pick(draft.everybody), (date.max, born_on(None)))


def _live(draft: Draft, ending: Ending, casebook: Casebook) -> None:
    """Tell a trajectory from application to what comes after its end."""
    dice = casebook.dice
    _open(draft, casebook)
    draft.exited, draft.exit_reason = ending.on, ending.reason
    until = ending.on or date.max
    if ending.kind == "REFUSED":
        draft.add("REFUSED", until)
        return
    for kind, earliest, latest in PHASES:
        on = draft.applied + days(dice.between(earliest, latest))
        if on < until and dice.chance(0.93):
            solution = dice.pick(SOLUTIONS) if kind == "SOLUTION_STARTED" else None
            draft.add(kind, on, details=Details(solution=solution))
    admitted = draft.find("ADMITTED")
    if admitted and dice.chance(0.7):
        draft.add("RESIDENT_INFORMED", admitted.on + days(dice.between(0, 30)))
    if dice.chance(0.08):
        successor = casebook.counsellor(draft.municipality)
        draft.add(
            "COUNSELLOR_ASSIGNED",
            draft.applied + days(dice.between(30, 300)),
            details=Details(counsellor=successor),
        )
    if dice.chance(0.35):
        _serve(draft, ending, casebook)
    if ending.on:
        who = (0,) if ending.reason == "DECEASED" and len(draft.clients) == 2 else ()
        draft.add("EXITED", ending.on, who, Details(exit_reason=ending.reason))
    if dice.chance(0.3):
        _monitor(draft, ending, dice)
    if ending.on and dice.chance(0.4 if ending.reason == "COMPLETED" else 0.08):
        _care_after(draft, ending.on, casebook)


def _serve(draft: Draft, ending: Ending, casebook: Casebook) -> None:
    """Tell a service: still open, closed before or after the exit, or closed and opened again."""
    dice, service = casebook.dice, casebook.dice.pick(SERVICES)
    opened = draft.applied + days(dice.between(30, 69))
    draft.add("SERVICE_OPENED", opened, details=Details(service=service))
    if dice.chance(0.35):
        return
    closed = max((ending.on or casebook.month.first) + days(dice.between(-60, 90)), opened + days(1))
    if draft.clients[0].aim and dice.chance(0.4):
        closed = draft.clients[0].aim - days(dice.between(0, 1))
    draft.add("SERVICE_CLOSED", closed, details=Details(service=service))
    if dice.chance(0.25):
        again = closed + days(dice.between(5, 40))
        draft.add("SERVICE_OPENED", again, details=Details(service=service))
        if dice.chance(0.6):
            draft.add("SERVICE_CLOSED", again + days(dice.between(10, 60)), details=Details(service=service))


def _monitor(draft: Draft, ending: Ending, dice: Dice) -> None:
    """Tell monitoring ('volgen'), that may go on after the exit."""
    started = draft.applied + days(dice.between(60, 300))
    if ending.on:
        started = max(draft.applied, min(started, ending.on - days(10)))
    draft.add("MONITORING_STARTED", started)
    if ending.on and dice.chance(0.8):
        draft.add("MONITORING_ENDED", ending.on + days(dice.pick((0, 0, 0, 30, 90))))


def _care_after(draft: Draft, exited: date, casebook: Casebook) -> None:
    """Tell aftercare (nazorg), often still open, or closed at a reference date (domain 8.3)."""
    dice, aim = casebook.dice, draft.clients[0].aim
    started = exited + days(dice.between(0, 14))
    draft.add("AFTERCARE_STARTED", started)
    if aim and dice.chance(0.3):
        draft.add("AFTERCARE_ENDED", aim - days(dice.between(0, 1)))
    elif dice.chance(0.7):
        draft.add("AFTERCARE_ENDED", started + days(dice.between(30, 210)))
