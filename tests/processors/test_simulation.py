"""Lines through the same rules without Kafka: what is no record at all, and what `validate` finds."""

from typing import Any

import pytest
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.simulation_lines import UnknownTopic, findings_in, topic_of

from tests.processors.given import Case, applied, default_policies, policy_with, signal

SIGNAL, APPLIED = signal(), applied(sequence=1, event_id="e1")[0]


@pytest.mark.parametrize(
    ("value", "then"),
    [
        pytest.param(None, ("NULL_VALUE", None), id="no value"),
        pytest.param([], ("UNREADABLE", None), id="no object"),
        pytest.param(
            {**SIGNAL["value"], "arrears": 2.5}, ("UNREADABLE", "arrears"), id="a field of another type"
        ),
        pytest.param(
            {**SIGNAL["value"], "bsn": "1"}, ("UNREADABLE", None), id="a field that the schema lacks"
        ),
        pytest.param(
            {**SIGNAL["value"], "municipality": 344},
            ("UNREADABLE", "municipality"),
            id="a code that is a number",
        ),
    ],
)
def test_what_does_not_fit_the_schema_is_unreadable(value: Any, then: tuple[str, str | None]) -> None:
    (letter,) = Case().feed({"topic": "signals", "value": value})
    assert (letter["value"]["code"], letter["value"]["field"]) == then


def test_what_can_be_read_of_an_unreadable_line_is_shown() -> None:
    (letter,) = Case().feed(
        {"topic": "signals", "value": {**SIGNAL["value"], "arrears": 2.5, "municipality": 7}}
    )
    assert (letter["value"]["record_id"], letter["value"]["municipality"]) == ("S1", None)


BSN = "111222333"


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(signal(municipality=BSN), id="a municipality"),
        pytest.param(signal(signal_id=f"{BSN}\n"), id="an id with a line break"),
        pytest.param(signal(signal_id=BSN * 30), id="an endless id"),
        pytest.param(signal(municipality=BSN, arrears="veel"), id="a municipality of an unreadable line"),
        pytest.param(
            {"topic": "trajectories", "value": {**APPLIED["value"], "municipality": BSN}}, id="of an event"
        ),
        pytest.param(
            {"topic": "task-updates", "value": {"municipality": BSN, "update_id": 7}}, id="of an update"
        ),
    ],
)
def test_what_breaks_its_own_rule_is_not_shown(wrong: dict[str, Any]) -> None:
    (letter,) = Case().feed(wrong)
    found = findings_in(wrong, default_policies())
    assert found is not None
    for line in (letter, found.line()):
        assert BSN not in str(line)
        assert None in {line["value"]["municipality"], line["value"]["record_id"]}


@pytest.mark.parametrize("topic", [None, 7, "decisions", "signalen", "", "tasks", "task-updates.woonstad"])
def test_a_topic_that_is_no_input_ends_it(topic: Any) -> None:
    line = {"topic": topic, "value": SIGNAL["value"]}
    with pytest.raises(UnknownTopic):
        Case().feed(line)
    with pytest.raises(UnknownTopic):
        topic_of(line)


@pytest.mark.parametrize("topic", ["signals", "signals.woonstad", "trajectories", "trajectories.stratech"])
def test_the_topic_of_a_line_is_an_input_or_one_of_a_publisher(topic: str) -> None:
    assert topic_of({"topic": topic}) == topic


@pytest.mark.parametrize(
    ("line", "then"),
    [
        pytest.param(SIGNAL, None, id="a good signal"),
        pytest.param(APPLIED, None, id="a good event"),
        pytest.param(signal(arrears="0.00"), ("INVALID_FIELD", "arrears"), id="a wrong amount"),
        pytest.param(
            signal(municipality="344"), ("INVALID_FIELD", "municipality"), id="a wrong municipality"
        ),
        pytest.param({"topic": "signals", "value": None}, ("NULL_VALUE", None), id="no value"),
        pytest.param(
            {"topic": "trajectories", "value": {**APPLIED["value"], "clients": []}},
            ("MISSING_FIELD", "clients"),
            id="no clients",
        ),
    ],
)
def test_what_is_wrong_with_one_line(line: dict[str, Any], then: tuple[str, str | None] | None) -> None:
    found = findings_in(line, default_policies())
    assert then == (None if found is None else (found.refusal.code.value, found.refusal.field))


def test_a_moment_beyond_the_calendar_does_not_move_the_clock() -> None:
    case = Case()
    case.feed(applied(), signal(on="9999-12-31"))
    assert case.simulation._clock < 2_000_000_000_000


def test_a_refused_record_does_not_move_the_clock() -> None:
    case = Case()
    case.feed(applied(), signal(on="2999-12-31", arrears="0.00"))
    assert case.simulation._clock < 2_000_000_000_000


def test_a_municipality_without_policy_is_unknown() -> None:
    case = Case()
    case.simulation._signals._policies = Policies(policy_with())
    (letter,) = case.feed(SIGNAL)
    assert (letter["value"]["code"], letter["value"]["field"]) == ("UNKNOWN_MUNICIPALITY", "municipality")
