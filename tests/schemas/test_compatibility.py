"""BACKWARD_TRANSITIVE: which changes of a schema break a new reader on old data, and that no committed one does."""

import copy
import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from signaalwissel.schemas.compatibility import Finding, broken_successions, incompatibilities
from signaalwissel.schemas.contract import SchemaVersion, versions

DATE = {"type": "int", "logicalType": "date"}
EURO = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}
OLD: dict[str, Any] = {
    "type": "record",
    "name": "Signal",
    "namespace": "nl.test",
    "fields": [
        {"name": "id", "type": "string"},
        {
            "name": "partner",
            "type": {
                "type": "record",
                "name": "Partner",
                "fields": [
                    {"name": "partner_id", "type": "string"},
                    {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["RENT", "WATER"]}},
                ],
            },
        },
        {"name": "arrears", "type": EURO},
        {"name": "since", "type": ["null", DATE], "default": None},
        {"name": "on", "type": DATE},
        {"name": "count", "type": "int"},
        {"name": "others", "type": {"type": "array", "items": "Partner"}},
        {"name": "digest", "type": {"type": "fixed", "name": "Digest", "size": 16}},
        {"name": "notes", "type": {"type": "map", "values": "string"}},
        {"name": "backup", "type": ["null", "Partner"], "default": None},
    ],
}
WRITTEN: dict[str, Any] = {
    "id": "S",
    "partner": {"partner_id": "p", "kind": "WATER"},
    "arrears": Decimal("312.45"),
    "since": date(2026, 2, 27),
    "on": date(2026, 2, 28),
    "count": 5,
    "others": [{"partner_id": "q", "kind": "RENT"}],
    "digest": b"0123456789abcdef",
    "notes": {"a": "b"},
    "backup": {"partner_id": "r", "kind": "RENT"},
}
Change = Callable[[dict[str, dict[str, Any]], dict[str, Any]], None]


def changed(change: Change) -> dict[str, Any]:
    """The old schema after `change`, which gets its fields by name and the whole of it."""
    new = copy.deepcopy(OLD)
    change({field["name"]: field for field in new["fields"]}, new)
    return new


def partner(fields: dict[str, dict[str, Any]]) -> dict[str, Any]:
    inner: dict[str, Any] = fields["partner"]["type"]
    return inner


def kind(fields: dict[str, dict[str, Any]]) -> dict[str, Any]:
    inner: dict[str, Any] = partner(fields)["fields"][1]["type"]
    return inner


def sets(field: str, /, **properties: Any) -> Change:
    return lambda fields, _: fields[field].update(properties)


def sets_kind(**properties: Any) -> Change:
    return lambda fields, _: kind(fields).update(properties)


def renames_partner(fields: dict[str, dict[str, Any]], _: dict[str, Any]) -> None:
    partner(fields)["name"] = "Supplier"
    fields["others"]["type"]["items"] = "Supplier"
    fields["backup"]["type"][1] = "Supplier"


def moves_count_to_the_front(_: dict[str, dict[str, Any]], schema: dict[str, Any]) -> None:
    schema["fields"].insert(0, schema["fields"].pop(5))


def adds(field: dict[str, Any]) -> Change:
    return lambda _, schema: schema["fields"].append(field)


def adds_to_partner(field: dict[str, Any]) -> Change:
    return lambda fields, _: partner(fields)["fields"].append(field)


def removes(name: str) -> Change:
    return lambda fields, schema: schema["fields"].remove(fields[name])


def euro(**properties: Any) -> Change:
    return sets("arrears", type={**EURO, **properties})


ADDED = "was added, or renamed without an alias, and has no default"


@pytest.mark.parametrize(
    ("change", "findings"),
    [
        pytest.param(adds({"name": "new", "type": "string"}), [("new", ADDED)], id="added without default"),
        pytest.param(
            adds({"name": "new", "type": ["null", "string"]}), [("new", ADDED)], id="optional, no default"
        ),
        pytest.param(
            adds_to_partner({"name": "branch", "type": "int"}),
            [("partner.branch", ADDED), ("others[].branch", ADDED), ("backup.branch", ADDED)],
            id="added to a record in a record, a list and a union",
        ),
        pytest.param(sets("id", name="signal_id"), [("signal_id", ADDED)], id="field renamed"),
        pytest.param(
            sets("count", type="string"),
            [("count", "its type changed from int to string")],
            id="type changed",
        ),
        pytest.param(
            sets("count", type=["null", "string"]),
            [("count", "may hold int, which its type no longer has")],
            id="type changed into a union without it",
        ),
        pytest.param(
            sets("since", type=DATE, default=0),
            [("since", "its type changed from null to date")],
            id="no longer optional",
        ),
        pytest.param(
            sets("since", type=["null", "string"]),
            [("since", "may hold date, which its type no longer has")],
            id="type changed inside a union",
        ),
        pytest.param(
            sets_kind(symbols=["RENT"]),
            [
                (field, "its enum lost WATER and has no default")
                for field in ("partner.kind", "others[].kind", "backup.kind")
            ],
            id="enum symbol removed",
        ),
        pytest.param(
            sets_kind(symbols=["RENT", "DRINKING_WATER"]),
            [
                (field, "its enum lost WATER and has no default")
                for field in ("partner.kind", "others[].kind", "backup.kind")
            ],
            id="enum symbol renamed",
        ),
        pytest.param(
            euro(precision=10), [("arrears", "its precision changed from 12 to 10")], id="precision down"
        ),
        pytest.param(
            euro(precision=14), [("arrears", "its precision changed from 12 to 14")], id="precision up"
        ),
        pytest.param(euro(scale=3), [("arrears", "its scale changed from 2 to 3")], id="scale"),
        pytest.param(
            sets("arrears", type="bytes"),
            [
                ("arrears", "its logical type changed from decimal to none"),
                ("arrears", "its precision changed from 12 to none"),
                ("arrears", "its scale changed from 2 to none"),
            ],
            id="decimal to bytes",
        ),
        pytest.param(
            sets("on", type="int"), [("on", "its logical type changed from date to none")], id="date to int"
        ),
        pytest.param(
            sets("on", type={"type": "long", "logicalType": "timestamp-millis"}),
            [("on", "its logical type changed from date to timestamp-millis")],
            id="date to timestamp",
        ),
        pytest.param(
            renames_partner,
            [
                (field, "its record was renamed from nl.test.Partner to nl.test.Supplier without an alias")
                for field in ("partner", "others[]", "backup")
            ],
            id="record renamed",
        ),
        pytest.param(
            lambda fields, schema: schema.update(namespace="nl.other"),
            [("", "its record was renamed from nl.test.Signal to nl.other.Signal without an alias")],
            id="namespace changed",
        ),
        pytest.param(
            sets("digest", type={"type": "fixed", "name": "Digest", "size": 32}),
            [("digest", "its size changed from 16 to 32 bytes")],
            id="fixed of another size",
        ),
        pytest.param(
            sets("notes", type={"type": "map", "values": "int"}),
            [("notes{}", "its type changed from string to int")],
            id="values of a map",
        ),
    ],
)
def test_a_breaking_change_is_found_with_field_and_rule(
    change: Change, findings: list[tuple[str, str]]
) -> None:
    assert incompatibilities(OLD, changed(change)) == [Finding(*finding) for finding in findings]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda *_: None, id="nothing"),
        pytest.param(
            adds({"name": "new", "type": ["null", "string"], "default": None}), id="optional with default"
        ),
        pytest.param(
            adds({"name": "flag", "type": "boolean", "default": False}), id="required, with a default"
        ),
        pytest.param(
            adds_to_partner({"name": "branch", "type": ["null", "int"], "default": None}),
            id="optional in a nested record",
        ),
        pytest.param(sets_kind(symbols=["GAS", "RENT", "WATER"]), id="enum symbol added"),
        pytest.param(
            sets_kind(symbols=["RENT", "WATER", "UNKNOWN"], default="UNKNOWN"),
            id="enum symbol added, with a default",
        ),
        pytest.param(
            sets_kind(symbols=["RENT", "UNKNOWN"], default="UNKNOWN"),
            id="enum symbol removed, with a default",
        ),
        pytest.param(removes("count"), id="field removed"),
        pytest.param(sets("id", name="signal_id", aliases=["id"]), id="field renamed with an alias"),
        pytest.param(sets("count", type="long"), id="int to long"),
        pytest.param(sets("count", type=["null", "int"]), id="now optional"),
        pytest.param(sets("count", type=["null", "long"]), id="now optional, and long"),
        pytest.param(sets("id", doc="Another text."), id="doc changed"),
        pytest.param(moves_count_to_the_front, id="fields in another order"),
        pytest.param(sets("notes", type={"type": "map", "values": ["null", "string"]}), id="values optional"),
    ],
)
def test_a_change_that_a_new_reader_can_read_is_allowed(change: Change) -> None:
    new = changed(change)
    assert incompatibilities(OLD, new) == []
    out = io.BytesIO()
    fastavro.schemaless_writer(out, OLD, WRITTEN)
    assert fastavro.schemaless_reader(io.BytesIO(out.getvalue()), copy.deepcopy(OLD), new)


def test_a_type_inside_itself_is_compared_once() -> None:
    step = {
        "type": "record",
        "name": "Step",
        "fields": [{"name": "what", "type": "string"}, {"name": "next", "type": ["null", "Step"]}],
    }
    assert incompatibilities(step, step) == []


def version(number: int, schema: dict[str, Any]) -> SchemaVersion:
    return SchemaVersion("Signal", number, number, schema)


def test_every_later_version_must_read_every_earlier_one() -> None:
    first = changed(removes("count"))
    second = changed(sets("count", default=0))
    third = OLD
    broken = broken_successions([version(3, third), version(1, first), version(2, second)])
    assert [(one.old.version, one.new.version, one.findings) for one in broken] == [
        (1, 3, [Finding("count", ADDED)])
    ]


def test_no_committed_version_breaks_the_reading_of_an_earlier_one() -> None:
    assert broken_successions(versions()) == []
