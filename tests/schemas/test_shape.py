"""The JSON form of whole records: what may be missing, what is refused, and that no value is told."""

import json
import traceback
from enum import StrEnum
from typing import Any

import pytest
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.routing import Candidate
from signaalwissel.schemas.shape import shape_of
from signaalwissel.schemas.signal import Subject

from tests.schemas.strategies import NAMES, class_of, named_types, schema_of, written_out

SIGNAL: dict[str, Any] = {
    "signal_id": "VS-1",
    "municipality": "0344",
    "partner": {"partner_id": "stedin", "kind": "ENERGY"},
    "subject": {"bsn": "999990019"},
    "arrears": "312.45",
    "received_at": "2026-02-28T09:30:00.000Z",
}
EVENT: dict[str, Any] = {
    "event_id": "E-1",
    "trajectory_id": "T-1",
    "municipality": "0344",
    "sequence": 1,
    "occurred_on": "2026-02-28",
    "recorded_at": "2026-02-28T09:30:00.000Z",
    "kind": "APPLIED",
}


def changed(record: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**record, **fields}


def without(record: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != field}


def test_what_is_missing_is_null_false_or_empty() -> None:
    signal = codec("EarlySignal").from_json(SIGNAL)
    assert signal.subject == Subject(bsn="999990019")
    assert signal.customer_reference is None
    assert signal.arrears_since is None
    assert (signal.crisis, signal.warm_transfer, signal.collection_effort_attested) == (False, False, False)
    assert codec("TrajectoryEvent").from_json(EVENT).clients == ()


def test_null_means_missing() -> None:
    assert codec("EarlySignal").from_json(changed(SIGNAL, arrears_since=None, crisis=None)) == codec(
        "EarlySignal"
    ).from_json(SIGNAL)
    assert codec("TrajectoryEvent").from_json(changed(EVENT, clients=None)).clients == ()


def test_the_json_form_names_every_field_and_holds_plain_values() -> None:
    plain = codec("EarlySignal").to_json(codec("EarlySignal").from_json(SIGNAL))
    assert list(plain) == [field["name"] for field in schema_of("EarlySignal")["fields"]]
    assert plain["subject"]["bsn"] == "999990019"
    assert plain["subject"]["email"] is None
    assert plain["arrears"] == "312.45"
    assert plain["received_at"] == "2026-02-28T09:30:00.000Z"
    assert plain["crisis"] is False


@pytest.mark.parametrize(
    ("record", "plain", "field", "rule"),
    [
        pytest.param("EarlySignal", [SIGNAL], "", "must be an object", id="a list for a record"),
        pytest.param("EarlySignal", without(SIGNAL, "arrears"), "arrears", "is required", id="missing"),
        pytest.param("EarlySignal", changed(SIGNAL, arrears=None), "arrears", "is required", id="null"),
        pytest.param(
            "EarlySignal", changed(SIGNAL, subject=None), "subject", "is required", id="a missing record"
        ),
        pytest.param(
            "EarlySignal",
            changed(SIGNAL, partner={"partner_id": "stedin"}),
            "partner.kind",
            "is required",
            id="missing in a nested record",
        ),
        pytest.param(
            "EarlySignal",
            changed(SIGNAL, subject={"birth_date": "2-1-1980"}),
            "subject.birth_date",
            "must be a date like 2026-02-28",
            id="wrong in an optional field of a nested record",
        ),
        pytest.param(
            "EarlySignal",
            changed(SIGNAL, naam="x", adres="y"),
            "",
            "has 2 field(s) that the schema does not know",
            id="unknown fields",
        ),
        pytest.param(
            "EarlySignal",
            changed(SIGNAL, subject={"bsn": "999990019", "achternaam": "x"}),
            "subject",
            "has 1 field(s) that the schema does not know",
            id="an unknown field in a nested record",
        ),
        pytest.param(
            "TrajectoryEvent", changed(EVENT, clients={}), "clients", "must be a list", id="no list"
        ),
        pytest.param(
            "TrajectoryEvent",
            changed(EVENT, clients=[{}, {"house_number": "12"}]),
            "clients[1].house_number",
            "must be a whole number",
            id="wrong in the second of a list",
        ),
        pytest.param(
            "TrajectoryEvent",
            changed(EVENT, clients=[None]),
            "clients[0]",
            "must be an object",
            id="null in a list",
        ),
    ],
)
def test_json_that_does_not_fit_is_refused_with_the_path(
    record: str, plain: Any, field: str, rule: str
) -> None:
    with pytest.raises(DoesNotFit) as refused:
        codec(record).from_json(plain)
    assert (refused.value.field, refused.value.rule) == (field, rule)
    assert str(refused.value) == f"{field or 'record'}: {rule}"


SECRET = "Jansen-111222333"
TEXTS = {
    "signal_id",
    "municipality",
    "customer_reference",
    "bsn",
    "postcode",
    "house_number_addition",
    "initials",
    "surname",
    "phone",
    "email",
}


@pytest.mark.parametrize("wrong", [SECRET, {SECRET: SECRET}, [SECRET], SECRET + "\ud800", 111222333.5])
@pytest.mark.parametrize(
    "path",
    [
        (field["name"], inner["name"]) if field["name"] in {"subject", "partner"} else (field["name"],)
        for field in schema_of("EarlySignal")["fields"]
        for inner in named_types(field["type"]).get("Subject", {"fields": [{"name": "kind"}]})["fields"]
    ],
    ids=".".join,
)
def test_no_error_tells_a_value_of_a_person(path: tuple[str, ...], wrong: Any) -> None:
    plain = json.loads(json.dumps(SIGNAL))
    target = plain
    for name in path[:-1]:
        target = target[name]
    target[path[-1]] = wrong
    if wrong == SECRET and path[-1] in TEXTS:
        assert codec("EarlySignal").from_json(plain) is not None
        return
    with pytest.raises(DoesNotFit) as refused:
        codec("EarlySignal").from_json(plain)
    told = "".join(traceback.format_exception(refused.value))
    assert "Jansen" not in told
    assert "111222333" not in told
    assert ".".join(path) in str(refused.value)


def test_no_error_about_bytes_tells_a_value_of_a_person() -> None:
    data = codec("EarlySignal").encode(
        codec("EarlySignal").from_json(changed(SIGNAL, subject={"surname": SECRET}))
    )
    at = data.index(b"Jansen")
    for broken in (
        data[: at + 9],
        data[:at] + b"\xff" + data[at + 1 :],
        data[: at - 1] + b"\x7f" + data[at:],
    ):
        with pytest.raises(DoesNotFit) as refused:
            codec("EarlySignal").decode(broken)
        told = "".join(traceback.format_exception(refused.value))
        assert "ansen" not in told
        assert "111222333" not in told


@pytest.mark.parametrize("name", NAMES)
def test_classes_have_the_fields_and_symbols_of_the_schema_in_its_order(name: str) -> None:
    for type_name, node in named_types(schema_of(name)).items():
        mine = class_of(type_name)
        if node["type"] == "enum":
            assert issubclass(mine, StrEnum)
            assert [(member.name, member.value) for member in mine] == [
                (symbol, symbol) for symbol in node["symbols"]
            ]
        elif type_name != "KeyedSignal":
            assert list(mine._fields) == [field["name"] for field in node["fields"]]


def test_a_type_of_one_name_is_the_same_in_every_schema() -> None:
    seen: dict[str, Any] = {}
    for name in NAMES:
        named = named_types(schema_of(name))
        for type_name, node in named.items():
            full = written_out(node, named)
            assert seen.setdefault(type_name, full) == full, f"{type_name} differs in {name}"


def test_a_named_type_is_known_by_its_name_after_its_definition() -> None:
    candidate = named_types(schema_of("RecentSignal"))["Candidate"]
    named: dict[str, Any] = {}
    first = shape_of(candidate, {"Candidate": Candidate}, named)
    assert shape_of("Candidate", {}, named) is first
    assert shape_of(candidate, {"Candidate": Candidate}).from_json(
        {"trajectory_id": "T", "client": 1}
    ) == Candidate("T", 1)
