"""JSON against the Avro schemas: a line's value in; dates, moments and decimals out, or the fields that do not fit."""

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).parents[2] / "schemas"
_RANGES = {"int": 2**31, "long": 2**63}


class Misfit(ValueError):
    """A value that is not of its field's type."""


@cache
def schema(name: str) -> dict[str, Any]:
    """One schema with every named type written out wherever it is used."""
    named: dict[str, Any] = {}

    def expand(node: Any) -> Any:
        if isinstance(node, str):
            return named.get(node, {"type": node})
        if isinstance(node, list):
            return [expand(branch) for branch in node]
        node = dict(node)
        if node["type"] in ("record", "enum"):
            named[node["name"]] = node
        if node["type"] == "record":
            node["fields"] = [{**field, "type": expand(field["type"])} for field in node["fields"]]
        elif node["type"] == "array":
            node["items"] = expand(node["items"])
        return node

    document: dict[str, Any] = json.loads((SCHEMAS / f"{name}.v1.avsc").read_text(encoding="utf-8"))
    expanded: dict[str, Any] = expand(document)
    return expanded


def read(name: str, value: object) -> tuple[dict[str, Any], list[str | None]]:
    """The record and the dotted names of the fields that do not fit; the record lacks those."""
    misfits: list[str | None] = []
    record = _read(schema(name), value, "", misfits)
    return (record if isinstance(record, dict) else {}), misfits


def _read(node: Any, value: Any, path: str, misfits: list[str | None]) -> Any:
    if isinstance(node, list):
        if value is None:
            return None
        node = next(branch for branch in node if branch["type"] != "null")
    try:
        if node["type"] == "record":
            return _read_record(node, value, path, misfits)
        if node["type"] == "array":
            return _read_array(node, value, path, misfits)
        return _read_scalar(node, value)
    except Misfit:
        misfits.append(path or None)
        return None


def _read_record(node: Any, value: Any, path: str, misfits: list[str | None]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Misfit
    record = {}
    for field in node["fields"]:
        name = f"{path}.{field['name']}" if path else field["name"]
        if field["name"] in value:
            record[field["name"]] = _read(field["type"], value[field["name"]], name, misfits)
        elif "default" in field:
            record[field["name"]] = field["default"]
        else:
            misfits.append(name)
    return record


def _read_array(node: Any, value: Any, path: str, misfits: list[str | None]) -> list[Any]:
    if not isinstance(value, list):
        raise Misfit
    return [_read(node["items"], item, f"{path}[{n}]", misfits) for n, item in enumerate(value)]


def _read_scalar(node: Any, value: Any) -> Any:
    kind = node.get("logicalType", node["type"])
    if kind == "boolean":
        if isinstance(value, bool):
            return value
    elif kind in _RANGES:
        bound = _RANGES[kind]
        if isinstance(value, int) and not isinstance(value, bool) and -bound <= value < bound:
            return value
    elif isinstance(value, str):
        return _read_text(node, kind, value)
    raise Misfit


def _read_text(node: Any, kind: str, value: str) -> Any:
    try:
        if kind == "date" and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            return date.fromisoformat(value)
        if kind == "timestamp-millis":
            return _read_moment(value)
    except ValueError as error:
        raise Misfit from error
    if kind == "decimal" and re.fullmatch(r"-?[0-9]{1,10}(\.[0-9]{1,2})?", value):
        return Decimal(value)
    if kind == "string" or (kind == "enum" and value in node["symbols"]):
        return value
    raise Misfit


def _read_moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if "T" not in value or moment.tzinfo is None:
        raise Misfit
    try:
        moment = moment.astimezone(UTC)
    except OverflowError as error:
        raise Misfit from error
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
