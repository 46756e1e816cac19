"""Older versions of a schema, and what a newer one has beside them.

In: schemas as their files have them. Out: schemas as fastavro takes them, and what an older version lacks.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import fastavro


class Older(NamedTuple):
    """An older version of a record's schema, as it is written.

    Attributes:
        header: Magic byte and id.
        parsed: The schema.
        lacks: The fields that came later, each with the default that its absence means.
    """

    header: bytes
    parsed: Any
    lacks: Mapping[str, Any]


def only_lacks(older: Mapping[str, Any], newest: Mapping[str, Any]) -> bool:
    """Whether an older version differs in nothing but fields that came later: then it says the same without them."""
    known = _names(older)
    return bool([field for field in newest["fields"] if field["name"] in known] == older["fields"])


def lacking(older: Mapping[str, Any], newest: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a newer version that an older one has not, with their defaults."""
    known = _names(older)
    return {field["name"]: field["default"] for field in newest["fields"] if field["name"] not in known}


def parsed_schema(schema: dict[str, Any]) -> Any:
    """The schema for fastavro, without logical types: it hands over ints and bytes, and the shapes do the rest."""
    return fastavro.parse_schema(_without_logical_types(schema))


def _names(schema: Mapping[str, Any]) -> set[str]:
    return {field["name"] for field in schema["fields"]}


def _without_logical_types(node: Any) -> Any:
    if isinstance(node, dict):
        if "logicalType" in node:
            return node["type"]
        return {key: _without_logical_types(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_without_logical_types(item) for item in node]
    return node
