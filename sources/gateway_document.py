"""The gateway's OpenAPI document, made from the committed Avro schemas, so that the two cannot part (design 13).

In: nothing but the contract. Out: the document of `/v1/openapi.json`.
"""

from typing import Any

from signaalwissel.processors.rejection import RejectionCode
from signaalwissel.schemas.contract import versions
from signaalwissel.schemas.routing import Route
from signaalwissel.security.http_problems import PROBLEM_JSON
from signaalwissel.sources.gateway_json_schema import json_schema
from signaalwissel.sources.gateway_messages import BATCH_MAX, EVENT, EVENTS, JSON
from signaalwissel.sources.gateway_records import CHECK, RESOURCES, SIGNAL, Resource
from signaalwissel.sources.gateway_texts import CHECK_ERRORS, ERRORS, EXAMPLES, TITLES, WAITS

API_VERSION = "1.0.0"
_Schema = dict[str, Any]


def document(server: str) -> dict[str, Any]:
    """The document.

    Args:
        server: Address of the gateway, without a slash at its end.
    """
    return {
        "openapi": "3.0.3",
        "info": _info(server),
        "servers": [{"url": f"{server}/v1", "description": "Deze installatie"}],
        "security": [{"bearer": []}, {"certificate": []}],
        "tags": [
            {"name": resource.path, "description": TITLES[resource.path][1]}
            for resource in (*RESOURCES, CHECK)
        ],
        "paths": {
            **{f"/{resource.path}": {"post": _operation(resource)} for resource in RESOURCES},
            f"/{CHECK.path}": {"post": _check()},
        },
        "components": {
            "securitySchemes": _security_schemes(),
            "headers": _headers(),
            "responses": {_named(status): _problem(status, text) for status, text in sorted(ERRORS.items())},
            "schemas": _schemas(),
        },
    }


def _info(server: str) -> dict[str, Any]:
    return {
        "title": "Signaalwissel",
        "version": API_VERSION,
        "description": (
            "Stuur signalen, trajectgebeurtenissen en taakupdates naar Signaalwissel. Een antwoord 202 komt pas"
            " als het bericht veilig op Kafka staat. Hetzelfde bericht twee keer sturen is veilig."
        ),
        "contact": {"name": "Beheerder van deze installatie", "url": server, "email": "beheer@example.nl"},
        "license": {"name": "EUPL-1.2", "url": "https://eupl.eu/1.2/nl/"},
    }


def _security_schemes() -> dict[str, Any]:
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "OAuth2-toegangstoken.",
        },
        "certificate": {
            "type": "apiKey",
            "in": "header",
            "name": "Client-Cert",
            "description": "Clientcertificaat: door TLS, of door een vertrouwde proxy in deze header.",
        },
    }


def _operation(resource: Resource) -> dict[str, Any]:
    title, text = TITLES[resource.path]
    return {
        "operationId": f"stuur{title}",
        "tags": [resource.path],
        "summary": f"{title} sturen, een of een reeks",
        "description": text,
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Hetzelfde verzoek met dezelfde sleutel krijgt hetzelfde antwoord, een dag lang.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            }
        ],
        "requestBody": _request_body(resource),
        "responses": {
            "202": _answer("Aangenomen: het staat op Kafka.", {"oneOf": [_ref("Accepted"), _ref("Results")]}),
            "207": _answer("Een deel is aangenomen.", _ref("Results")),
            **{
                status: {"$ref": f"#/components/responses/{_named(status)}"}
                for status in sorted(ERRORS)
                if status != "404" or resource.path == "taakupdates"
            },
        },
    }


def _check() -> dict[str, Any]:
    title, text = TITLES[CHECK.path]
    return {
        "operationId": "toetsSignaal",
        "tags": [CHECK.path],
        "summary": f"{title}, van een signaal of een reeks",
        "description": f"{text} Het antwoord is alleen de route. Elke toets komt in het verwerkingenlogboek.",
        "requestBody": _request_body(SIGNAL),
        "responses": {
            "200": _answer("Getoetst.", {"oneOf": [_ref("Checked"), _ref("CheckResults")]}),
            "207": _answer("Een deel is getoetst.", _ref("CheckResults")),
            **{
                status: _problem(status, CHECK_ERRORS[status])
                if status in CHECK_ERRORS
                else {"$ref": f"#/components/responses/{_named(status)}"}
                for status in sorted(ERRORS)
                if status not in {"404", "409"}
            },
        },
    }


def _request_body(resource: Resource) -> dict[str, Any]:
    one = _ref(resource.schema)
    event = _ref(f"{TITLES[resource.path][0]}Event")
    several = {"type": "array", "minItems": 1, "maxItems": BATCH_MAX}
    return {
        "required": True,
        "content": {
            JSON: {
                "schema": {"oneOf": [one, {**several, "items": one}]},
                "example": EXAMPLES[resource.path],
            },
            EVENT: {"schema": event},
            EVENTS: {"schema": {**several, "items": event}},
        },
    }


def _schemas() -> dict[str, _Schema]:
    named: dict[str, _Schema] = {}
    newest = {version.name: version.schema for version in versions()}
    for resource in RESOURCES:
        json_schema(newest[resource.schema], named)
    signal = named[SIGNAL.schema]
    signal["required"] = [name for name in signal["required"] if name != "received_at"]
    for resource in RESOURCES:
        named[f"{TITLES[resource.path][0]}Event"] = _event(resource)
    finding = {
        "type": "object",
        "required": ["code", "field", "rule"],
        "properties": {
            "index": {"type": "integer", "format": "int32", "description": "Plaats in de reeks, vanaf 0."},
            "code": {"type": "string", "description": f"Zoals {RejectionCode.INVALID_FIELD}."},
            "field": {"type": "string", "nullable": True, "description": "Pad van het veld."},
            "rule": {"type": "string", "description": "De regel, zonder de waarde."},
        },
    }
    accepted = {
        "type": "object",
        "required": ["status", "id", "event_id"],
        "properties": {
            "status": {"type": "integer", "format": "int32"},
            "id": {"type": "string", "description": "Het nummer van de afzender."},
            "event_id": {"type": "string", "description": "Het CloudEvents-id op Kafka."},
        },
    }
    checked = {
        "type": "object",
        "required": ["status", "id", "route", "reference"],
        "properties": {
            "status": {"type": "integer", "format": "int32"},
            "id": {"type": "string", "description": "Het nummer van het signaal."},
            "route": {"type": "string", "enum": [route.value for route in Route]},
            "reference": {
                "type": "string",
                "description": "Waaronder deze toets in het verwerkingenlogboek staat.",
                "pattern": "^[0-9a-f]{32}-[0-9a-f]{16}$",
            },
        },
    }
    return named | {
        "Finding": finding,
        "Accepted": accepted,
        "Result": _result(accepted),
        "Results": _results("Result"),
        "Checked": checked,
        "CheckResult": _result(checked),
        "CheckResults": _results("CheckResult"),
        "Problem": _problem_schema(),
    }


def _results(of: str) -> _Schema:
    return {
        "type": "object",
        "required": ["results"],
        "properties": {"results": {"type": "array", "items": _ref(of)}},
    }


def _result(accepted: _Schema) -> _Schema:
    properties = {
        "index": {"type": "integer", "format": "int32"},
        **accepted["properties"],
        "errors": {"type": "array", "items": _ref("Finding")},
    }
    return {"type": "object", "required": ["index", "status"], "properties": properties}


def _problem_schema() -> _Schema:
    return {
        "type": "object",
        "required": ["status", "title", "detail"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "status": {"type": "integer", "format": "int32"},
            "title": {"type": "string"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": _ref("Finding")},
        },
    }


def _event(resource: Resource) -> _Schema:
    text = {"type": "string", "minLength": 1, "maxLength": 1000}
    return {
        "type": "object",
        "description": "CloudEvents 1.0, JSON.",
        "required": ["specversion", "id", "source", "type", "data"],
        "properties": {
            "specversion": {"type": "string", "enum": ["1.0"]},
            "id": text,
            "source": text,
            "type": text,
            "datacontenttype": {"type": "string", "enum": [JSON]},
            "data": _ref(resource.schema),
        },
    }


def _headers() -> dict[str, Any]:
    return {
        "API-Version": {
            "description": "Versie van deze API.",
            "schema": {"type": "string", "example": API_VERSION},
        },
        "Retry-After": {
            "description": "Seconden tot een nieuwe poging.",
            "schema": {"type": "integer", "format": "int32"},
        },
    }


def _answer(text: str, schema: _Schema) -> dict[str, Any]:
    return {
        "description": text,
        "headers": {"API-Version": {"$ref": "#/components/headers/API-Version"}},
        "content": {JSON: {"schema": schema}},
    }


def _problem(status: str, text: str) -> dict[str, Any]:
    names = ["API-Version", "Retry-After"] if status in WAITS else ["API-Version"]
    return {
        "description": text,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {PROBLEM_JSON: {"schema": _ref("Problem")}},
    }


def _named(status: str) -> str:
    return f"Problem{status}"


def _ref(name: str) -> _Schema:
    return {"$ref": f"#/components/schemas/{name}"}
