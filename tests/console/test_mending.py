"""A refused record as a form: personal data masked, and nothing but what was filled in changes."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.mending import MASK, fields_of, mended, readable
from signaalwissel.console.replaying import NotReplayable
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import OriginalRecord
from signaalwissel.sinks.dead_letters import DeadLetterRow, DeadLetterStatus
from signaalwissel.sources.generator import generate

RECORD: dict[str, Any] = {
    "signal_id": "s-1",
    "partner": {"partner_id": "woonstad", "kind": "RENT"},
    "subject": {"bsn": "999990019", "house_number": 12, "house_number_addition": None, "surname": "Jansen"},
    "customer_reference": "K-9",
    "arrears": "-5.00",
    "crisis": False,
}
LETTER = DeadLetterRow(
    "d1",
    "intake",
    "signals",
    0,
    7,
    datetime(2026, 2, 3, tzinfo=UTC),
    "INVALID_FIELD",
    "arrears",
    "x",
    "0344",
    "s-1",
    DeadLetterStatus.OPEN,
    0,
)


def test_personal_data_is_masked_and_the_refused_field_is_not() -> None:
    shown = {field.name: field.text for field in fields_of(RECORD, "subject.bsn")}
    assert shown["subject.bsn"] == "999990019"
    assert shown["subject.surname"] == shown["customer_reference"] == shown["subject.house_number"] == MASK
    assert shown["subject.house_number_addition"] == ""
    assert (shown["arrears"], shown["partner.kind"], shown["crisis"]) == ("-5.00", "RENT", "false")
    assert [field.name for field in fields_of(RECORD, "subject.bsn") if field.refused] == ["subject.bsn"]


def test_a_client_s_refused_field_is_found_whatever_way_its_place_is_written() -> None:
    event = {"clients": [{"bsn": "1", "surname": "A"}, {"bsn": "2", "surname": "B"}]}
    for name, shown in (
        ("clients.bsn", ["1", "2"]),
        ("clients[0].bsn", ["1", MASK]),
        ("clients[1].bsn", [MASK, "2"]),
    ):
        fields = fields_of(event, name)
        assert [field.text for field in fields if field.name.endswith("bsn")] == shown
        assert {field.text for field in fields if field.name.endswith("surname")} == {MASK}


def test_what_is_filled_in_takes_its_place_with_the_type_of_its_field() -> None:
    filled = {
        "arrears": "5.00",
        "crisis": "true",
        "subject.house_number": "14",
        "subject.house_number_addition": "a",
        "subject.surname": "",
    }
    assert mended(RECORD, filled) == {
        **RECORD,
        "arrears": "5.00",
        "crisis": True,
        "subject": {**RECORD["subject"], "house_number": 14, "house_number_addition": "a", "surname": None},
    }


def test_names_that_no_field_has_change_nothing() -> None:
    assert mended(RECORD, {"csrf_token": "x", "subject": "y", "subject.bsn.x": "z"}) == RECORD


@given(st.integers(1, 10_000))
def test_a_form_that_is_sent_back_untouched_is_the_same_record(seed: int) -> None:
    for line in generate(20, 10, seed, bad=0):
        record = line["value"]
        filled = {field.name: field.text for field in fields_of(record, None)}
        assert mended(record, filled) == record


def test_what_cannot_be_read_or_is_internal_is_not_mended_by_a_form() -> None:
    with pytest.raises(NotReplayable, match="--mended FILE"):
        readable(LETTER, "signals", OriginalRecord(b"k", b"BSN 111222333", ()))
    with pytest.raises(UsageFailure, match="internal"):
        readable(LETTER, "resident-events", OriginalRecord(b"k", b"", ()))


def test_what_can_be_read_is_the_record_as_its_schema_writes_it() -> None:
    line = next(line for line in generate(50, 20, 1, bad=0) if line["topic"] == "signals")
    schema = codec("EarlySignal")
    record = schema.from_json(line["value"])
    assert readable(LETTER, "signals", OriginalRecord(b"k", schema.encode(record), ())) == schema.to_json(
        record
    )
