"""Exports as systems and people really deliver them: clean rows among every kind of dirt, and what must become of each.

Out: files of one system, made from the sample that ships with its profile. Every row that is put in is a person, who is
either taken or not; nobody may be both, and nobody neither.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.console.import_support import bsn_of

SAMPLES = Path(__file__).parents[2] / "sources" / "samples"
_FIRST = 300
"""No sample has these BSNs."""


class Refused(NamedTuple):
    """A row that must be refused: its number in the file, its columns, and how the rule begins."""

    row: int
    columns: tuple[str, ...]
    rule: str


class Broken(NamedTuple):
    """A file that must not be read on: from which row, None for all of it, and how the rule begins."""

    row: int | None
    rule: str


class Dirty(NamedTuple):
    """A file, and what must become of it.

    Attributes:
        name: Its name, which says what is wrong with it.
        content: Its bytes.
        taken: Persons whose rows are taken here for the first time.
        known: Rows that were taken before.
        refused: Rows that are refused.
        broken: Why it cannot be read, or not to its end.
        lost: Persons who stand in it and are not taken: whoever mends the file must find them.
    """

    name: str
    content: bytes
    taken: tuple[int, ...] = ()
    known: int = 0
    refused: tuple[Refused, ...] = ()
    broken: Broken | None = None
    lost: tuple[int, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows can be read in it."""
        return len(self.taken) + self.known + len(self.refused)


class Columns(NamedTuple):
    """Under which names a system has what tells persons apart, and a date that every row must have."""

    number: str
    bsn: str
    date: str
    postcode: str
    house_number: str
    surname: str
    of_others: tuple[str, ...] = ()


COLUMNS = {
    "vps": Columns("Signaalnummer", "BSN", "Signaaldatum", "Postcode", "Huisnummer", "Achternaam"),
    "ris": Columns("Meldingsnummer", "Burgerservicenummer", "Meldingsdatum", "Postcode", "Huisnr", "Naam"),
    "stratech": Columns(
        "Dossiernummer", "BSN", "Aanmelding", "Postcode", "Huisnummer", "Achternaam",
        ("Partner", "BSN partner", "Geboortedatum partner", "Achternaam partner"),
    ),
    "onview": Columns("traject_id", "bsn", "datum", "postcode", "huisnummer", "achternaam"),
}  # fmt: skip


def number_of(system: str, person: int) -> str:
    """Under which number a system knows a person."""
    return f"{system.upper()}-P{person}"


def bsn(person: int) -> str:
    """A BSN of the test range."""
    return bsn_of(_FIRST + person)


def of_person(system: str, template: dict[str, str], person: int) -> dict[str, str]:
    """A row of the sample, as this person's."""
    columns = COLUMNS[system]
    row = {
        **template,
        columns.number: number_of(system, person),
        columns.bsn: bsn(person),
        columns.postcode: "3511ZZ",
        columns.house_number: str(1 + person),
        columns.surname: "Testpersoon",
        **dict.fromkeys(columns.of_others, ""),
    }
    if system == "onview":
        row["mutatie_id"] = f"m-P{person}"
    return row


def write_all(files: Iterator[Dirty], folder: Path) -> dict[str, Dirty]:
    """Put files into a folder, in the order in which they came."""
    folder.mkdir()
    written = {}
    for file in files:
        (folder / file.name).write_bytes(file.content)
        written[file.name] = file
    return written
