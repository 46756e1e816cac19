"""Addresses of generated residents. In: dice and a municipality. Out: addresses, each given once, and their spellings."""

from dataclasses import dataclass

from signaalwissel.sources.generated_dice import Dice

# Dutch postcodes avoid letters that read like others; without A, D and S there is no SA, SD or SS either.
LETTERS = "BCEGHJKLMNPRTVWXZ"
DISTRICTS = 40
STACKED = (
    (None, "A", "B"), (None, "bis"), ("1 hoog", "2 hoog", "3 hoog"), ("A", "A-2"), ("I", "II", "III"), (None, "rd"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """A dwelling: the postcode in capitals without a space."""

    postcode: str
    house_number: int
    addition: str | None


class AddressBook:
    """Hands out the dwellings of one municipality, street by street, each only once."""

    def __init__(self, dice: Dice, municipality: str) -> None:
        self._dice = dice
        self._base = 1000 + int(municipality) * 37 % 8000
        self._streets = 0
        self._free: list[Address] = []

    def take(self) -> Address:
        """Return a dwelling that nobody has."""
        if not self._free:
            self._free = self._dice.shuffled(self._street())
        return self._free.pop()

    def _street(self) -> list[Address]:
        district, letters = self._streets % DISTRICTS, self._streets // DISTRICTS
        self._streets += 1
        pair = LETTERS[letters // len(LETTERS) % len(LETTERS)] + LETTERS[letters % len(LETTERS)]
        postcode = f"{self._base + district}{pair}"
        dwellings: list[Address] = []
        for number in range(self._dice.between(1, 2), self._dice.between(20, 60) * 2, 2):
            additions = self._dice.pick(STACKED) if self._dice.chance(0.2) else (None,)
            dwellings.extend(Address(postcode, number, addition) for addition in additions)
        return dwellings


def written_postcode(postcode: str, dice: Dice) -> str:
    """Return the postcode as a sender may write it: "3511AB", "3511 AB" or "3511ab"."""
    way = dice.between(1, 10)
    if way <= 6:
        return postcode
    return f"{postcode[:4]} {postcode[4:]}" if way <= 9 else postcode.lower()


def written_addition(addition: str | None, dice: Dice) -> str | None:
    """Return the addition as a sender may write it; letters and digits stay the same but for their case."""
    if addition is None or dice.chance(0.5):
        return addition
    way = dice.between(1, 3)
    if way == 1:
        return addition.upper()
    return addition.replace(" ", "-") if way == 2 else addition.replace(" ", "").replace("-", "").lower()
