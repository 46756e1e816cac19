"""BACKWARD compatibility of schema versions: can a reader of the new one read what was written with the old one?

In: two schemas as their files have them. Out: what breaks, as field and rule in words. The rules are Avro's own
schema resolution, and stricter where that would change the meaning unseen: a logical type, a decimal's scale.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

from fastavro.schema import expand_schema
from signaalwissel.schemas.contract import SchemaVersion

_PROMOTED = {
    "int": ("long", "float", "double"),
    "long": ("float", "double"),
    "float": ("double",),
    "string": ("bytes",),
    "bytes": ("string",),
}
_NAMED = ("record", "enum", "fixed")
_LOGICAL = {"logicalType": "logical type", "precision": "precision", "scale": "scale"}

Schema = dict[str, Any]


class Finding(NamedTuple):
    """One thing that a new reader cannot read; `field` is a path like `partner.kind` or `clients[].bsn`."""

    field: str
    rule: str


class BrokenSuccession(NamedTuple):
    """A committed version and a later one that cannot read it."""

    old: SchemaVersion
    new: SchemaVersion
    findings: list[Finding]


def incompatibilities(old_schema: Schema, new_schema: Schema) -> list[Finding]:
    """What a reader of `new_schema` cannot read of what was written with `old_schema`; empty when all is well."""
    return list(_compare(expand_schema(old_schema), expand_schema(new_schema), ""))


def broken_successions(versions: Iterable[SchemaVersion]) -> list[BrokenSuccession]:
    """BACKWARD_TRANSITIVE: every version of a record that a later one, not only the next, cannot read."""
    broken = []
    for _, group in groupby(sorted(versions), key=lambda version: version.name):
        line = list(group)
        for index, old in enumerate(line):
            for new in line[index + 1 :]:
                findings = incompatibilities(old.schema, new.schema)
                if findings:
                    broken.append(BrokenSuccession(old, new, findings))
    return broken


def _compare(old: Any, new: Any, field: str) -> Iterator[Finding]:
    if isinstance(old, list):
        for branch in old:
            yield from _compare(branch, new, field)
    elif isinstance(new, list):
        yield from _compare_with_union(_node(old), new, field)
    else:
        yield from _compare_nodes(_node(old), _node(new), field)


def _compare_with_union(old: Schema, union: list[Any], field: str) -> Iterator[Finding]:
    attempts = [list(_compare_nodes(old, _node(branch), field)) for branch in union]
    if [] in attempts:
        return
    alike = [index for index, branch in enumerate(union) if _node(branch)["type"] == old["type"]]
    if alike:
        yield from attempts[alike[0]]
    else:
        yield Finding(field, f"may hold {_told(old)}, which its type no longer has")


def _compare_nodes(old: Schema, new: Schema, field: str) -> Iterator[Finding]:
    kind = new["type"]
    if kind != old["type"]:
        if kind not in _PROMOTED.get(old["type"], ()):
            yield Finding(field, f"its type changed from {_told(old)} to {_told(new)}")
            return
    elif kind in _NAMED and old["name"] not in {new["name"], *new.get("aliases", ())}:
        yield Finding(field, f"its {kind} was renamed from {old['name']} to {new['name']} without an alias")
        return
    for key, word in _LOGICAL.items():
        if old.get(key) != new.get(key):
            yield Finding(field, f"its {word} changed from {old.get(key, 'none')} to {new.get(key, 'none')}")
    yield from _compare_inside(old, new, field)


def _compare_inside(old: Schema, new: Schema, field: str) -> Iterator[Finding]:
    kind = new["type"]
    if kind == "record":
        yield from _compare_fields(old, new, field)
    elif kind == "enum":
        gone = [symbol for symbol in old["symbols"] if symbol not in new["symbols"]]
        if gone and "default" not in new:
            yield Finding(field, f"its enum lost {', '.join(gone)} and has no default")
    elif kind == "fixed" and old["size"] != new["size"]:
        yield Finding(field, f"its size changed from {old['size']} to {new['size']} bytes")
    elif kind == "array":
        yield from _compare(old["items"], new["items"], f"{field}[]")
    elif kind == "map":
        yield from _compare(old["values"], new["values"], f"{field}{{}}")


def _compare_fields(old: Schema, new: Schema, parent: str) -> Iterator[Finding]:
    written = {field["name"]: field["type"] for field in old["fields"]}
    for field in new["fields"]:
        path = f"{parent}.{field['name']}" if parent else field["name"]
        names = [name for name in (field["name"], *field.get("aliases", ())) if name in written]
        if names:
            yield from _compare(written[names[0]], field["type"], path)
        elif "default" not in field:
            yield Finding(path, "was added, or renamed without an alias, and has no default")


def _node(node: Any) -> Schema:
    # A name that is left after expanding is a primitive, or a type inside itself.
    return {"type": node} if isinstance(node, str) else node


def _told(node: Schema) -> str:
    return str(node.get("logicalType") or node.get("name") or node["type"])
