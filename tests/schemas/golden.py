"""The golden files: one full record of every committed schema version, as bytes and in its JSON form.

`python -m tests.schemas.golden` freezes versions that are new: it writes their golden files and fingerprints and
never writes over one. The bytes come from fastavro with the original schema, not from the code that is tested
against them.
"""

import base64
import hashlib
import json
import sys
from collections import namedtuple
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from signaalwissel.schemas.contract import SchemaVersion, codec, versions
from signaalwissel.schemas.shape import Shape, shape_of

from tests.schemas.strategies import BY_HAND_ONLY, class_of, fastavro_bytes, named_types, schema_of

FOLDER = Path(__file__).parent / "golden"
FINGERPRINTS = Path(__file__).parent / "fingerprints.json"
_TEXTS = {
    "bsn": "999990019",
    "postcode": "3511AB",
    "house_number_addition": "bis",
    "initials": "T.E.",
    "surname": "Testpersoon-Ünal",
    "phone": "+31600000000",
    "email": "test@example.nl",
    "municipality": "0344",
    "partner_id": "stedin",
    "explanation": "Er loopt een schuldhulptraject; de schuldhulpverlener pakt dit signaal op.",
}


def versioned(version: SchemaVersion) -> str:
    """The name of a version's files: `EarlySignal.v1`."""
    return f"{version.name}.v{version.version}"


def fingerprint(version: SchemaVersion) -> str:
    """SHA-256 of a schema as canonical JSON: what a committed version keeps for ever."""
    canonical = json.dumps(version.schema, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def shape_for(name: str) -> Shape:
    """The newest shape of a record; for KeyedSignal one whose fields are all open."""
    if name != BY_HAND_ONLY:
        return codec(name).shape
    schema = schema_of(name)
    fields = [field["name"] for field in schema["fields"]]
    classes = {inner: class_of(inner) for inner in named_types(schema)}
    return shape_of(schema, classes | {name: namedtuple(name, fields)})


def full_json(name: str) -> dict[str, Any]:
    """A record with every field filled, in its JSON form."""
    schema = schema_of(name)
    plain: dict[str, Any] = _filled(schema, "", named_types(schema))
    return plain


def _filled(node: Any, field: str, named: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return _filled(next(part for part in node if part != "null"), field, named)
    if isinstance(node, str):
        return _filled(named[node], field, named) if node in named else _primitive(node, field)
    if "logicalType" in node:
        return {"decimal": "312.45", "date": "2026-02-28", "timestamp-millis": "2026-02-28T09:30:00.123Z"}[
            node["logicalType"]
        ]
    if node["type"] == "array":
        return [_filled(node["items"], field, named)] * 2
    if node["type"] == "enum":
        return node["symbols"][-1]
    return {inner["name"]: _filled(inner["type"], inner["name"], named) for inner in node["fields"]}


def _primitive(name: str, field: str) -> Any:
    if name == "string":
        return _TEXTS.get(field, f"{field}-1")
    if name == "bytes":
        return base64.b64encode(b"\x00\xff" + field.encode()).decode()
    return {"boolean": True, "int": 300, "long": 5_000_000_000}[name]


def write_new() -> list[str]:
    """Write the files of every newest version that has none yet, and give their names."""
    newest = {version.name: version for version in versions()}
    written = []
    for version in newest.values():
        target = FOLDER / f"{versioned(version)}.bin"
        if target.exists():
            continue
        plain = full_json(version.name)
        record = shape_for(version.name).from_json(plain)
        target.write_bytes(fastavro_bytes(version.name, record))
        target.with_suffix(".json").write_text(
            json.dumps(plain, indent=2, ensure_ascii=False) + "\n", "utf-8"
        )
        written.append(versioned(version))
    return written


def freeze_new() -> list[str]:
    """Add the fingerprints of versions that have none yet, and give their names."""
    frozen: dict[str, str] = json.loads(FINGERPRINTS.read_text("utf-8")) if FINGERPRINTS.exists() else {}
    new = {versioned(one): fingerprint(one) for one in versions() if versioned(one) not in frozen}
    if new:
        FINGERPRINTS.write_text(json.dumps(frozen | new, indent=2) + "\n", "utf-8")
    return list(new)


if __name__ == "__main__":
    sys.stdout.write("".join(f"golden files written: {name}\n" for name in write_new()))
    sys.stdout.write("".join(f"fingerprint frozen: {name}\n" for name in freeze_new()))
