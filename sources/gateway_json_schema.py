"""JSON Schema, as OpenAPI 3.0 writes it, of an Avro schema.

In: a node of a committed schema. Out: the schema of its JSON form.
"""

from collections.abc import Mapping
from typing import Any

_Schema = dict[str, Any]

_PRIMITIVES: Mapping[str, _Schema] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "int": {"type": "integer", "format": "int32"},
    "long": {"type": "integer", "format": "int64"},
    "bytes": {"type": "string", "format": "byte"},
}
_LOGICAL: Mapping[str, _Schema] = {
    "date": {"type": "string", "format": "date"},
    "timestamp-millis": {"type": "string", "format": "date-time"},
    "decimal": {"type": "string", "pattern": r"^[0-9]{1,10}(\.[0-9]{1,2})?$"},
}


def json_schema(node: Any, named: dict[str, _Schema]) -> _Schema:
    """The JSON Schema of an Avro node; named types go into `named`."""
    if isinstance(node, list):
        found = json_schema(next(part for part in node if part != "null"), named)
        if "$ref" not in found:
            return {**found, "nullable": True}
        kind = named[found["$ref"].rsplit("/", 1)[1]]["type"]
        return {"type": kind, "nullable": True, "allOf": [found]}
    if isinstance(node, str):
        return {"$ref": f"#/components/schemas/{node}"} if node in named else dict(_PRIMITIVES[node])
    if "logicalType" in node:
        return dict(_LOGICAL[node["logicalType"]])
    if node["type"] == "array":
        return {"type": "array", "items": json_schema(node["items"], named)}
    described = {"description": node["doc"]} if "doc" in node else {}
    if node["type"] == "enum":
        named[node["name"]] = {"type": "string", "enum": node["symbols"], **described}
    else:
        required = [field["name"] for field in node["fields"] if "default" not in field]
        named[node["name"]] = {
            "type": "object",
            "additionalProperties": False,
            # OpenAPI knows no empty list here.
            **({"required": required} if required else {}),
            "properties": {field["name"]: _property(field, named) for field in node["fields"]},
            **described,
        }
    return {"$ref": f"#/components/schemas/{node['name']}"}


def _property(field: Mapping[str, Any], named: dict[str, _Schema]) -> _Schema:
    found = json_schema(field["type"], named)
    text = {"description": field["doc"]} if "doc" in field else {}
    return {"allOf": [found], **text} if "$ref" in found else {**found, **text}
