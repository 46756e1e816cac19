"""The AsyncAPI document is valid AsyncAPI 3, says what the contract says, and follows an installation's settings."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from signaalwissel.processors.asyncapi_document import Place, document, named
from signaalwissel.processors.contract_topics import RECORD_ON
from signaalwissel.processors.emissions import FEEDBACK
from signaalwissel.schemas.contract import codec, public_versions

OFFICIAL = json.loads((Path(__file__).parent / "vendor" / "asyncapi-3.0.0.json").read_text("utf-8"))
PLAIN = Place(
    "kafka:9092", secure=False, prefix="", publisher_topics=(), source="urn:x", registry=None, settings={}
)
WHOLE = Place(
    "kafka:9093",
    secure=True,
    prefix="proef-",
    publisher_topics=("signals.water-west", "trajectories.stratech", "feedback.water-west"),
    source="urn:x",
    registry="https://registry:8081",
    settings={
        "signals": {"cleanup.policy": "delete", "retention.ms": "604800000", "compression.type": "lz4"}
    },
)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for inner in node.values():
            yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


def resolved(found: Any, reference: str) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


@pytest.mark.parametrize("place", [PLAIN, WHOLE], ids=["nothing set", "everything set"])
def test_the_document_is_valid_asyncapi(place: Place) -> None:
    told = [error.message for error in jsonschema_rs.validator_for(OFFICIAL).iter_errors(document(place))]
    assert told == []


def test_what_is_no_asyncapi_is_told() -> None:
    broken = document(PLAIN)
    broken["operations"]["receiveSignals"]["action"] = "publish"
    assert not jsonschema_rs.validator_for(OFFICIAL).is_valid(broken)


@pytest.mark.parametrize("place", [PLAIN, WHOLE], ids=["nothing set", "everything set"])
def test_every_reference_leads_somewhere(place: Place) -> None:
    found = document(place)
    assert all(resolved(found, reference) for reference in references(found))


@pytest.mark.parametrize("topic", RECORD_ON)
def test_a_topic_has_the_newest_schema_and_its_fixed_id(topic: str) -> None:
    found = document(PLAIN)
    channel = found["channels"][named(topic)]
    message = resolved(found, channel["messages"][RECORD_ON[topic]]["$ref"])
    newest = [version for version in public_versions() if version.name == RECORD_ON[topic]][-1]
    assert channel["address"] == (topic if topic != FEEDBACK else "feedback.{publisher}")
    # An address with a place in it must say what goes there.
    assert set(channel.get("parameters", {})) == set(re.findall(r"{(\w+)}", channel["address"]))
    assert message["payload"]["schema"] == newest.schema
    assert (message["x-schema-id"], message["x-record-version"]) == (newest.schema_id, newest.version)


@pytest.mark.parametrize("topic", RECORD_ON)
def test_an_example_fits_the_headers_and_the_schema_beside_it(topic: str) -> None:
    found = document(PLAIN)
    message = resolved(found, found["channels"][named(topic)]["messages"][RECORD_ON[topic]]["$ref"])
    headers = jsonschema_rs.validator_for(resolved(found, message["headers"]["$ref"]), validate_formats=True)
    for example in message["examples"]:
        assert headers.is_valid(example["headers"])
        assert set(example["headers"]) == set(found["components"]["schemas"]["WrittenHeaders"]["required"])
        assert example["headers"]["ce_type"] in message["x-event-types"]
        assert codec(RECORD_ON[topic]).from_json(example["payload"]) is not None


def test_the_product_receives_what_others_write_and_sends_the_rest() -> None:
    actions = {name: one["action"] for name, one in document(PLAIN)["operations"].items()}
    received = {name for name, action in actions.items() if action == "receive"}
    assert received == {"receiveSignals", "receiveTrajectories", "receiveTaskUpdates"}
    assert len(actions) == len(RECORD_ON)


def test_an_installation_sees_its_own_names() -> None:
    found = document(WHOLE)
    assert found["channels"]["signals"]["address"] == "proef-signals"
    assert found["channels"]["signalsWaterWest"]["address"] == "proef-signals.water-west"
    told = found["channels"]["feedbackWaterWest"]
    assert (told["address"], "parameters" in told) == ("proef-feedback.water-west", False)
    assert found["operations"]["receiveTrajectoriesStratech"]["channel"] == {
        "$ref": "#/channels/trajectoriesStratech"
    }
    assert found["servers"]["kafka"]["host"] == "kafka:9093"
    assert found["servers"]["kafka"]["bindings"]["kafka"]["schemaRegistryUrl"] == "https://registry:8081"
    kafka = found["channels"]["signals"]["bindings"]["kafka"]
    assert kafka["topicConfiguration"] == {"cleanup.policy": ["delete"], "retention.ms": 604_800_000}
