"""Every output of a run held against what must come out. In: records, answers. Out: what is wrong, in words.

The answers are those of the product's matcher without Kafka, which the tests hold to an independent oracle
(`tests/oracle`); the peers in Java are written anew, so that two programs must agree to the byte.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from signaalwissel.processors.emissions import DECISIONS
from signaalwissel.schemas.decision_codec import read_decision
from signaalwissel.schemas.primitives import read_string
from signaalwissel.schemas.wire_format import HEADER_SIZE
from signaalwissel.streams.outputs import partition_of

from tests.benchmarks.peers.ground import Output
from tests.benchmarks.peers.workload import Answer, moment_at, same

_CLOUD_EVENTS = {"ce_id", "ce_source", "ce_specversion", "ce_type", "ce_time", "content-type"}


class Verdict(NamedTuple):
    """What a run's outputs are.

    Attributes:
        findings: How often what is wrong; nothing where the run is correct.
        right: How many signals have the right first decision.
        corrections: How many decisions are no first ones.
    """

    findings: Counter[str]
    right: int
    corrections: int

    @property
    def correct(self) -> bool:
        """Whether every signal came out exactly once, as it must."""
        return not self.findings


def verify(
    outputs: Iterable[Output], answers: Mapping[str, Answer], partitions: int, *, sealed_anew: bool = False
) -> Verdict:
    """Compare.

    Args:
        outputs: Everything on the three output topics.
        answers: What must be there, by routing id.
        partitions: Of each topic.
        sealed_anew: The run sealed the subjects itself, so that records are the same but for their seals.
    """
    findings: Counter[str] = Counter()
    seen: Counter[tuple[bool, str]] = Counter()
    right = corrections = 0
    for output in outputs:
        routing_id, _ = read_string(output.value, HEADER_SIZE)
        decides = output.topic == DECISIONS
        answer = answers.get(routing_id)
        if answer is None:
            corrections += decides
            findings["not asked for"] += not (decides and sealed_anew)
            continue
        seen[decides, routing_id] += 1
        wrong = _fault(output, answer, routing_id, sealed_anew=sealed_anew)
        if wrong is None and partition_of(output.key, partitions) != output.partition:
            wrong = "in another partition than murmur2 of its key"
        if wrong is not None:
            findings[f"{output.topic}: {wrong}"] += 1
        elif decides:
            right += 1
    twice = sum(count - 1 for count in seen.values())
    missing = 2 * len(answers) - len(seen)
    findings += Counter({"more than once": twice, "missing": missing})
    return Verdict(+findings, right, corrections)


def _fault(output: Output, answer: Answer, routing_id: str, *, sealed_anew: bool) -> str | None:
    if output.topic == DECISIONS:
        key, value = answer.decision_key, answer.decision
    else:
        key, value = answer.route_key, answer.route
        if output.topic != answer.route_topic:
            return "another topic"
        headers = dict(output.headers)
        if headers.keys() != _CLOUD_EVENTS or headers["ce_id"] != routing_id.encode():
            return "other headers"
    if output.key != key:
        return "another key"
    alike = _alike(output, value) if sealed_anew else same(output.value, value)
    return None if alike else "another record"


def _alike(output: Output, wanted: bytes) -> bool:
    at = moment_at(wanted)
    if output.value[:at] != wanted[:at]:
        return False
    if output.topic != DECISIONS:
        return True
    found, asked = read_decision(output.value), read_decision(wanted)
    return found._replace(decided_at=0, sealed_subject=b"") == asked._replace(
        decided_at=0, sealed_subject=b""
    )
