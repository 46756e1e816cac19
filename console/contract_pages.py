"""The contract's documents as pages for people: one HTML file each, which needs nothing from anywhere.

In: an AsyncAPI or OpenAPI document. Out: HTML, the same for the same document.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

_FOLDER = Path(__file__).parent / "contract_templates"
_LOGICAL = {"date": "date", "timestamp-millis": "moment, in milliseconds", "decimal": "decimal"}


class Field(NamedTuple):
    """A field of a record, by its path; `symbols` are those of an enum."""

    path: str
    kind: str
    optional: bool
    text: str
    symbols: tuple[str, ...]


def asyncapi_page(document: Mapping[str, Any]) -> str:
    """The page of an AsyncAPI document."""
    topics = []
    for name, channel in document["channels"].items():
        (reference,) = channel["messages"].values()
        message = _resolved(document, reference)
        topics.append(
            {
                "name": name,
                "channel": channel,
                "message": message,
                "headers": _resolved(document, message["headers"]),
                "fields": list(avro_fields(message["payload"]["schema"])),
            }
        )
    return _page("asyncapi.html", title="Signaalwissel: topics", lang="en", document=document, topics=topics)


def openapi_page(document: Mapping[str, Any]) -> str:
    """The page of an OpenAPI document."""
    requests = [
        {
            "path": path,
            "method": method.upper(),
            "operation": operation,
            "answers": [
                (status, _resolved(document, answer)) for status, answer in operation["responses"].items()
            ],
        }
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    return _page("openapi.html", title="Signaalwissel: HTTP", lang="nl", document=document, requests=requests)


def avro_fields(schema: Mapping[str, Any]) -> Iterator[Field]:
    """The fields of an Avro record, those of records inside it after the field that holds them."""
    yield from _fields(schema, "", {})


def _fields(record: Mapping[str, Any], prefix: str, named: dict[str, Any]) -> Iterator[Field]:
    named[record["name"]] = record
    for field in record["fields"]:
        path, node, optional = f"{prefix}{field['name']}", field["type"], False
        if isinstance(node, list):
            optional = "null" in node
            node = next(part for part in node if part != "null")
        several = isinstance(node, dict) and node["type"] == "array"
        if several:
            path, node = f"{path}[]", node["items"]
        node = named.get(node, node) if isinstance(node, str) else node
        kind, symbols = _kind(node, named)
        yield Field(path, kind, optional, field.get("doc", ""), symbols)
        if isinstance(node, dict) and node["type"] == "record":
            yield from _fields(node, f"{path}.", named)


def _kind(node: Any, named: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    if isinstance(node, str):
        return node, ()
    if "logicalType" in node:
        return _LOGICAL[node["logicalType"]], ()
    if node["type"] == "enum":
        named[node["name"]] = node
        return "one of", tuple(node["symbols"])
    return node["name"], ()


def _resolved(document: Mapping[str, Any], node: Mapping[str, Any]) -> Any:
    if "$ref" not in node:
        return node
    found: Any = document
    for step in node["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


def _page(template: str, **content: Any) -> str:
    pages = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    pages.filters["pretty"] = lambda value: json.dumps(value, indent=2, ensure_ascii=False)
    return pages.get_template(template).render(content)
