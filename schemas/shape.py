"""Shapes: a value object, Avro's plain form and the JSON form of one schema node, and the way between them.

In: a parsed Avro schema and the classes that bear its names. Out: a tree of small converters. Fastavro reads
and writes the plain form (ints, bytes, dicts; logical types left to us, because its datetime and Decimal objects
cost more than the whole record); the JSON form is the one every command and file speaks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.primitives import INT_BOUND
from signaalwissel.schemas.scalars import (
    REQUIRED,
    BooleanShape,
    BytesShape,
    DateShape,
    DecimalShape,
    EnumShape,
    IntegerShape,
    TextShape,
    TimestampShape,
)

_BOUNDS = {"int": INT_BOUND, "long": 2**63}


class Shape(Protocol):
    """Converter of one schema node. Every method raises DoesNotFit with the path below this node."""

    @property
    def absent(self) -> Any:
        """What a missing field means in JSON input: a value, or REQUIRED."""

    def from_avro(self, plain: Any) -> Any:
        """The value of Avro's plain form."""

    def to_avro(self, value: Any) -> Any:
        """Avro's plain form of the value."""

    def from_json(self, plain: Any) -> Any:
        """The value of the JSON form."""

    def to_json(self, value: Any) -> Any:
        """The JSON form of the value."""


@dataclass(frozen=True)
class OptionalShape:
    """A union of null and one other shape; JSON carries the plain value."""

    some: Shape
    absent: Any = None

    def from_avro(self, plain: Any) -> Any:
        return None if plain is None else self.some.from_avro(plain)

    def to_avro(self, value: Any) -> Any:
        return None if value is None else self.some.to_avro(value)

    def from_json(self, plain: Any) -> Any:
        return None if plain is None else self.some.from_json(plain)

    def to_json(self, value: Any) -> Any:
        return None if value is None else self.some.to_json(value)


@dataclass(frozen=True)
class ArrayShape:
    """An array; missing in JSON input means empty."""

    item: Shape
    absent: Any = ()

    def from_avro(self, plain: Sequence[Any]) -> tuple[Any, ...]:
        return self._each(plain, self.item.from_avro)

    def to_avro(self, value: Sequence[Any]) -> list[Any]:
        return [self.item.to_avro(item) for item in value]

    def from_json(self, plain: Any) -> tuple[Any, ...]:
        if not isinstance(plain, list):
            raise DoesNotFit("", "must be a list")
        return self._each(plain, self.item.from_json)

    def to_json(self, value: Sequence[Any]) -> list[Any]:
        return [self.item.to_json(item) for item in value]

    @staticmethod
    def _each(plain: Sequence[Any], convert: Any) -> tuple[Any, ...]:
        converted = []
        for index, item in enumerate(plain):
            try:
                converted.append(convert(item))
            except DoesNotFit as finding:
                raise finding.within(f"[{index}]") from None
        return tuple(converted)


@dataclass(frozen=True)
class RecordShape:
    """A record as a NamedTuple whose fields have the schema's names and order."""

    make: Any
    fields: Mapping[str, Shape]
    absent: Any = REQUIRED

    def from_avro(self, plain: Mapping[str, Any]) -> Any:
        values = []
        for name, shape in self.fields.items():
            try:
                values.append(shape.from_avro(plain[name]))
            except DoesNotFit as finding:
                raise finding.within(name) from None
        return self.make(*values)

    def to_avro(self, value: Any) -> dict[str, Any]:
        return {
            name: shape.to_avro(item) for (name, shape), item in zip(self.fields.items(), value, strict=True)
        }

    def from_json(self, plain: Any) -> Any:
        if not isinstance(plain, dict):
            raise DoesNotFit("", "must be an object")
        unknown = plain.keys() - self.fields.keys()
        if unknown:
            # The name itself may hold anything, a person's data too: count, do not quote.
            raise DoesNotFit("", f"has {len(unknown)} field(s) that the schema does not know")
        values = []
        for name, shape in self.fields.items():
            given = plain.get(name)
            if given is None:
                values.append(_absent(name, shape))
                continue
            try:
                values.append(shape.from_json(given))
            except DoesNotFit as finding:
                raise finding.within(name) from None
        return self.make(*values)

    def to_json(self, value: Any) -> dict[str, Any]:
        return {
            name: shape.to_json(item) for (name, shape), item in zip(self.fields.items(), value, strict=True)
        }


def _absent(name: str, shape: Shape) -> Any:
    if shape.absent is REQUIRED:
        raise DoesNotFit(name, "is required")
    return shape.absent


def shape_of(node: Any, classes: Mapping[str, Any], named: dict[str, Shape] | None = None) -> Shape:
    """The shape of a schema node.

    Args:
        node: A node of a schema as JSON gives it.
        classes: The NamedTuple or enum class for each record and enum name.
        named: Shapes of the named types seen so far, by name; filled as the tree is walked.
    """
    named = {} if named is None else named
    if isinstance(node, list):
        return OptionalShape(shape_of(next(part for part in node if part != "null"), classes, named))
    if isinstance(node, str):
        return named[node] if node in named else _primitive(node)
    if "logicalType" in node:
        return _logical(node)
    if node["type"] == "array":
        return ArrayShape(shape_of(node["items"], classes, named))
    if node["type"] == "enum":
        named[node["name"]] = EnumShape({s: classes[node["name"]](s) for s in node["symbols"]})
        return named[node["name"]]
    fields = {field["name"]: shape_of(field["type"], classes, named) for field in node["fields"]}
    named[node["name"]] = RecordShape(classes[node["name"]], fields)
    return named[node["name"]]


def _primitive(name: str) -> Shape:
    if name in _BOUNDS:
        return IntegerShape(_BOUNDS[name])
    plain: dict[str, Shape] = {"string": TextShape(), "boolean": BooleanShape(), "bytes": BytesShape()}
    return plain[name]


def _logical(node: Mapping[str, Any]) -> Shape:
    if node["logicalType"] == "decimal":
        return DecimalShape(node["precision"], node["scale"])
    logical: dict[str, Shape] = {"date": DateShape(), "timestamp-millis": TimestampShape()}
    return logical[node["logicalType"]]
