"""The contract: the committed `.avsc` files, their fixed ids and the value object of each.

Bytes in, value object out, and back: `encode` and `decode` speak the schema-registry wire format (magic byte 0,
schema id in four bytes big-endian, Avro body); `from_json` and `to_json` the JSON form. A record written with an
older version of its schema is read with Avro's own resolution rules.
"""

import io
import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Generic, NamedTuple, TypeVar

import fastavro
from signaalwissel.schemas import followup, imports, internal, rotation, routing, signal, trajectory
from signaalwissel.schemas.diagnosis import first_unreadable
from signaalwissel.schemas.errors import DoesNotFit, UnknownSchemaId
from signaalwissel.schemas.older import Older, lacking, only_lacks, parsed_schema
from signaalwissel.schemas.primitives import BROKEN
from signaalwissel.schemas.shape import RecordShape, Shape, shape_of
from signaalwissel.schemas.wire_format import HEADER_SIZE, schema_id_of

Record = TypeVar("Record")

PUBLIC_ID_MAX = 100
"""The largest fixed id of a record on a public topic; records of our own topics and tables come after it."""
_HEADER = struct.Struct(">bI")
_PACKAGE = "signaalwissel.schemas"

# Everything that a body which does not fit its schema makes fastavro raise.
_UNREADABLE = (
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    struct.error,
    MemoryError,
)
_UNWRITABLE = (ValueError, TypeError, OverflowError)


class SchemaVersion(NamedTuple):
    """One committed `.avsc` file: `name.vN.avsc`."""

    name: str
    version: int
    schema_id: int
    schema: dict[str, Any]


class WireIds(NamedTuple):
    """The ids that one record has on the wire where a schema registry hands them out.

    Attributes:
        writes: The id of each version.
        reads: The version by every id that may stand before its body.
    """

    writes: Mapping[int, int]
    reads: Mapping[int, int]


_registry_ids: dict[str, WireIds] = {}


@dataclass(frozen=True)
class Codec(Generic[Record]):
    """Bytes and JSON to the value object of one schema, and back."""

    name: str
    schema_id: int
    header: bytes
    parsed: Any
    writers: Mapping[int, Any]
    shape: Shape
    older: tuple[Older, ...] = ()

    def encode(self, record: Record) -> bytes:
        """The record in wire format, written with the oldest version of its schema that holds all that it says.

        So whoever does not know the newest version goes on reading what needs none of it: a reader may be upgraded
        after a writer.

        Raises:
            DoesNotFit: It holds a value that the schema cannot carry.
        """
        plain = self._plain(record)
        for version in self.older:
            if all(plain[field] == default for field, default in version.lacks.items()):
                return self._written(version.header, version.parsed, plain)
        return self._written(self.header, self.parsed, plain)

    def encode_body(self, record: Record) -> bytes:
        """The Avro body alone, of the newest version, for what is sealed."""
        return self._written(b"", self.parsed, self._plain(record))

    def _plain(self, record: Record) -> Any:
        try:
            return self.shape.to_avro(record)
        except _UNWRITABLE:
            raise self._unwritable() from None

    def _written(self, header: bytes, schema: Any, plain: Any) -> bytes:
        out = io.BytesIO(header)
        out.seek(len(header))
        try:
            fastavro.schemaless_writer(out, schema, plain)
        except _UNWRITABLE:
            raise self._unwritable() from None
        return out.getvalue()

    def _unwritable(self) -> DoesNotFit:
        # Raised without its cause: fastavro tells the value, which may be a person's.
        return DoesNotFit("", f"holds a value that {self.name} cannot carry")

    def decode(self, data: bytes) -> Record:
        """The record in `data`.

        Raises:
            NotWireFormat: No magic byte and schema id.
            UnknownSchemaId: The id is not one of this record's versions.
            DoesNotFit: The body is truncated, goes on after its end, or does not fit.
        """
        schema_id = schema_id_of(data)
        if schema_id not in self.writers:
            raise UnknownSchemaId(schema_id, self.name)
        return self._read(data, HEADER_SIZE, self.writers[schema_id])

    def decode_by_hand(self, data: bytes, read_body: Callable[[bytes, int], tuple[Record, int]]) -> Record:
        """The record in `data`, read by a hand-written reader of the newest version.

        An older version, and whatever that reader cannot read to the last byte, goes the way of `decode`: it reads
        what other writers may write and raises with the field.

        Args:
            data: The record in wire format.
            read_body: From the bytes and the position of the body to the record and the position after it.

        Raises:
            NotWireFormat, UnknownSchemaId, DoesNotFit: As `decode`.
        """
        if schema_id_of(data) == self.schema_id:
            try:
                record, at = read_body(data, HEADER_SIZE)
            except BROKEN:
                return self.decode(data)
            if at == len(data):
                return record
        return self.decode(data)

    def decode_body(self, body: bytes) -> Record:
        """The record in an Avro body without header, written with the newest version."""
        return self._read(body, 0, self.parsed)

    def from_json(self, plain: Any) -> Record:
        """The record in its JSON form; raises DoesNotFit with the path of the field."""
        record: Record = self.shape.from_json(plain)
        return record

    def to_json(self, record: Record) -> dict[str, Any]:
        """The JSON form: field names of the schema, absent = null."""
        plain: dict[str, Any] = self.shape.to_json(record)
        return plain

    def _read(self, data: bytes, start: int, writer: Any) -> Record:
        source = io.BytesIO(data)
        source.seek(start)
        reader = None if writer is self.parsed else self.parsed
        try:
            plain = fastavro.schemaless_reader(source, writer, reader)
        except _UNREADABLE:
            finding = first_unreadable(data, start, writer)
            raise finding or DoesNotFit("", f"is not an Avro body of {self.name}") from None
        if source.tell() != len(data):
            raise DoesNotFit("", f"goes on for {len(data) - source.tell()} bytes after its end")
        record: Record = self.shape.from_avro(plain)
        return record


@cache
def versions() -> tuple[SchemaVersion, ...]:
    """Every committed schema version, oldest first."""
    folder = resources.files(_PACKAGE)
    ids: dict[str, int] = json.loads((folder / "ids.json").read_text("utf-8"))
    found = []
    for key, schema_id in ids.items():
        name, version = key.rsplit(".v", 1)
        schema = json.loads((folder / f"{key}.avsc").read_text("utf-8"))
        found.append(SchemaVersion(name, int(version), schema_id, schema))
    return tuple(sorted(found))


def public_versions() -> tuple[SchemaVersion, ...]:
    """The versions of records on public topics, in the order of their fixed ids."""
    public = (version for version in versions() if version.schema_id <= PUBLIC_ID_MAX)
    return tuple(sorted(public, key=lambda version: version.schema_id))


def use_registry_ids(ids: Mapping[str, WireIds]) -> None:
    """Put the ids of a schema registry in the place of the fixed ones, by the name of the record.

    For the start of a process, before it reads or writes a record: a codec that somebody holds keeps the ids that it
    was made with. Records that are not named keep their fixed ids; without any, all have them again.
    """
    _registry_ids.clear()
    _registry_ids.update(ids)
    codec.cache_clear()


@cache
def codec(name: str) -> Codec[Any]:
    """The codec of a record by its schema's name; one for the process, as it holds nothing but the schema."""
    mine = [version for version in versions() if version.name == name]
    latest = mine[-1]
    named: dict[str, Shape] = {}
    shape = shape_of(latest.schema, _classes(), named)
    ids = _wire_ids(name, mine)
    parsed = {version.version: parsed_schema(version.schema) for version in mine}
    headers = {version: _HEADER.pack(0, schema_id) for version, schema_id in ids.writes.items()}
    return Codec(
        name=name,
        schema_id=ids.writes[latest.version],
        header=headers[latest.version],
        parsed=parsed[latest.version],
        writers={schema_id: parsed[version] for schema_id, version in ids.reads.items()},
        shape=shape,
        older=tuple(
            Older(headers[one.version], parsed[one.version], lacking(one.schema, latest.schema))
            for one in mine[:-1]
            if one.version in headers and only_lacks(one.schema, latest.schema)
        ),
    )


def record_names(schema_id: int) -> tuple[str, ...]:
    """The records that `schema_id` may belong to, those of public topics first; raises UnknownSchemaId for none.

    More than one only where a schema registry gave a public record the number that a record of ours has for itself.
    """
    public = [name for name, ids in _registry_ids.items() if schema_id in ids.reads]
    fixed = [
        version.name
        for version in versions()
        if version.schema_id == schema_id and version.name not in _registry_ids
    ]
    if not public and not fixed:
        raise UnknownSchemaId(schema_id)
    return (*public, *fixed)


def record_name(schema_id: int) -> str:
    """The first of `record_names`."""
    return record_names(schema_id)[0]


def field_names(name: str) -> tuple[str, ...]:
    """The fields of a record in the order of its schema."""
    shape = codec(name).shape
    if not isinstance(shape, RecordShape):
        raise TypeError(f"{name} is not a record")
    return tuple(shape.fields)


def _wire_ids(name: str, mine: list[SchemaVersion]) -> WireIds:
    fixed = {version.version: version.schema_id for version in mine}
    return _registry_ids.get(
        name, WireIds(fixed, {schema_id: version for version, schema_id in fixed.items()})
    )


@cache
def _classes() -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for module in (signal, trajectory, routing, followup, internal, rotation, imports):
        found |= {name: value for name, value in vars(module).items() if isinstance(value, type)}
    return found
