"""The OpenAPI document is valid, says what the gateway does, and follows the contract and the NL API Design Rules."""

import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import OpenAPIV30SpecValidator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from signaalwissel.schemas.contract import codec, versions
from signaalwissel.sources.gateway_document import document

from tests.sources.gateway_support import SERVER, Asks, Outlet, client, gateway, token

DOCUMENT = document(SERVER)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
PATHS: dict[str, Any] = DOCUMENT["paths"]


def test_the_document_is_valid_openapi() -> None:
    OpenAPIV30SpecValidator(DOCUMENT).validate()


def test_the_gateway_serves_the_document_to_everybody() -> None:
    assert client().get("/v1/openapi.json", headers={"authorization": ""}).json() == DOCUMENT


@pytest.mark.parametrize("name", ["EarlySignal", "TrajectoryEvent", "TaskUpdate"])
def test_a_record_has_the_fields_of_the_newest_schema(name: str) -> None:
    newest = next(version.schema for version in reversed(versions()) if version.name == name)
    described = DOCUMENT["components"]["schemas"][name]
    assert list(described["properties"]) == [field["name"] for field in newest["fields"]]
    required = {field["name"] for field in newest["fields"] if "default" not in field}
    assert set(described["required"]) == required - ({"received_at"} if name == "EarlySignal" else set())


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/signalen", "EarlySignal"),
        ("/trajectgebeurtenissen", "TrajectoryEvent"),
        ("/taakupdates", "TaskUpdate"),
        ("/toetsen", "EarlySignal"),
    ],
)
def test_an_example_is_a_record(path: str, name: str) -> None:
    example = PATHS[path]["post"]["requestBody"]["content"]["application/json"]["example"]
    codec(name).from_json(
        {"received_at": "2026-01-01T00:00:00Z", **example} if name == "EarlySignal" else example
    )


def test_the_document_follows_the_design_rules() -> None:
    info = DOCUMENT["info"]
    assert {"name", "email", "url"} <= info["contact"].keys()
    assert re.fullmatch(r"\d+\.\d+\.\d+", info["version"])
    assert DOCUMENT["servers"][0]["url"].startswith("https://")
    assert DOCUMENT["servers"][0]["url"].endswith("/v1")
    for path, operations in PATHS.items():
        assert re.fullmatch(r"(/[a-z][a-z0-9-]*)+", path)
        for operation in operations.values():
            assert {"400", "401", "403", "429", "503"} <= operation["responses"].keys()
            assert "422" not in operation["responses"]
    for response in DOCUMENT["components"]["responses"].values():
        assert set(response["content"]) == {"application/problem+json"}
        assert "API-Version" in response["headers"]


@pytest.mark.parametrize("path", PATHS)
def test_requests_that_nobody_thought_of_get_an_answer_of_the_document(path: str) -> None:
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", gateway(Outlet(), asks=Asks()))
    sender = "ris" if path == "/toetsen" else "water-west"

    @given(schema[f"{path}"]["POST"].as_strategy())
    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def ask(case: schemathesis.Case) -> None:
        answer = case.call(headers={"authorization": f"Bearer {token(sender)}"})
        assert "Traceback" not in answer.text
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    statuses: set[int] = set()
    ask()
    assert 400 in statuses
