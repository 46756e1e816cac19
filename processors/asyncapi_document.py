"""The AsyncAPI 3 document of the public topics, made from the contract, so that the two cannot part.

In: where an installation's Kafka is, and how its topics are set. Out: the document. Source: AsyncAPI 3.0.0 with the Kafka
bindings 0.5.0.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from signaalwissel.processors.contract_topics import committed_on
from signaalwissel.processors.public_topics import (
    CONTENT_TYPE,
    PUBLIC_TOPICS,
    PublicTopic,
    event_types_of,
    examples,
)
from signaalwissel.processors.reading import RECORD_SIZE_MAX
from signaalwissel.schemas.wire_format import HEADER_SIZE

ASYNCAPI: Final = "3.0.0"
API_VERSION: Final = "1.0.0"
BINDING: Final = "0.5.0"
AVRO_FORMAT: Final = "application/vnd.apache.avro;version=1.9.0"
_ID_BYTES: Final = "4"
_SERVER: Final = "kafka"
_REQUIRED_HEADERS: Final = ("ce_id", "ce_source", "ce_specversion", "ce_type", "ce_time", "content-type")
_MOMENT: Final = "2026-02-20T09:00:00.000Z"
_LIST_SETTINGS: Final = frozenset({"cleanup.policy"})
_NUMBER_SETTINGS: Final = frozenset({"retention.ms", "max.message.bytes"})


class Place(NamedTuple):
    """Where the topics are.

    Attributes:
        bootstrap: `host:port`, several separated by commas.
        secure: Whether Kafka is reached over TLS.
        prefix: Put before every topic.
        publisher_topics: Further topics, each of one publisher: `signals.<publisher>`, without prefix.
        source: CloudEvents source of what the product publishes.
        registry: URL of the schema registry, where there is one.
        settings: Per topic without prefix what the broker has for it.
    """

    bootstrap: str
    secure: bool
    prefix: str
    publisher_topics: Sequence[str]
    source: str
    registry: str | None
    settings: Mapping[str, Mapping[str, str]]


def document(place: Place) -> dict[str, Any]:
    """The document."""
    return {
        "asyncapi": ASYNCAPI,
        "id": "urn:nld:signaalwissel",
        "info": _info(),
        "defaultContentType": CONTENT_TYPE,
        "servers": {_SERVER: _server(place)},
        "channels": {named(topic.name): _channel(topic, place) for topic in PUBLIC_TOPICS}
        | {named(own): _own_channel(own, place) for own in _own_topics(place)},
        "operations": dict(_operations(place)),
        "components": {
            "messages": {_message_name(topic): _message(topic, place) for topic in PUBLIC_TOPICS},
            "schemas": {"WrittenHeaders": _headers(required=True), "ReadHeaders": _headers(required=False)},
            "securitySchemes": {
                "scram": {"type": "scramSha512", "description": "SASL/SCRAM over TLS."},
                "certificate": {"type": "X509", "description": "A client certificate."},
            },
        },
    }


def named(topic: str) -> str:
    """The name of a topic's channel: `counsellor-followup` is `counsellorFollowup`."""
    first, *others = topic.replace(".", "-").replace("_", "-").split("-")
    return first + "".join(part.capitalize() for part in others)


def _info() -> dict[str, Any]:
    return {
        "title": "Signaalwissel",
        "version": API_VERSION,
        "description": (
            "Early-warning signals of payment arrears and debt-help trajectories in; each signal routed exactly once,"
            " with its follow-up, out.\n\n"
            "Wire format of every value: byte 0, the schema id in four bytes big-endian, the Avro body. The id is the fixed"
            " one of the message (x-schema-id), or that of the schema registry where an installation has one. An input has"
            f" at most {RECORD_SIZE_MAX} bytes.\n\n"
            "Keys are UTF-8 text; partitions follow from Kafka's own partitioner (murmur2). Readers set"
            " isolation.level=read_committed. Sending again is safe. A new schema version reads all that older ones wrote."
        ),
        "license": {"name": "EUPL-1.2", "url": "https://eupl.eu/1.2/en/"},
        "tags": [{"name": "vroegsignalering"}, {"name": "schuldhulpverlening"}],
    }


def _server(place: Place) -> dict[str, Any]:
    found: dict[str, Any] = {
        "host": place.bootstrap,
        "protocol": "kafka-secure" if place.secure else "kafka",
        "description": "The municipality's Kafka; who may write and read what, its operator says.",
    }
    if place.secure:
        found["security"] = [_ref("components/securitySchemes", name) for name in ("scram", "certificate")]
    if place.registry is not None:
        found["bindings"] = {
            "kafka": {
                "schemaRegistryUrl": place.registry,
                "schemaRegistryVendor": "confluent",
                "bindingVersion": BINDING,
            }
        }
    return found


def _own_topics(place: Place) -> list[str]:
    return sorted(place.publisher_topics)


def _own_channel(own: str, place: Place) -> dict[str, Any]:
    kind = own.partition(".")[0]
    topic = next(one for one in PUBLIC_TOPICS if one.name == kind)
    found = {**_channel(topic, place), "address": place.prefix + own, "title": own}
    found.pop("parameters", None)
    return found


def _channel(topic: PublicTopic, place: Place) -> dict[str, Any]:
    own = (
        f" A publisher may have its own, `{topic.name}.<publisher>`, with the same records."
        if topic.own and not topic.only_own
        else ""
    )
    return {
        "address": place.prefix + topic.address,
        **({"parameters": {"publisher": {"description": "Whose topic it is."}}} if topic.only_own else {}),
        "title": topic.name,
        "summary": topic.text,
        "description": f"{'Written' if topic.written_by_others else 'Read'} by: {topic.who}.{own}",
        "servers": [_ref("servers", _SERVER)],
        "messages": {topic.record: _ref("components/messages", _message_name(topic))},
        "bindings": {
            "kafka": {
                "topic": place.prefix + topic.address,
                "topicConfiguration": dict(_configuration(place.settings.get(topic.name, {}))),
                "bindingVersion": BINDING,
            }
        },
    }


def _configuration(settings: Mapping[str, str]) -> Sequence[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in sorted(settings.items()):
        if name in _LIST_SETTINGS:
            found.append((name, value.split(",")))
        elif name in _NUMBER_SETTINGS:
            found.append((name, int(value)))
    return found


def _operations(place: Place) -> Sequence[tuple[str, dict[str, Any]]]:
    every = [(topic.name, topic) for topic in PUBLIC_TOPICS]
    kinds = {topic.name: topic for topic in PUBLIC_TOPICS}
    every += [(own, kinds[own.partition(".")[0]]) for own in _own_topics(place)]
    found = []
    for name, topic in every:
        action = "receive" if topic.written_by_others else "send"
        channel = named(name)
        found.append(
            (
                f"{action}{channel[0].upper()}{channel[1:]}",
                {
                    "action": action,
                    "channel": _ref("channels", channel),
                    "summary": f"Signaalwissel {'reads' if topic.written_by_others else 'publishes'} {name}.",
                    "messages": [_ref(f"channels/{channel}/messages", topic.record)],
                },
            )
        )
    return found


def _message_name(topic: PublicTopic) -> str:
    channel = named(topic.name)
    return f"{channel[0].upper()}{channel[1:]}{topic.record}"


def _message(topic: PublicTopic, place: Place) -> dict[str, Any]:
    newest = committed_on(topic.name)[-1]
    headers = "ReadHeaders" if topic.written_by_others else "WrittenHeaders"
    return {
        "name": topic.record,
        "title": f"{topic.record} on {topic.name}",
        "summary": newest.schema.get("doc", ""),
        "contentType": CONTENT_TYPE,
        "headers": _ref("components/schemas", headers),
        "payload": {"schemaFormat": AVRO_FORMAT, "schema": newest.schema},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"{topic.key}, in UTF-8."},
                "schemaIdLocation": "payload",
                "schemaIdPayloadEncoding": _ID_BYTES,
                "schemaLookupStrategy": "TopicNameStrategy",
                "bindingVersion": BINDING,
            }
        },
        "examples": [
            {
                "name": f"{topic.record}{number}",
                "summary": "In JSON: dates and moments as text, decimals as text, bytes as base64.",
                "headers": _example_headers(topic, value, place),
                "payload": value,
            }
            for number, value in enumerate(examples()[topic.name], start=1)
        ],
        "x-record": newest.name,
        "x-record-version": newest.version,
        "x-schema-id": newest.schema_id,
        "x-header-bytes": HEADER_SIZE,
        "x-event-id": topic.ce_id,
        "x-event-types": list(topic.types),
    }


def _example_headers(topic: PublicTopic, value: Mapping[str, Any], place: Place) -> dict[str, str]:
    return {
        "ce_id": _event_id(topic, value),
        "ce_source": "urn:example:sender" if topic.written_by_others else place.source,
        "ce_specversion": "1.0",
        "ce_type": event_types_of(topic.name, value)[0],
        "ce_time": _MOMENT,
        "content-type": CONTENT_TYPE,
    }


def _event_id(topic: PublicTopic, value: Mapping[str, Any]) -> str:
    if topic.record == "EarlySignal":
        fields = (
            value["municipality"],
            value["partner"]["partner_id"],
            value["signal_id"],
            value["received_at"],
        )
        return "/".join(fields)
    return ":".join(str(value[field]) for field in topic.ce_id.split(":"))


def _headers(*, required: bool) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1}
    return {
        "type": "object",
        "description": (
            "CloudEvents 1.0 in binary mode; each value is UTF-8 text."
            if required
            else "CloudEvents 1.0 in binary mode. None is required of what others write; what is there must be right."
        ),
        **({"required": list(_REQUIRED_HEADERS)} if required else {}),
        "properties": {
            "ce_id": text,
            "ce_source": {**text, "format": "uri-reference"},
            "ce_specversion": {"type": "string", "enum": ["1.0"]},
            "ce_type": {**text, "description": "One of the message's x-event-types."},
            "ce_time": {"type": "string", "format": "date-time"},
            "content-type": {"type": "string", "enum": [CONTENT_TYPE]},
            "traceparent": {
                "type": "string",
                "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
                "description": "W3C Trace Context; passed on.",
            },
        },
    }


def _ref(*steps: str) -> dict[str, str]:
    return {"$ref": "#/" + "/".join(steps)}
