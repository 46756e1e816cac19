"""Names of generated residents. In: dice. Out: surnames, and the same surname as another office spells it."""

import unicodedata
from dataclasses import dataclass

from signaalwissel.sources.generated_dice import Dice

PREFIXES = ("van", "de", "van den", "van der", "van de", "ter", "ten", "'t", "in 't", "op de", "la", "von")
PLAIN_SHARE = 0.6
MAINS = (
    "Jansen", "Bakker", "Visser", "Smit", "Meijer", "Mulder", "Bos", "Peters", "Hendriks", "Dekker", "Brouwer",
    "Dijkstra", "Vermeulen", "Schouten", "Kuipers", "Postma", "Yilmaz", "El Idrissi", "Kaya", "Nguyen", "Silva",
    "Müller", "Große", "Weiß", "Groß", "Gül", "Öztürk", "Curaçao", "René", "Böhm", "Danré", "Çelik",
)  # fmt: skip
PREFIXED_MAINS = (
    "Berg", "Vries", "Heuvel", "Dijk", "Meer", "Linden", "Broek", "Horst", "Brink", "Hart", "Veld", "Laan", "Roos",
    "Groot", "Boer", "Graaf", "Ruijter", "Hoek", "Münster", "Weijden",
)  # fmt: skip
INITIALS = "ABCDEFGHIJKLMNOPRSTVWYZ"


@dataclass(frozen=True, slots=True)
class Surname:
    """A surname as the population register has it."""

    prefix: str
    main: str

    @property
    def full(self) -> str:
        """Prefix and name."""
        return f"{self.prefix} {self.main}".lstrip()


def surname(dice: Dice) -> Surname:
    """Return a surname, four in ten of them with a prefix."""
    if dice.chance(PLAIN_SHARE):
        return Surname("", dice.pick(MAINS))
    return Surname(dice.pick(PREFIXES), dice.pick(PREFIXED_MAINS))


def married(own: Surname, partner: Surname) -> Surname:
    """Return the double name of a spouse: "Jansen-de Vries"."""
    return Surname(partner.prefix, f"{partner.main}-{own.full}")


def initials(dice: Dice) -> str:
    """Return one to three initials: "A.B."."""
    return "".join(f"{dice.pick(INITIALS)}." for _ in range(dice.between(1, 3)))


def spelled(name: Surname, dice: Dice) -> str:
    """Return the surname as a partner's system may write it (domain 3: prefixes, diacritics, ss, case)."""
    way = dice.between(1, 10)
    if way <= 4:
        return name.full
    if way == 5:
        return without_diacritics(name.main)
    if way == 6:
        return without_diacritics(name.full).upper()
    if way == 7:
        return f"{name.main}, {name.prefix}" if name.prefix else name.main.lower()
    if way == 8:
        return unicodedata.normalize("NFD", name.full)
    if way == 9:
        return name.main
    return without_diacritics(name.full)


def without_diacritics(text: str) -> str:
    """Return the text in plain letters, with ss for ß, as a system without diacritics keeps it."""
    plain = unicodedata.normalize("NFD", text.replace("ß", "ss"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
