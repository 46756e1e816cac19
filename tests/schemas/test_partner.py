"""A partner's program with another Avro library exchanges every public record with us, through files of wire bytes.

The program runs in an environment of its own, made once in `.cache/partner-venv` of the checkout; avro-python3 is the
Avro library that ours replaced, so it is what partners have.
"""

import base64
import json
import random
import subprocess
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from signaalwissel.schemas.contract import codec, versions
from signaalwissel.schemas.early_signal_codec import read_early_signal

from tests.partner_environment import partner_environment
from tests.schemas import golden
from tests.schemas.strategies import named_types, schema_of

PARTNER = Path(__file__).parent / "partner"
PUBLIC = (
    "EarlySignal",
    "TrajectoryEvent",
    "TaskUpdate",
    "RoutedSignal",
    "RouteCorrection",
    "TaskEvent",
    "NoticeEvent",
    "PartnerFeedback",
)
RANDOM_RECORDS = 15
TEXTS = ("", "x", "Ünal-İzmir €", "漢字 \U0001f600", "a" * 200, "\x00", "'; --")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def partner_python() -> Path:
    """The interpreter of the partner's environment."""
    return partner_environment(
        "partner-venv", [PARTNER / "build-requirements.txt", PARTNER / "requirements.txt"]
    )


def run(python: Path, command: str, folder: Path) -> None:
    # -I: neither our checkout nor our environment is on its path.
    subprocess.run(
        [str(python), "-I", str(PARTNER / "partner.py"), command, str(folder)], check=True, timeout=60
    )


class Odd:
    """Records in their JSON form with odd values in every place where the schema allows them."""

    def __init__(self, name: str, dice: random.Random) -> None:
        self._schema = schema_of(name)
        self._named = named_types(self._schema)
        self._dice = dice

    def record(self) -> Any:
        return self._value(self._schema)

    def _value(self, node: Any) -> Any:
        if isinstance(node, list):
            some = next(part for part in node if part != "null")
            return None if self._dice.random() < 0.4 else self._value(some)
        if isinstance(node, str):
            return self._value(self._named[node]) if node in self._named else self._primitive(node)
        if "logicalType" in node:
            return self._logical(node["logicalType"])
        if node["type"] == "array":
            return [self._value(node["items"]) for _ in range(self._dice.choice((0, 1, 3)))]
        if node["type"] == "enum":
            return self._dice.choice(node["symbols"])
        return {field["name"]: self._value(field["type"]) for field in node["fields"]}

    def _primitive(self, kind: str) -> Any:
        if kind == "string":
            return self._dice.choice(TEXTS)
        if kind == "boolean":
            return self._dice.random() < 0.5
        if kind == "bytes":
            return base64.b64encode(self._dice.randbytes(self._dice.choice((0, 1, 100)))).decode()
        bound = 2**31 if kind == "int" else 2**63
        return self._dice.choice((0, 1, -1, 63, 64, bound - 1, -bound, self._dice.randrange(-bound, bound)))

    def _logical(self, kind: str) -> str:
        if kind == "date":
            return self._dice.choice(("1970-01-01", "1969-12-31", "2026-02-28", str(date.min), str(date.max)))
        if kind == "timestamp-millis":
            moment = _EPOCH + timedelta(
                milliseconds=self._dice.choice((0, -1, 1772271000123, 253402300799999))
            )
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        cents = self._dice.choice((0, 1, -1, 127, 128, -128, -129, 10**12 - 1, -(10**12) + 1))
        return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


def exchanged() -> dict[str, dict[str, Any]]:
    """Records to exchange, by file name without ending."""
    dice = random.Random(20260228)
    records = {f"{name}.full": golden.full_json(name) for name in PUBLIC}
    for name in PUBLIC:
        records |= {f"{name}.{number}": Odd(name, dice).record() for number in range(RANDOM_RECORDS)}
    return records


RECORDS = exchanged()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with what is published: the ids and schemas of the public records."""
    ids = {golden.versioned(version): version.schema_id for version in versions() if version.name in PUBLIC}
    for key in ids:
        text = (resources.files("signaalwissel.schemas") / f"{key}.avsc").read_text("utf-8")
        (tmp_path / f"{key}.avsc").write_text(text, "utf-8")
    (tmp_path / "ids.json").write_text(json.dumps(ids), "utf-8")
    return tmp_path


def test_what_the_partner_writes_we_read(partner_python: Path, folder: Path) -> None:
    for stem, plain in RECORDS.items():
        (folder / f"{stem}.json").write_text(json.dumps(plain), "utf-8")
    run(partner_python, "write", folder)
    for stem, plain in RECORDS.items():
        name = stem.split(".")[0]
        data = (folder / f"{stem}.bin").read_bytes()
        assert codec(name).to_json(codec(name).decode(data)) == plain, stem
        assert codec(name).header + codec(name).encode_body(codec(name).from_json(plain)) == data, stem
        if name == "EarlySignal":
            assert read_early_signal(data) == codec(name).decode(data), stem


def test_what_we_write_the_partner_reads(partner_python: Path, folder: Path) -> None:
    for stem, plain in RECORDS.items():
        name = stem.split(".")[0]
        (folder / f"{stem}.bin").write_bytes(codec(name).encode(codec(name).from_json(plain)))
    run(partner_python, "read", folder)
    for stem, plain in RECORDS.items():
        assert json.loads((folder / f"{stem}.json").read_text("utf-8")) == plain, stem


def test_the_partners_program_imports_nothing_of_ours(partner_python: Path) -> None:
    looked_for = "import importlib.util as u; print(u.find_spec('signaalwissel'), u.find_spec('fastavro'))"
    seen = subprocess.run(
        [str(partner_python), "-I", "-c", looked_for], check=True, timeout=60, capture_output=True, text=True
    )
    assert seen.stdout.split() == ["None", "None"]
    assert "signaalwissel" not in (PARTNER / "partner.py").read_text("utf-8")
