"""Random value objects, built from the committed schemas themselves, and an independent Avro encoding of them.

In: a schema's name. Out: strategies of its value objects, and the same record as fastavro knows it with the original
`.avsc`, logical types included: what our codecs write must be what fastavro writes.
"""

import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any

import fastavro
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from signaalwissel.schemas import followup, imports, internal, rotation, routing, signal, trajectory
from signaalwissel.schemas.contract import SchemaVersion, codec, versions
from signaalwissel.schemas.wire_format import schema_id_of

BY_HAND_ONLY = "KeyedSignal"
"""Its value object holds a block of fields unopened, which no generic codec can know."""
NAMES = tuple(sorted({version.name for version in versions()}))
GENERIC = tuple(name for name in NAMES if name != BY_HAND_ONLY)

# No deadline and no complaint about slow data: a busy machine is no failure.
EXAMPLES = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FASTAVRO_PADS = frozenset(-(2 ** (8 * size - 1)) for size in range(1, 6))
"""Decimals that fastavro writes with one byte more than two's complement needs; Java and we do not."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999
_MODULES = (signal, trajectory, routing, followup, internal, rotation, imports)
_PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=40),
    "bytes": st.binary(max_size=40),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
}


def schema_of(name: str) -> dict[str, Any]:
    """The newest committed schema of a record, as its file has it."""
    return [version.schema for version in versions() if version.name == name][-1]


def class_of(name: str) -> Any:
    """The NamedTuple or enum that bears a schema's name."""
    return next(vars(module)[name] for module in _MODULES if name in vars(module))


def named_types(node: Any) -> dict[str, dict[str, Any]]:
    """Every record and enum defined in a schema, by name."""
    if isinstance(node, list):
        return {name: found for part in node for name, found in named_types(part).items()}
    if not isinstance(node, dict):
        return {}
    found = {node["name"]: node} if node["type"] in {"record", "enum"} else {}
    below = [field["type"] for field in node.get("fields", ())] + [node.get("items")]
    return found | named_types(below)


def written_out(node: Any, named: Mapping[str, Any]) -> Any:
    """A schema without its docs, every name replaced by what it stands for."""
    if isinstance(node, list):
        return [written_out(part, named) for part in node]
    if isinstance(node, str):
        return written_out(named[node], named) if node in named else node
    if isinstance(node, dict):
        parts = {key: value for key, value in node.items() if key not in {"doc", "namespace"}}
        plain = {"name", "symbols", "default"}
        return {key: value if key in plain else written_out(value, named) for key, value in parts.items()}
    return node


@cache
def records(name: str) -> st.SearchStrategy[Any]:
    """Any value object of a record."""
    schema = schema_of(name)
    return _values(schema, named_types(schema))


def _values(node: Any, named: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if isinstance(node, list):
        return st.one_of(st.none(), _values(next(part for part in node if part != "null"), named))
    if isinstance(node, str):
        return _values(named[node], named) if node in named else _PRIMITIVES[node]
    if "logicalType" in node:
        return _logical_values(node)
    if node["type"] == "array":
        return st.lists(_values(node["items"], named), max_size=3).map(tuple)
    if node["type"] == "enum":
        return st.sampled_from(class_of(node["name"]))
    fields = {field["name"]: _values(field["type"], named) for field in node["fields"]}
    return st.builds(class_of(node["name"]), **fields)


def _logical_values(node: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if node["logicalType"] == "decimal":
        limit = 10 ** int(node["precision"]) - 1
        return st.integers(-limit, limit).filter(lambda value: value not in FASTAVRO_PADS)
    if node["logicalType"] == "date":
        return st.dates()
    return st.integers(_FIRST_MS, _LAST_MS)


def as_fastavro(name: str, record: Any) -> dict[str, Any]:
    """The record as fastavro takes and gives it with the original schema."""
    schema = schema_of(name)
    plain: dict[str, Any] = _plain(schema, record, named_types(schema))
    return plain


def _plain(node: Any, value: Any, named: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        some = next(part for part in node if part != "null")
        return None if value is None else _plain(some, value, named)
    if isinstance(node, str):
        return _plain(named[node], value, named) if node in named else value
    if "logicalType" in node:
        return _logical_plain(node, value)
    if node["type"] == "array":
        return [_plain(node["items"], item, named) for item in value]
    if node["type"] == "enum":
        return value.value if isinstance(value, StrEnum) else value
    return {
        field["name"]: _plain(field["type"], getattr(value, field["name"]), named) for field in node["fields"]
    }


def _logical_plain(node: Mapping[str, Any], value: Any) -> Any:
    if node["logicalType"] == "decimal":
        return Decimal(value).scaleb(-int(node["scale"]))
    if node["logicalType"] == "timestamp-millis":
        return _EPOCH + timedelta(milliseconds=value)
    return value


@cache
def original(name: str) -> Any:
    """The newest committed schema, parsed by fastavro with its logical types."""
    return fastavro.parse_schema(schema_of(name))


def fastavro_body(name: str, plain: Mapping[str, Any]) -> bytes:
    """The Avro body that fastavro writes with the original schema."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, original(name), plain)
    return out.getvalue()


def fastavro_bytes(name: str, record: Any) -> bytes:
    """The record in wire format, body written by fastavro with the original schema."""
    return codec(name).header + fastavro_body(name, as_fastavro(name, record))


def fastavro_bytes_of(version: SchemaVersion, record: Any) -> bytes:
    """The record in wire format, body written by fastavro with one version of its original schema."""
    out = io.BytesIO()
    fastavro.schemaless_writer(
        out, fastavro.parse_schema(version.schema), as_fastavro(version.name, record), strict=False
    )
    return b"\x00" + version.schema_id.to_bytes(4, "big") + out.getvalue()


def version_of(data: bytes) -> SchemaVersion:
    """The version with which a record in wire format was written."""
    return next(version for version in versions() if version.schema_id == schema_id_of(data))
