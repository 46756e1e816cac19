"""The residents of generated data. In: their number and the municipalities. Out: households that share addresses.

Citizen service numbers (BSN) are numbers of nine digits that pass the 11-proof and begin with 999, the range in which
test numbers lie; there are some ninety thousand of them. What is needed beyond that begins with 99. Nobody's
real number is looked up or copied, and the sample numbers of DDAS fail the proof, so they cannot occur.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from signaalwissel.sources.generated_addresses import Address, AddressBook
from signaalwissel.sources.generated_clock import Month, days
from signaalwissel.sources.generated_dice import Dice
from signaalwissel.sources.generated_names import Surname, initials, married, surname

RESIDENTS_MAX = 500_000
SHELTER_BEDS = 14
SHELTER_FROM_RESIDENTS = 50
# Households by kind, as shares of the households.
HOUSEHOLDS = (
    ("ALONE", 0.45), ("COUPLE", 0.25), ("FAMILY", 0.14), ("HOUSEMATES", 0.11), ("TWINS", 0.04), ("STUDENTS", 0.01),
)  # fmt: skip
SIZES = {
    "ALONE": (1, 1), "COUPLE": (2, 2), "FAMILY": (3, 5), "HOUSEMATES": (2, 4), "TWINS": (2, 2), "STUDENTS": (9, 13),
    "SHELTER": (SHELTER_BEDS, SHELTER_BEDS),
}  # fmt: skip


def proof_bsns() -> Iterator[str]:
    """Yield numbers that pass the 11-proof, each once: first those that begin with 999, then with 99.

    The first eight digits step through their range by a number that has no divisor in common with its size; the last
    digit follows from the weights 9 to 2 and -1.
    """
    for first, size, step in ((99_900_000, 100_000, 7_919), (99_000_000, 900_000, 7_919)):
        for turn in range(size):
            head = str(first + turn * step % size)
            check = sum(weight * int(digit) for weight, digit in zip(range(9, 1, -1), head, strict=True)) % 11
            if check < 10:
                yield f"{head}{check}"


@dataclass(slots=True, eq=False)
class Resident:
    """A resident; `addresses` are the dwellings with the day from which he lives there, the first from ever.

    `aim` is a reference date at which a rule about his trajectory turns: signals about him prefer it.
    `elsewhere` is another municipality that has a trajectory of his; `has_history` says that his own has one.
    """

    municipality: str
    bsn: str
    birth_date: date
    initials: str
    surname: Surname
    household: int
    addresses: list[tuple[date, Address]]
    phone: str | None = None
    email: str | None = None
    aim: date | None = None
    elsewhere: str | None = None
    has_history: bool = False

    def address_on(self, day: date) -> Address:
        """Return where he lives on a day."""
        standing = self.addresses[0][1]
        for since, address in self.addresses[1:]:
            if since <= day:
                standing = address
        return standing


@dataclass(slots=True)
class People:
    """All residents, the households that they live in, and what is left to hand out."""

    residents: list[Resident] = field(default_factory=list)
    households: list[list[Resident]] = field(default_factory=list)
    books: dict[str, AddressBook] = field(default_factory=dict)
    bsns: Iterator[str] = field(default_factory=proof_bsns)
    couples: list[int] = field(default_factory=list)


def settle(
    count: int, municipalities: Sequence[str], month: Month, dice: Dice, neighbours: People | None = None
) -> People:
    """Return so many residents, spread over the municipalities.

    Every municipality has a shelter with more than eight persons once there are enough residents. Nobody has the
    address or number of one of the `neighbours`.
    """
    people = (
        People(books={code: AddressBook(dice, code) for code in municipalities})
        if neighbours is None
        else People(books=neighbours.books, bsns=neighbours.bsns)
    )
    shelters = list(municipalities) if count >= SHELTER_FROM_RESIDENTS * len(municipalities) else []
    while len(people.residents) < count:
        kind = "SHELTER" if shelters else dice.weighted(HOUSEHOLDS)
        code = shelters.pop() if shelters else dice.pick(municipalities)
        _move_in(people, kind, (code, count), (month, dice))
    return people


def _move_in(people: People, kind: str, place: tuple[str, int], told: tuple[Month, Dice]) -> None:
    (code, count), (month, dice) = place, told
    size = min(dice.between(*SIZES[kind]), count - len(people.residents))
    address, house = people.books[code].take(), len(people.households)
    household: list[Resident] = []
    for _ in range(size):
        name, born = _identity(kind, household, month, dice)
        bsn = next(people.bsns)
        household.append(Resident(code, bsn, born, initials(dice), name, house, [(date.min, address)]))
        _reachable(household[-1], dice)
    if size > 1 and kind in {"COUPLE", "FAMILY"}:
        people.couples.append(house)
    people.households.append(household)
    people.residents.extend(household)


def _identity(kind: str, household: list[Resident], month: Month, dice: Dice) -> tuple[Surname, date]:
    """Return the name and birth date of the next member of a household."""
    if not household or kind in {"HOUSEMATES", "STUDENTS", "SHELTER"}:
        return surname(dice), _birth(month, (20, 27) if kind == "STUDENTS" else (22, 84), dice)
    head = household[0]
    if kind == "TWINS":
        return head.surname, head.birth_date
    if len(household) == 1:
        name = dice.weighted(
            ((surname(dice), 0.4), (head.surname, 0.3), (married(surname(dice), head.surname), 0.3))
        )
        return name, min(head.birth_date + days(dice.between(-3000, 3000)), _birth(month, (21, 26), dice))
    # A grown-up child: partners do not report minors.
    return head.surname, _birth(month, (21, 32), dice)


def _birth(month: Month, ages: tuple[int, int], dice: Dice) -> date:
    return month.first - days(dice.between(ages[0] * 366, ages[1] * 366))


def _reachable(resident: Resident, dice: Dice) -> None:
    if dice.chance(0.5):
        resident.phone = f"06{dice.between(10_000_000, 99_999_999)}"
    if dice.chance(0.4):
        resident.email = f"bewoner{dice.between(100_000, 999_999)}@example.nl"
