"""The table of public topics says what intake, matcher and sink really do, and its examples are records."""

import pytest
from signaalwissel.processors import routing
from signaalwissel.processors.contract_topics import RECORD_ON
from signaalwissel.processors.every_finding import every_finding
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.public_topics import (
    CORRECTED_TYPE,
    NOTICE_TYPE,
    PUBLIC_TOPICS,
    ROUTED_TYPE,
    TASK_CHANGED_TYPE,
    event_types_of,
    examples,
    key_of,
)
from signaalwissel.processors.published import published
from signaalwissel.processors.simulation_lines import RECORDS
from signaalwissel.schemas.contract import codec
from signaalwissel.sinks.outbox import NOTICE_MADE, TASK_CHANGED

EXAMPLES = [(topic, value) for topic, values in examples().items() for value in values]
INPUTS = [(topic, value) for topic, value in EXAMPLES if topic in RECORDS]


def test_every_public_topic_is_in_the_table_and_has_an_example() -> None:
    assert [topic.name for topic in PUBLIC_TOPICS] == list(RECORD_ON)
    assert set(examples()) == set(RECORD_ON)


def test_the_inputs_are_what_others_write() -> None:
    assert {topic.name for topic in PUBLIC_TOPICS if topic.written_by_others} == set(RECORDS)


def test_the_kinds_of_events_are_those_that_are_published() -> None:
    assert (ROUTED_TYPE, CORRECTED_TYPE) == (routing._ROUTED_TYPE, routing._CORRECTED_TYPE)
    assert (TASK_CHANGED_TYPE, NOTICE_TYPE) == (TASK_CHANGED, NOTICE_MADE)


@pytest.mark.parametrize(("topic", "value"), EXAMPLES)
def test_an_example_is_a_record_of_its_topic(topic: str, value: dict[str, object]) -> None:
    kind = codec(RECORD_ON[topic])
    record = kind.from_json(value)
    assert kind.decode(kind.encode(record)) == record


@pytest.mark.parametrize(("topic", "value"), INPUTS)
def test_intake_would_take_an_example(topic: str, value: dict[str, object]) -> None:
    assert every_finding(topic, value, packaged_policies(for_every_code=True)) == []


@pytest.mark.parametrize(("topic", "value"), INPUTS)
def test_the_key_and_kind_of_an_input_are_those_that_we_publish(topic: str, value: dict[str, object]) -> None:
    sent = published(codec(RECORD_ON[topic]).from_json(value))
    assert key_of(topic, value).encode() == sent.key
    assert event_types_of(f"{topic}.water-west", value) == (sent.kind,)
