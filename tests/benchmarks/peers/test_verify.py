"""The comparison's checker: what it lets pass, and that each kind of wrong output turns it red."""

from collections.abc import Callable
from pathlib import Path

import pytest
from signaalwissel.deploy.progress import Silent
from signaalwissel.processors.emissions import COUNSELLOR_FOLLOWUP, DECISIONS, REGULAR_FLOW
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.decision_codec import read_decision
from signaalwissel.schemas.routing import TrueReason
from signaalwissel.streams.outputs import partition_of

from tests.benchmarks.peers.ground import Output
from tests.benchmarks.peers.verify import verify
from tests.benchmarks.peers.workload import Workload, moment_at, workload

PARTITIONS = 4
HEADERS = ("ce_source", "ce_specversion", "ce_type", "ce_time", "content-type")


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    cache: Path = tmp_path_factory.mktemp("cache")
    return workload(100, 200, cache, Silent())


def outputs_of(month: Workload) -> list[Output]:
    found = []
    for routing_id, answer in month.answers.items():
        headers = (("ce_id", routing_id.encode()), *((name, b"") for name in HEADERS))
        for topic, key, value, told in (
            (answer.route_topic, answer.route_key, answer.route, headers),
            (DECISIONS, answer.decision_key, answer.decision, ()),
        ):
            found.append(Output(topic, partition_of(key, PARTITIONS), len(found), key, value, told))
    return found


def test_what_the_matcher_answers_is_correct(month: Workload) -> None:
    verdict = verify(outputs_of(month), month.answers, PARTITIONS)
    assert verdict.correct
    assert verdict.right == len(month.answers) > 100
    assert {answer.route_topic for answer in month.answers.values()} == {REGULAR_FLOW, COUNSELLOR_FOLLOWUP}


def test_another_moment_of_deciding_is_no_difference(month: Workload) -> None:
    outputs = outputs_of(month)
    at = moment_at(outputs[0].value)
    outputs[0] = outputs[0]._replace(
        value=outputs[0].value[:at] + b"\x80" * 5 + b"\x01" + outputs[0].value[at + 6 :]
    )
    assert verify(outputs, month.answers, PARTITIONS).correct


WRONG: dict[str, Callable[[list[Output]], list[Output]]] = {
    "missing": lambda outputs: outputs[1:],
    "more than once": lambda outputs: [*outputs, outputs[0]],
    "another topic": lambda outputs: [outputs[0]._replace(topic="counsellor-followup-2"), *outputs[1:]],
    "another key": lambda outputs: [outputs[0]._replace(key=b"x"), *outputs[1:]],
    "another partition": lambda outputs: [outputs[0]._replace(partition=PARTITIONS), *outputs[1:]],
    "another record": lambda outputs: [outputs[0]._replace(value=outputs[0].value + b"\x00"), *outputs[1:]],
    "other headers": lambda outputs: [outputs[0]._replace(headers=()), *outputs[1:]],
    "not asked for": lambda outputs: [
        *outputs,
        outputs[0]._replace(value=outputs[0].value[:8] + b"zz" + outputs[0].value[10:]),
    ],
}


@pytest.mark.parametrize("fault", WRONG)
def test_each_fault_is_found(month: Workload, fault: str) -> None:
    verdict = verify(WRONG[fault](outputs_of(month)), month.answers, PARTITIONS)
    assert not verdict.correct
    assert any(fault in finding for finding in verdict.findings)


def decided_wrongly_at_first(outputs: list[Output], *, then_wrong_again: bool = False) -> list[Output]:
    """One signal with a wrong reason, and a correction of it."""
    at = next(n for n, one in enumerate(outputs) if one.topic == DECISIONS)
    right = read_decision(outputs[at].value)
    wrong = right._replace(reason=TrueReason.OBJECTION)
    again = (wrong if then_wrong_again else right)._replace(
        routing_id=right.routing_id.removesuffix("-0") + "-1",
        revision=1,
        previous_routing_id=right.routing_id,
    )
    encode = codec("Decision").encode
    outputs[at] = outputs[at]._replace(value=encode(wrong))
    return [*outputs, outputs[at]._replace(offset=len(outputs), value=encode(again))]


def test_a_wrong_first_decision_that_was_corrected_is_right_in_the_end_where_corrections_are_made(
    month: Workload,
) -> None:
    outputs = decided_wrongly_at_first(outputs_of(month))
    verdict = verify(outputs, month.answers, PARTITIONS, sealed_anew=True)
    assert (verdict.correct, verdict.right, verdict.corrections) == (True, len(month.answers), 1)
    assert not verify(outputs, month.answers, PARTITIONS).correct, "one topic gives the order"


def test_a_correction_into_something_else_is_found(month: Workload) -> None:
    outputs = decided_wrongly_at_first(outputs_of(month), then_wrong_again=True)
    verdict = verify(outputs, month.answers, PARTITIONS, sealed_anew=True)
    assert verdict.findings == {"corrected into something else": 1}
    assert verdict.right == len(month.answers) - 1


def test_a_correction_that_comes_twice_is_found(month: Workload) -> None:
    outputs = decided_wrongly_at_first(outputs_of(month))
    verdict = verify([*outputs, outputs[-1]], month.answers, PARTITIONS, sealed_anew=True)
    assert verdict.findings == {"more than once": 1}
