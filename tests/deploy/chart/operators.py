"""Whether a manifest is one that an operator knows, field by field, by its custom resource definition."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

FOLDER = Path(__file__).with_name("crds")
KINDS = sorted(file.stem for file in FOLDER.glob("*.json"))


def faults(manifest: dict[str, Any]) -> list[str]:
    """What is wrong with a manifest; empty where nothing is."""
    version, validator = _validator(manifest["kind"])
    if manifest["apiVersion"] != version:
        return [f"{manifest['apiVersion']} is not {version}"]
    return [f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(manifest)]


@cache
def _validator(kind: str) -> tuple[str, Any]:
    held = json.loads((FOLDER / f"{kind}.json").read_text("utf-8"))
    return held["apiVersion"], jsonschema_rs.validator_for(_closed(held["schema"]))


def _closed(schema: Any) -> Any:
    """Kubernetes takes what it does not know and drops it in silence; here it is a fault."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    lists_fields = schema.get("type") == "object" and isinstance(schema.get("properties"), dict)
    if lists_fields and not schema.get("x-kubernetes-preserve-unknown-fields"):
        closed.setdefault("additionalProperties", False)
    return closed
