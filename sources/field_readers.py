"""Readers of single fields: from the cells of a row to one value, as a mapping says.

In: a target field and its mapping. Out: a function of cells and of the fields read before it, made once per profile.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.sources import cells as values_of
from signaalwissel.sources.cells import Unfit
from signaalwissel.sources.lookups import folded
from signaalwissel.sources.profile_fields import CellType, TargetField
from signaalwissel.sources.profile_model import Condition, FieldMapping
from signaalwissel.sources.rows import Cell

Cells = Mapping[str, Cell]
FieldReader = Callable[[Cells, Mapping[str, Any]], Any]
Digest = Callable[[str, bytes], bytes]
_Codes = Mapping[str, Mapping[str, str]]


def reader_of(
    field: TargetField,
    mapping: FieldMapping,
    codes: _Codes,
    lookups: _Codes,
    surroundings: tuple[frozenset[str], Digest],
) -> FieldReader:
    """The reader of a field; it raises Rejected without the field's name, which its caller knows.

    Args:
        field: What it must become.
        mapping: Where it comes from.
        codes: The profile's code lists.
        lookups: Its second files.
        surroundings: Words that mean an empty cell, in lower case; and the keyed digest for derived ids.
    """
    empty, digest = surroundings
    if mapping.derive:
        found = _derived(mapping.derive, empty, digest)
    elif mapping.constant is not None:
        found = _constant(field, mapping)
    else:
        listed = None if mapping.codes is None else {folded(k): v for k, v in codes[mapping.codes].items()}
        table = None if mapping.lookup is None else lookups[mapping.lookup]
        found = _column(field, mapping, (listed, table), empty)
    return found if mapping.only_if is None else _conditional(found, mapping.only_if)


def _constant(field: TargetField, mapping: FieldMapping) -> FieldReader:
    constant = mapping.constant
    value = values_of.municipality(str(constant)) if field.type is CellType.MUNICIPALITY else constant
    return lambda _cells, _before: value


def _derived(columns: tuple[str, ...], empty: frozenset[str], digest: Digest) -> FieldReader:
    def read(cells: Cells, before: Mapping[str, Any]) -> str:
        parts = [_text(cells.get(column), empty) for column in columns]
        if all(part is None for part in parts):
            raise Rejected(
                RejectionCode.MISSING_FIELD, None, "the columns it is derived from must not all be empty"
            )
        # A key per municipality: outside it the id tells nothing of what it is made of.
        return digest(before.get("municipality") or "", json.dumps(parts).encode()).hex()

    return read


def _column(
    field: TargetField,
    mapping: FieldMapping,
    tables: tuple[Mapping[str, str] | None, Mapping[str, str] | None],
    empty: frozenset[str],
) -> FieldReader:
    column, required = mapping.column or "", mapping.required
    extract = None if mapping.extract is None else re.compile(mapping.extract)
    convert = _conversion(field, mapping)

    def read(cells: Cells, _before: Mapping[str, Any]) -> Any:
        cell = cells.get(column)
        found = _text(cell, empty)
        if found is None:
            if required:
                raise Rejected(RejectionCode.MISSING_FIELD, None, "must be there")
            return None
        if extract is not None:
            cell = found = _extracted(extract, found)
        try:
            # A second file's value is in its turn what the code list reads.
            return convert(cell, _coded(found, tables, mapping.otherwise))
        except Unfit as unfit:
            raise Rejected(RejectionCode.INVALID_FIELD, None, str(unfit)) from None

    return read


def _conditional(reader: FieldReader, condition: Condition) -> FieldReader:
    wanted = {folded(one) for one in condition.one_of}

    def read(cells: Cells, before: Mapping[str, Any]) -> Any:
        found = _text(cells.get(condition.column), frozenset())
        return reader(cells, before) if found is not None and folded(found) in wanted else None

    return read


def _conversion(field: TargetField, mapping: FieldMapping) -> Callable[[Cell, str], Any]:
    conversions: dict[CellType, Callable[[Cell, str], Any]] = {
        CellType.TEXT: lambda _cell, found: found if mapping.pad is None else found.zfill(mapping.pad),
        CellType.CODE: lambda _cell, found: found,
        CellType.BSN: lambda _cell, found: values_of.bsn(found),
        CellType.MUNICIPALITY: lambda _cell, found: values_of.municipality(found),
        CellType.INTEGER: lambda _cell, found: values_of.whole(found),
        CellType.MONEY: lambda cell, found: values_of.money(cell, found, mapping.decimal),
        CellType.DAY: lambda cell, found: values_of.day(cell, found, mapping.dates, serial=mapping.serial),
        CellType.MOMENT: lambda cell, found: values_of.moment(cell, found, mapping.dates),
        CellType.FLAG: lambda _cell, found: found == "true",
    }
    return conversions[field.type]


def _text(cell: Cell, empty: frozenset[str]) -> str | None:
    try:
        return values_of.text(cell, empty)
    except Unfit as unfit:
        raise Rejected(RejectionCode.INVALID_FIELD, None, str(unfit)) from None


def _extracted(pattern: re.Pattern[str], found: str) -> str:
    match = pattern.search(found)
    if match is None:
        raise Rejected(RejectionCode.INVALID_FIELD, None, "must have the form that the profile takes it from")
    return match[1] or ""


def _coded(
    found: str, tables: tuple[Mapping[str, str] | None, Mapping[str, str] | None], otherwise: str | None
) -> str:
    codes, lookup = tables
    for table, said in ((lookup, "must stand in the second file"), (codes, "must be a code of the list")):
        if table is None:
            continue
        value = table.get(folded(found))
        if value is None:
            if otherwise is None:
                raise Unfit(said)
            value = otherwise
        found = value
    return found
