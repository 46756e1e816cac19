"""Every output of a run held against what must come out. In: records, answers. Out: what is wrong, in words.

The answers are those of the product's matcher without Kafka, which the tests hold to an independent oracle
(`tests/oracle`); the peers in Java are written anew, so that two programs must agree to the byte.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from signaalwissel.processors.emissions import DECISIONS
from signaalwissel.schemas.decision_codec import read_decision
from signaalwissel.schemas.primitives import read_string
from signaalwissel.schemas.routing import Decision
from signaalwissel.schemas.wire_format import HEADER_SIZE
from signaalwissel.streams.outputs import partition_of

from tests.benchmarks.peers.ground import Output
from tests.benchmarks.peers.workload import Answer, moment_at, same

_CLOUD_EVENTS = {"ce_id", "ce_source", "ce_specversion", "ce_type", "ce_time", "content-type"}


class Verdict(NamedTuple):
    """What a run's outputs are.

    Attributes:
        findings: How often what is wrong; nothing where the run is correct.
        right: How many signals have the right decision in the end.
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
    outputs: Sequence[Output], answers: Mapping[str, Answer], partitions: int, *, sealed_anew: bool = False
) -> Verdict:
    """Compare.

    A run that sealed the subjects itself read signals and lifecycle events from topics of their own. It may correct
    itself: what counts then is its last decision, and what it said first is no finding. Where one topic gives the order
    there is nothing to correct.

    Args:
        outputs: Everything on the three output topics.
        answers: What must be there, by routing id.
        partitions: Of each topic.
        sealed_anew: The run sealed the subjects itself, so that records are the same but for their seals.
    """
    findings: Counter[str] = Counter()
    seen: Counter[tuple[bool, str]] = Counter()
    corrected = _corrected(outputs, answers) if sealed_anew else {}
    right = 0
    for output in outputs:
        routing_id, _ = read_string(output.value, HEADER_SIZE)
        decides = output.topic == DECISIONS
        seen[decides, routing_id] += 1
        answer = answers.get(routing_id)
        if answer is None:
            findings["not asked for"] += not (decides and _first_id(routing_id) in corrected)
            continue
        wrong = None
        if routing_id not in corrected:
            wrong = _fault(output, answer, routing_id, sealed_anew=sealed_anew)
        if wrong is None and partition_of(output.key, partitions) != output.partition:
            wrong = "in another partition than murmur2 of its key"
        if wrong is not None:
            findings[f"{output.topic}: {wrong}"] += 1
        elif decides and routing_id not in corrected:
            right += 1
    mended = sum(_same_outcome(last, answers[first].decision) for first, last in corrected.items())
    missing = sum((decides, one) not in seen for one in answers for decides in (True, False))
    findings += Counter(
        {
            "more than once": sum(count - 1 for count in seen.values()),
            "missing": missing,
            "corrected into something else": len(corrected) - mended,
        }
    )
    corrections = sum(decides and one not in answers for decides, one in seen)
    return Verdict(+findings, right + mended, corrections)


def _corrected(outputs: Sequence[Output], answers: Mapping[str, Answer]) -> dict[str, Decision]:
    """The last decision of each signal that was decided again, by the routing id of its first."""
    last: dict[str, Decision] = {}
    for output in outputs:
        routing_id, _ = read_string(output.value, HEADER_SIZE)
        first = _first_id(routing_id)
        if output.topic != DECISIONS or routing_id in answers or first not in answers:
            continue
        decision = read_decision(output.value)
        if first not in last or last[first].revision < decision.revision:
            last[first] = decision
    return last


def _first_id(routing_id: str) -> str:
    return f"{routing_id.rpartition('-')[0]}-0"


def _same_outcome(last: Decision, wanted: bytes) -> bool:
    """Whether a correction says what the first decision should have said."""
    return _outcome(last) == _outcome(read_decision(wanted))


def _outcome(decision: Decision) -> Decision:
    return decision._replace(
        routing_id="",
        revision=0,
        decided_at=0,
        sealed_subject=b"",
        action=None,
        cause=None,
        caused_by_event_id=None,
        previous_routing_id=None,
    )


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
