"""Tables with a header: CSV in several encodings, and Excel.

In: a file and how it is read. Out: rows, one at a time. A header without a mapped column refuses the file: better than
a month of signals without their birth dates.
"""

import codecs
import csv
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from openpyxl import load_workbook
from openpyxl.utils.datetime import CALENDAR_WINDOWS_1900
from openpyxl.utils.exceptions import InvalidFileException
from signaalwissel.sources.profile_model import Source
from signaalwissel.sources.rows import Cell, FileUnreadable, Row, refused

_BLOCK = 1 << 16
_ROWS_MAX = 1_048_576
"""More a spreadsheet cannot hold; a row number beyond it is a trap."""
_PARTS_MAX = 10_000
_SHEET_MAX = 2 << 30
_STRINGS_MAX = 256 << 20
_PART_MAX = 64 << 20
_RATIO_MAX = 200
_RATIO_FROM = 10 << 20
_BROKEN_WORKBOOK = (
    zipfile.BadZipFile,
    InvalidFileException,
    DefusedXmlException,
    ParseError,
    zlib.error,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
)
"""What openpyxl raises for a file that is no workbook."""


def csv_rows(file: Path, source: Source, columns: Sequence[str]) -> Iterator[Row]:
    """The rows of a CSV file.

    Args:
        file: The file.
        source: How it is read.
        columns: What its header must have.

    Raises:
        FileUnreadable: Its encoding, header or quoting is not what the profile says.
    """
    encoding = encoding_of(file, source.encodings)
    with file.open(encoding=encoding, newline="") as opened:
        reader = csv.reader(opened, delimiter=source.delimiter, strict=True)
        number = wide = 0
        header: list[str] | None = None
        while True:
            number = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                raise FileUnreadable(f"cannot be read on as CSV: {error}", number) from error
            if header is None:
                header, wide = _header(cells, columns) if number >= source.header_row else None, len(cells)
            elif any(cell.strip() for cell in cells):
                # Too many also where the last are empty: what slid over may look right in its new place.
                wider = len(cells) > wide
                yield _not_as_wide(number, cells, wide) if wider else _row(number, header, cells)
    if header is None:
        raise FileUnreadable("has no header")


def xlsx_rows(file: Path, source: Source, columns: Sequence[str]) -> Iterator[Row]:
    """The rows of one sheet of an Excel workbook, formulas as formulas.

    Raises:
        FileUnreadable: It is no workbook, unpacks to more than any export, or lacks the sheet or a column.
    """
    try:
        _check_archive(file)
        workbook = load_workbook(file, read_only=True, data_only=False, keep_links=False)
    except _BROKEN_WORKBOOK as error:
        if isinstance(error, FileUnreadable):
            raise
        raise FileUnreadable(f"is no Excel workbook: {type(error).__name__}") from error
    try:
        if workbook.epoch != CALENDAR_WINDOWS_1900:
            raise FileUnreadable("counts its days from 1904: save it with the dates of 1900")
        yield from _sheet_rows(_sheet(workbook, source), source, columns)
    finally:
        workbook.close()


def encoding_of(file: Path, encodings: Sequence[str]) -> str:
    """The first encoding in which the whole file can be read; raises FileUnreadable.

    Every byte means something in an encoding of single bytes, so UTF-8 that is cut off or damaged would be read as one,
    with every name wrong. It is told by its letters: two bytes of another encoding hardly ever make one of UTF-8.
    """
    for encoding in encodings:
        if _can_be_read(file, encoding):
            return encoding
        if encoding.startswith("utf-8") and _is_damaged(file, encoding):
            raise FileUnreadable("is in UTF-8, but damaged or cut off in the middle of a character")
    raise FileUnreadable(f"cannot be read in {' or '.join(encodings)}")


def _can_be_read(file: Path, encoding: str) -> bool:
    try:
        for _ in _decoded(file, encoding, "strict"):
            pass
    except UnicodeError:
        return False
    return True


def _is_damaged(file: Path, encoding: str) -> bool:
    """Whether at least as many characters beyond ASCII can be read in an encoding as cannot."""
    letters = broken = 0
    for text in _decoded(file, encoding, "replace"):
        if not text.isascii():
            lost = text.count("\ufffd")
            broken += lost
            letters += len(text) - len(text.encode("ascii", errors="ignore")) - lost
    return letters >= broken


def _decoded(file: Path, encoding: str, errors: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            yield decoder.decode(block)
        yield decoder.decode(b"", final=True)


def _header(cells: Sequence[Cell], columns: Sequence[str]) -> list[str]:
    header = ["" if cell is None else " ".join(str(cell).split()) for cell in cells]
    while header and not header[-1]:
        header.pop()
    missing = [column for column in columns if column not in header]
    if missing:
        raise FileUnreadable(f"its header has no column {', '.join(missing)}")
    twice = sorted({name for name in header if name in columns and header.count(name) > 1})
    if twice:
        raise FileUnreadable(f"its header has column {', '.join(twice)} more than once")
    return header


def _not_as_wide(number: int, cells: Sequence[Cell], wide: int) -> Row:
    return refused(number, f"has {len(cells)} columns, the header {wide}")


def _row(number: int, header: Sequence[str], cells: Sequence[Cell]) -> Row:
    beyond = cells[len(header) :]
    if len(cells) < len(header) or any(cell not in (None, "") for cell in beyond):
        return _not_as_wide(number, cells, len(header))
    return Row(number, dict(zip(header, cells, strict=False)))


def _check_archive(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
    if len(parts) > _PARTS_MAX:
        raise FileUnreadable(f"has more than {_PARTS_MAX} parts, as no workbook has")
    if sum(part.file_size for part in parts) > _SHEET_MAX:
        raise FileUnreadable(f"unpacks to more than {_SHEET_MAX >> 30} GiB")
    for part in parts:
        bound = _PART_MAX
        if part.filename.startswith("xl/worksheets/"):
            bound = _SHEET_MAX
        elif part.filename == "xl/sharedStrings.xml":
            bound = _STRINGS_MAX
        squeezed = part.file_size > _RATIO_FROM and part.file_size > _RATIO_MAX * max(part.compress_size, 1)
        if part.file_size > bound or squeezed:
            raise FileUnreadable("unpacks to far more than it is: no export of a system does")


def _sheet(workbook: Any, source: Source) -> Any:
    if source.sheet is None:
        return workbook.worksheets[0]
    if source.sheet not in workbook.sheetnames:
        raise FileUnreadable(f"has no sheet {source.sheet}")
    return workbook[source.sheet]


def _sheet_rows(sheet: Any, source: Source, columns: Sequence[str]) -> Iterator[Row]:
    # What a sheet says of its own size may be a trap, and is often just wrong.
    sheet.reset_dimensions()
    header: list[str] | None = None
    number = 0
    rows = iter(sheet.iter_rows(values_only=True))
    while True:
        number += 1
        try:
            cells = next(rows, None)
        except _BROKEN_WORKBOOK as error:
            raise FileUnreadable(f"the sheet cannot be read on: {type(error).__name__}", number) from error
        if cells is None:
            break
        if number > _ROWS_MAX:
            raise FileUnreadable(f"has more than {_ROWS_MAX} rows, as no sheet has", number)
        if header is None:
            header = _header(cells, columns) if number >= source.header_row else None
        elif any(cell not in (None, "") for cell in cells):
            # A sheet does not write the empty cells at the end of a row.
            yield _row(number, header, [*cells, *[None] * (len(header) - len(cells))])
    if header is None:
        raise FileUnreadable("has no header")
