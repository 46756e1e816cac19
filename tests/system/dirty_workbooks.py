"""Dirty Excel workbooks of a system."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from openpyxl import Workbook, load_workbook

from tests.system.dirty_exports import COLUMNS, SAMPLES, Broken, Dirty, Refused, of_person
from tests.system.dirty_traps import ENTITIES, zip_bomb

_SHEET = "xl/worksheets/sheet1.xml"
_SERIAL = 46062
"""9 February 2026, as a spreadsheet counts."""
_UNDONE = "no Excel workbook"


class _Sheet(NamedTuple):
    """The form of a system's workbooks."""

    system: str
    header: list[str]
    template: dict[str, Any]

    def row(self, person: int, **changes: object) -> list[Any]:
        """A person's cells; changes by what a column is for, such as `date`."""
        columns = COLUMNS[self.system]
        row: dict[str, Any] = dict(of_person(self.system, self.template, person))
        row.update({getattr(columns, purpose): value for purpose, value in changes.items()})
        return [row[name] for name in self.header]

    def book(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """A workbook with its header."""
        workbook, made = Workbook(), io.BytesIO()
        sheet = workbook.active
        assert sheet is not None
        for row in [self.header, *rows]:
            sheet.append(row)
        workbook.save(made)
        return made.getvalue()


def dirty_workbooks(system: str) -> Iterator[Dirty]:
    """Every kind of dirt, with persons 0 to 16."""
    sheet = load_workbook(SAMPLES / f"{system}.xlsx").active
    assert sheet is not None
    header, first = (list(row) for row in list(sheet.iter_rows(values_only=True))[:2])
    form = _Sheet(system, [str(name) for name in header], dict(zip(map(str, header), first, strict=True)))
    row, book = form.row, form.book
    # What is a table to a person, and has the name of a workbook.
    as_text = "\ufeff" + ";".join(form.header) + "\r\n"
    yield Dirty("01-bom.xlsx", as_text.encode(), broken=Broken(None, f"is {_UNDONE}"))
    yield _of_another_encoding(form)
    yield Dirty("04-dubbel.xlsx", book([row(0), row(4), row(4)]), taken=(0, 4), known=1)
    yield _shifted(form)
    moved = _Sheet(system, form.header[::-1], form.template)
    yield Dirty("06-andere-volgorde.xlsx", moved.book([moved.row(9)]), taken=(9,))
    yield _of_a_spreadsheet(form)
    whole = book([row(15), row(16)])
    broken = Broken(None, f"is {_UNDONE}")
    yield Dirty("08-half.xlsx", whole[: len(whole) // 2], broken=broken, lost=(15, 16))
    bomb = zip_bomb(_SHEET, book([row(17)]))
    yield Dirty("09-zipbom.xlsx", bomb, broken=Broken(None, "unpacks to far more than it is"), lost=(17,))
    trap = _with_sheet(book([row(18)]), lambda text: ENTITIES.partition(b"\n")[2] + text)
    yield Dirty("10-entiteit.xlsx", trap, broken=Broken(None, f"is {_UNDONE}"), lost=(18,))


def _of_another_encoding(form: _Sheet) -> Dirty:
    """A sheet that says nothing of its encoding, so that it is UTF-8, and is not."""
    made = form.book([form.row(2), form.row(3, surname="Testpersoon-Unal")])
    content = _with_sheet(made, lambda text: text.replace(b"-Unal", "-Ünal".encode("cp1252")))
    broken = Broken(3, "the sheet cannot be read on")
    return Dirty("02-windows.xlsx", content, taken=(2,), broken=broken, lost=(3,))


def _shifted(form: _Sheet) -> Dirty:
    """Cells that slid over: with one too many, and as many as there should be."""
    much, slid = form.row(5), [None, *form.row(7)[:-1]]
    much.insert(3, "x")
    wide = len(form.header)
    return Dirty(
        "05-verschoven.xlsx",
        form.book([much, slid, form.row(8)]),
        taken=(8,),
        refused=(
            Refused(2, (), f"has {wide + 1} columns, the header {wide}"),
            Refused(3, (form.header[0],), "must be there"),
        ),
        lost=(5, 7),
    )


def _of_a_spreadsheet(form: _Sheet) -> Dirty:
    columns = COLUMNS[form.system]
    rows = [
        form.row(10, date=_SERIAL),
        form.row(11, number='=HYPERLINK("x")'),
        form.row(12, date="#N/A"),
        form.row(13, date=40_000.5),
        form.row(14, date="09-02-2026"),
    ]
    return Dirty(
        "07-excel.xlsx",
        form.book(rows),
        taken=(10, 14),
        refused=(
            Refused(3, (columns.number,), "must be a value, not a formula"),
            Refused(4, (columns.date,), "must be a value, not an error of the spreadsheet"),
            Refused(5, (columns.date,), "must be a date of the spreadsheet"),
        ),
        lost=(11, 12, 13),
    )


def _with_sheet(workbook: bytes, changed: Any) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as known, zipfile.ZipFile(made, "w") as archive:
        for part in known.infolist():
            content = known.read(part)
            archive.writestr(part.filename, changed(content) if part.filename == _SHEET else content)
    return made.getvalue()
