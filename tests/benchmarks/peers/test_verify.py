"""The comparison's checker: what it lets pass, and that each kind of wrong output turns it red."""

from collections.abc import Callable
from pathlib import Path

import pytest
from signaalwissel.deploy.progress import Silent
from signaalwissel.processors.emissions import COUNSELLOR_FOLLOWUP, DECISIONS, REGULAR_FLOW
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
