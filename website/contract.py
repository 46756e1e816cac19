"""The reference of topics and records, from the rights, the layout and the schemas."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from signaalwissel.processors.access_rights import Kind, Operation, roles
from signaalwissel.processors.contract_topics import RECORD_ON
from signaalwissel.processors.principals import Principals
from signaalwissel.streams.topics import Names, layout

SCHEMAS = Path(__file__).parents[1] / "schemas"
_DAY_MS = 86_400_000


def topics_page() -> str:
    """Every topic: what is on it, how long it is kept, and whose it is."""
    known = roles(Principals(), ())
    told = []
    for topic in layout(Names(), 1):
        record = RECORD_ON.get(topic.name)
        rights = {
            operation: ", ".join(
                role.name.replace("<", "&lt;")
                for role in known
                if any(
                    right.kind is Kind.TOPIC and right.name == topic.name and right.operation is operation
                    for right in role.rights
                )
            )
            for operation in (Operation.WRITE, Operation.READ)
        }
        shown = f"[{record}](records.md#{record.lower()}v1)" if record else "internal"
        told.append(
            f"| `{topic.name}` | {shown} | {_kept(topic.config)} | {rights[Operation.WRITE]} | {rights[Operation.READ]} |"
        )
    head = ["| topic | record | kept | written by | read by |", "|---|---|---|---|---|"]
    return "\n".join([_TOPICS, *head, *told]) + "\n"


def records_page() -> str:
    """Every record, field by field; those of public topics first."""
    ids: dict[str, int] = json.loads((SCHEMAS / "ids.json").read_text("utf-8"))
    parts = [_RECORDS]
    for name, number in ids.items():
        schema = json.loads((SCHEMAS / f"{name}.avsc").read_text("utf-8"))
        parts.append(f"## {name}\n\nSchema id {number}. {schema.get('doc', '')}\n\n{_fields(schema)}")
    return "\n\n".join(parts) + "\n"


def _kept(config: Any) -> str:
    if "compact" in config["cleanup.policy"]:
        kept = "compacted"
        return f"{kept}, {_days(config)}" if "delete" in config["cleanup.policy"] else kept
    return _days(config)


def _days(config: Any) -> str:
    return f"{int(config['retention.ms']) // _DAY_MS} days"


def _fields(schema: Any) -> str:
    rows = [
        f"| `{path}` | {_type(kind)} | {doc.replace('|', chr(92) + '|')} |"
        for path, kind, doc in _flat("", schema["fields"])
    ]
    return "\n".join(["| field | form | what |", "|---|---|---|", *rows])


def _flat(above: str, fields: Iterable[Any]) -> Iterable[tuple[str, Any, str]]:
    for field in fields:
        path = f"{above}{field['name']}"
        yield path, field["type"], field.get("doc", "")
        for kind in field["type"] if isinstance(field["type"], list) else [field["type"]]:
            inner = kind["items"] if isinstance(kind, dict) and kind["type"] == "array" else kind
            if isinstance(inner, dict) and inner["type"] == "record":
                many = "[]" if inner is not kind else ""
                yield from _flat(f"{path}{many}.", inner["fields"])


def _type(kind: Any) -> str:
    if isinstance(kind, list):
        return "optional " + " or ".join(_type(one) for one in kind if one != "null")
    if isinstance(kind, str):
        return kind.rpartition(".")[2]
    if kind["type"] == "enum":
        return " ".join(f"`{symbol}`" for symbol in kind["symbols"])
    if kind["type"] == "array":
        return f"list of {_type(kind['items'])}"
    if kind.get("logicalType") == "decimal":
        return f"decimal({kind['precision']},{kind['scale']})"
    return str(kind.get("logicalType") or (kind["name"] if kind["type"] == "record" else kind["type"]))


_TOPICS = """# Topics

Made from the code. Every name may have a prefix. Keys, partitions and headers: [design](../design.md#2-topics-and-records).
Who logs in under which name: [Kafka security](../operations.md#who-may-do-what).
"""
_RECORDS = """# Records

Made from `schemas/*.avsc`, which are the contract. The forms in JSON: [write your own
lines](../rules.md#write-your-own-lines). The same as documents: [AsyncAPI](../api/asyncapi.html) of the topics,
[OpenAPI](../api/openapi.html) of the gateway."""
