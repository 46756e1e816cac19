"""Whether two texts are one Avro schema: a registry may write a schema otherwise than its file does.

In: schemas as JSON gives them. Out: yes or no. Names count in full, documentation and the order of keys do not; unlike
Avro's parsing canonical form, logical types, defaults and aliases count.
"""

from typing import Any

from fastavro.schema import SchemaParseException, UnknownType, parse_schema

_MARKS = ("__fastavro_parsed__", "__named_schemas__", "doc", "namespace")


def same_schema(one: Any, other: Any) -> bool:
    """Whether both say the same; False for what is no Avro schema."""
    try:
        return bool(_plain(_parsed(one)) == _plain(_parsed(other)))
    except (SchemaParseException, UnknownType, KeyError, TypeError, ValueError):
        return False


def _parsed(schema: Any) -> Any:
    return parse_schema(schema, named_schemas={})


def _plain(node: Any) -> Any:
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    left = {key: _plain(value) for key, value in node.items() if key not in _MARKS}
    # {"type": "string"} and "string" are one type.
    return left["type"] if left.keys() == {"type"} else left
