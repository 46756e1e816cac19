"""Dirty CSV files of a system, and clean ones of persons of one's choice."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tests.system.dirty_exports import COLUMNS, SAMPLES, Broken, Dirty, Refused, of_person
from tests.system.dirty_traps import ENTITIES, zip_bomb

_SERIAL = "46062"
"""A spreadsheet's count of days, in a file that is none."""


class Table(NamedTuple):
    """The form of a system's CSV files."""

    system: str
    delimiter: str
    header: list[str]
    template: dict[str, str]
    of_sample: int

    def row(self, person: int, **changes: str) -> list[str]:
        """A person's cells; changes by what a column is for, such as `date`."""
        columns = COLUMNS[self.system]
        row = of_person(self.system, self.template, person)
        row.update({getattr(columns, purpose): value for purpose, value in changes.items()})
        return [row[name] for name in self.header]

    def at(self, purpose: str) -> int:
        """Where a column stands."""
        return self.header.index(getattr(COLUMNS[self.system], purpose))

    def text(self, rows: Iterable[Sequence[str]]) -> str:
        """A file with its header."""
        made = io.StringIO()
        csv.writer(made, delimiter=self.delimiter).writerows([self.header, *rows])
        return made.getvalue()


def table_of(system: str) -> Table:
    """The form of a system's sample."""
    sample = (SAMPLES / f"{system}.csv").read_text("utf-8-sig")
    delimiter = "," if system == "onview" else ";"
    header, first, *others = csv.reader(sample.splitlines(), delimiter=delimiter)
    return Table(system, delimiter, header, dict(zip(header, first, strict=True)), 1 + len(others))


def clean_table(system: str, persons: Iterable[int]) -> bytes:
    """A file without any dirt."""
    table = table_of(system)
    return table.text(map(table.row, persons)).encode()


def dirty_tables(system: str) -> Iterator[Dirty]:
    """Every kind of dirt, with persons 0 to 16."""
    table = table_of(system)
    row, text = table.row, table.text
    yield Dirty("01-bom.csv", text([row(0), row(1)]).encode("utf-8-sig"), taken=(0, 1))
    windows = text([row(2, surname="Testpersoon-Ünal")]).encode("cp1252")
    yield Dirty("02-windows.csv", windows, taken=(2,))
    utf_16 = text([row(3)]).encode("utf-16")
    yield Dirty("03-utf-16.csv", utf_16, broken=Broken(None, "its header has no column"), lost=(3,))
    twice = text([row(0), row(4), row(4)]).encode()
    yield Dirty("04-dubbel.csv", twice, taken=(4,), known=2)
    yield _shifted(table)
    moved = text([row(9)]).splitlines()
    back = [table.delimiter.join(reversed(line.split(table.delimiter))) for line in moved]
    yield Dirty("06-andere-volgorde.csv", "\r\n".join(back).encode(), taken=(9,))
    yield _of_a_spreadsheet(table)
    half = text([row(15), row(16)]).encode()
    half = half[: len(half) - len(half.splitlines()[-1]) // 2]
    cells = 1 + half.splitlines()[-1].count(table.delimiter.encode())
    yield Dirty(
        "08-half.csv",
        half,
        taken=(15,),
        refused=(Refused(3, (), f"has {cells} columns, the header {len(table.header)}"),),
        lost=(16,),
    )
    yield Dirty("09-zipbom.csv", zip_bomb(), broken=Broken(None, ""))
    yield Dirty("10-entiteit.csv", ENTITIES, broken=Broken(None, "its header has no column"))


def _shifted(table: Table) -> Dirty:
    """Cells that slid over: with one too many, some too few, and as many as there should be."""
    much, few, slid = table.row(5), table.row(6)[:5], ["", *table.row(7)[:-1]]
    much.insert(3, "x")
    wide = len(table.header)
    return Dirty(
        "05-verschoven.csv",
        table.text([much, few, slid, table.row(8)]).encode(),
        taken=(8,),
        refused=(
            Refused(2, (), f"has {wide + 1} columns, the header {wide}"),
            Refused(3, (), f"has 5 columns, the header {wide}"),
            Refused(4, (table.header[0],), "must be there"),
        ),
        lost=(5, 6, 7),
    )


def _of_a_spreadsheet(table: Table) -> Dirty:
    """What a spreadsheet leaves behind when somebody opened the file in it."""
    columns = COLUMNS[table.system]
    rows = [
        table.row(10, date=_SERIAL),
        table.row(11, number='=HYPERLINK("x")'),
        table.row(12, date="#N/A"),
        table.row(13, bsn="9,99E+08"),
        table.row(14),
    ]
    return Dirty(
        "07-excel.csv",
        table.text(rows).encode(),
        taken=(14,),
        refused=(
            Refused(2, (columns.date,), "must be a date written"),
            Refused(3, (columns.number,), "must be a value, not a formula"),
            Refused(4, (columns.date,), "must be a value, not an error of the spreadsheet"),
            Refused(5, (columns.bsn,), "must have nine digits"),
        ),
        lost=(10, 11, 12, 13),
    )
