"""Nested exports: JSON and XML, one record at a time.

In: a file and where its rows are. Out: rows whose cells are named by their path (`client.0.Postcode`); values around
the rows bear a `^` before it (`^leveringen.item.gemeentecode`). Entities, DTDs and external files of XML are refused.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element, ParseError

import ijson
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse
from signaalwissel.sources.profile_model import Source
from signaalwissel.sources.rows import (
    CELLS_MAX,
    DEPTH_MAX,
    OUTER,
    Cell,
    FileUnreadable,
    Row,
    flattened,
    refused,
)

_BOM = b"\xef\xbb\xbf"
_OUTER_MAX = 1_000
_SCALARS = frozenset({"string", "number", "boolean", "null"})


def json_rows(file: Path, source: Source) -> Iterator[Row]:
    """The rows of a JSON file.

    Raises:
        FileUnreadable: It is no JSON, ends in the middle, or has no list where the profile says.
    """
    number = 0
    found = False
    with file.open("rb") as opened:
        _skip_bom(opened)
        reading = _JsonRecords(source.records or "")
        events = ijson.parse(opened)
        while True:
            try:
                event = next(events, None)
            except (ijson.JSONError, ValueError, UnicodeError, RecursionError) as error:
                raise FileUnreadable("cannot be read on as JSON in UTF-8", number + 1) from error
            if event is None:
                break
            found = found or event[0] == reading.list_at
            item = reading.take(*event)
            if item is not None:
                number += 1
                yield (
                    refused(number, "is too large")
                    if item is _TOO_LARGE
                    else flattened(number, item, reading.outer)
                )
    if not found:
        raise FileUnreadable(f"has no list {reading.list_at}")


def xml_rows(file: Path, source: Source) -> Iterator[Row]:
    """The rows of an XML file.

    Raises:
        FileUnreadable: It is no XML, has a DTD or entities, ends in the middle, or has no such element.
    """
    number = 0
    above: list[Element] = []
    outer: dict[str, Cell] = {}
    inside: Element | None = None
    size = 0
    try:
        for event, element in iterparse(str(file), events=("start", "end"), forbid_dtd=True):
            if event == "start":
                above.append(element)
                if inside is None and _name(element) == source.records:
                    inside, size = element, 0
                continue
            above.pop()
            size += 1 + len(element.attrib)
            if inside is not None and element is inside:
                number += 1
                too_large = size > CELLS_MAX
                yield (
                    refused(number, "is too large") if too_large else flattened(number, _tree(element), outer)
                )
                inside = None
            elif inside is None and len(element) == 0 and len(outer) < _OUTER_MAX:
                path = ".".join(_name(one) for one in (*above[1:], element))
                outer[OUTER + path] = element.text
            if above and (inside is None or size > CELLS_MAX):
                # What was read must not pile up under its parent; of a row that is refused nothing more is kept.
                above[-1].remove(element)
    except DefusedXmlException as error:
        raise FileUnreadable("must have no DTD and no entities", number + 1) from error
    except (ParseError, LookupError, ValueError, RecursionError) as error:
        raise FileUnreadable("cannot be read on as XML", number + 1) from error
    if not number:
        raise FileUnreadable(f"has no element {source.records}")


_TOO_LARGE = object()


class _JsonRecords:
    """Builds the records under a prefix, and keeps the values around them."""

    def __init__(self, records: str) -> None:
        self.list_at = records
        self.outer: dict[str, Cell] = {}
        self._item = f"{records}.item" if records else "item"
        self._builder: ijson.ObjectBuilder | None = None
        self._events = 0

    def take(self, prefix: str, event: str, value: Any) -> Any:
        """Take the next event; gives a record when it is whole, None otherwise."""
        if self._builder is None:
            if prefix != self._item:
                self._around(prefix, event, value)
                return None
            if event != "start_map":
                return {} if event in _SCALARS else None
            self._builder, self._events = ijson.ObjectBuilder(), 0
        self._events += 1
        if self._events <= CELLS_MAX:
            self._builder.event(event, value)
        if prefix == self._item and event == "end_map":
            whole, self._builder = self._builder, None
            return _TOO_LARGE if self._events > CELLS_MAX else whole.value
        return None

    def _around(self, prefix: str, event: str, value: Any) -> None:
        if event == "start_map":
            # The next delivery has values of its own.
            self.outer = {k: v for k, v in self.outer.items() if not k.startswith(f"{OUTER}{prefix}.")}
        elif event in _SCALARS and len(self.outer) < _OUTER_MAX:
            self.outer[OUTER + prefix] = value


def _skip_bom(opened: BinaryIO) -> None:
    if opened.read(len(_BOM)) != _BOM:
        opened.seek(0)


def _name(element: Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def _tree(element: Element, depth: int = 0) -> Any:
    """An element as nested values: attributes as `@name`, the same child again as a list besides the first."""
    if depth > DEPTH_MAX:
        return None
    found: dict[str, Any] = {f"@{name.rsplit('}', 1)[-1]}": value for name, value in element.attrib.items()}
    for child in element:
        name, value = _name(child), _tree(child, depth + 1)
        if isinstance(value, dict) and not value:
            value = None
        listed = found.setdefault(f"{name}[]", [])
        listed.append(value)
        found.setdefault(name, value)
    if not found:
        return element.text
    return found
