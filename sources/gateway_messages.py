"""What a request to the gateway carries: one record or several, as plain JSON or as CloudEvents (design 13).

In: headers and body. Out: the records' values in their JSON form, with what each CloudEvent says its type is; Problem
400 or 415 that says what is wrong with the message and repeats nothing of it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from signaalwissel.security.http_problems import Problem

JSON = "application/json"
EVENT = "application/cloudevents+json"
EVENTS = "application/cloudevents-batch+json"
BATCH_MAX = 1000
"""Records in one request."""
_BINARY = ("id", "source", "specversion", "type")
_ATTRIBUTE_MAX = 1000


@dataclass(frozen=True, slots=True)
class Item:
    """A record as it was sent.

    Attributes:
        value: Its JSON form.
        event_type: The CloudEvents type that came with it, None for plain JSON.
        finding: What is wrong with its envelope, None for nothing.
        field: Of which field, where one is to blame.
    """

    value: Any
    event_type: str | None = None
    finding: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """The records of a request; `batch` tells whether the sender sent a list, and wants one back."""

    items: tuple[Item, ...]
    batch: bool


def read_message(headers: Mapping[str, str], body: bytes) -> Message:
    """The records of a request.

    Args:
        headers: With names in small letters.
        body: As it came.

    Raises:
        Problem: 415 where the content type is none of ours, 400 where the body is no JSON or the batch too large.
    """
    media = headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if media not in {JSON, EVENT, EVENTS}:
        raise Problem(415, f"Stuur {JSON}, {EVENT} of {EVENTS}.")
    content = _json(body)
    if media == EVENT:
        return Message((_of_event(content),), batch=False)
    if media == EVENTS:
        return _batch(content, _of_event)
    if isinstance(content, list):
        return _batch(content, Item)
    binary = {name: headers.get(f"ce-{name}") for name in _BINARY}
    if any(value is not None for value in binary.values()):
        return Message((Item(content, binary["type"], _wrong_with(binary)),), batch=False)
    return Message((Item(content),), batch=False)


def _batch(content: Any, item: Any) -> Message:
    if not isinstance(content, list) or not 0 < len(content) <= BATCH_MAX:
        raise Problem(400, f"Een reeks is een lijst van 1 tot {BATCH_MAX} berichten.")
    return Message(tuple(item(one) for one in content), batch=True)


def _of_event(content: Any) -> Item:
    if not isinstance(content, dict):
        return Item(None, None, "is no CloudEvent: must be an object")
    kind = content.get("type")
    finding = _wrong_with(content)
    if finding is None and content.get("datacontenttype", JSON).split(";", 1)[0] != JSON:
        finding = f"datacontenttype must be {JSON}"
    if finding is None and "data" not in content:
        finding = "data is required"
    return Item(content.get("data"), kind if isinstance(kind, str) else None, finding)


def _wrong_with(attributes: Mapping[str, Any]) -> str | None:
    for name in _BINARY:
        value = attributes.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= _ATTRIBUTE_MAX:
            return f"CloudEvents attribute {name} must be a text of 1 to {_ATTRIBUTE_MAX} characters"
    if attributes["specversion"] != "1.0":
        return "CloudEvents attribute specversion must be 1.0"
    if not isinstance(attributes.get("datacontenttype", JSON), str):
        return f"datacontenttype must be {JSON}"
    return None


def _json(body: bytes) -> Any:
    try:
        # A decimal stays exact on its way through JSON.
        return json.loads(body, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Problem(400, "De inhoud is geen geldige JSON in UTF-8, of noemt een naam twee keer.") from None


def _no_number(_name: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name stands twice")
    return content
