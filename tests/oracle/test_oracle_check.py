"""The checker: silent about a faultless product, and it names every planted fault."""

import copy
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.oracle import check, final_outcomes, history, revisions
from tests.oracle.intake import Line
from tests.oracle.rendering import faultless, random_lines
from tests.oracle.scenario import (
    ANNA,
    BRAM,
    CARLA,
    HOME,
    applied,
    event,
    exited,
    signal,
)

COUPLE = {"bsn": ANNA, **HOME, "surname": "Jansen"}
LINES = [
    signal(signal_id="moves"),
    applied("2025-01-10", COUPLE, counsellor={"counsellor_id": "c1", "team": "noord"}),
    signal(signal_id="hit"),
    signal(signal_id="nobody", subject={"bsn": BRAM}),
    signal(signal_id="address", subject=HOME),
    signal(signal_id="bad", arrears="0.00"),
    applied("2025-02-10", COUPLE, trajectory_id="T2", event_id="second"),
    exited("2025-03-01", reason="NO_SHOW"),
    event("ERASED", "2025-07-01", 9, trajectory_id="T2", event_id="erased"),
    event("ADMITTED", "2025-07-01", 9, trajectory_id="T3"),
    signal("2025-09-01", {"bsn": CARLA}, signal_id="later"),
]


def test_a_faultless_product_has_no_problems() -> None:
    outputs = faultless(LINES)
    topics = Counter(line["topic"] for line in outputs)
    assert topics == {
        "decisions": 11,
        "counsellor-followup": 1,
        "regular-flow": 4,
        "counsellor-corrections": 7,
        "regular-corrections": 3,
        "dead-letters": 2,
    }
    assert check(LINES, outputs) == []


def _nth(outputs: list[Line], topic: str, number: int = 0) -> dict[str, object]:
    value: dict[str, object] = [line["value"] for line in outputs if line["topic"] == topic][number]
    return value


def _drop(topic: str, number: int = 0) -> Callable[[list[Line]], None]:
    def plant(outputs: list[Line]) -> None:
        gone = _nth(outputs, topic, number)
        outputs[:] = [line for line in outputs if line["value"] is not gone]

    return plant


def _double(topic: str) -> Callable[[list[Line]], None]:
    return lambda outputs: outputs.append({"topic": topic, "value": copy.deepcopy(_nth(outputs, topic))})


def _set(topic: str, number: int = 0, **fields: object) -> Callable[[list[Line]], None]:
    return lambda outputs: _nth(outputs, topic, number).update(fields)


def _set_new_routing(topic: str, **fields: object) -> Callable[[list[Line]], None]:
    def plant(outputs: list[Line]) -> None:
        moved = [line["value"]["to"] for line in outputs if line["topic"] == topic and line["value"]["to"]]
        moved[0].update(fields)

    return plant


def _withdrawal_with_routing(outputs: list[Line]) -> None:
    _nth(outputs, "regular-corrections")["to"] = copy.deepcopy(_nth(outputs, "regular-flow"))


def _without_partner(outputs: list[Line]) -> None:
    del _nth(outputs, "regular-flow")["partner"]


def _other_topic(outputs: list[Line]) -> None:
    next(line for line in outputs if line["topic"] == "regular-flow")["topic"] = "counsellor-followup"


TOPICS = (
    "decisions",
    "counsellor-followup",
    "regular-flow",
    "counsellor-corrections",
    "regular-corrections",
    "dead-letters",
)
FAULTS = [
    *((f"a record of {topic} is missing", _drop(topic), topic if "-c" in topic else "") for topic in TOPICS),
    *((f"a record of {topic} comes twice", _double(topic), "") for topic in TOPICS),
    ("the wrong routing topic", _other_topic, "belongs on the other topic"),
    ("a wrong true reason", _set("decisions", 1, reason="OPEN_SERVICE"), "reason"),
    ("a wrong trajectory", _set("decisions", 1, trajectory_id="T9"), "must say"),
    ("a wrong client", _set("counsellor-followup", client=1), "client"),
    ("a wrong state", _set("counsellor-followup", trajectory_state="WINDOW"), "trajectory_state"),
    ("a forgotten counsellor", _set("counsellor-followup", counsellor=None), "counsellor"),
    ("nobody answers for it", _set("counsellor-followup", team=None), "no team"),
    ("wrong arrears", _set("regular-flow", arrears="250.01"), "arrears"),
    ("a wrong reference date", _set("decisions", reference_date="2025-06-01"), "reference_date"),
    ("a trajectory on the regular flow", _set("regular-flow", trajectory_id="T1"), "trajectory_id"),
    ("a client on the regular flow", _set("regular-flow", client=0), "client"),
    ("a telling reason on the regular flow", _set("regular-flow", reason="NO_TRAJECTORY"), "reason"),
    ("a telling text on the regular flow", _set("regular-flow", explanation="Oud traject."), "explanations"),
    ("a cause on regular-corrections", _set("regular-corrections", cause="LIFECYCLE"), "cause"),
    ("no cause on counsellor-corrections", _set("counsellor-corrections", cause=None), "cause"),
    (
        "a hint in a correction",
        _set_new_routing("regular-corrections", window_ends_on="2025-09-01"),
        "window",
    ),
    (
        "a telling text in a correction",
        _set_new_routing("regular-corrections", explanation="?"),
        "explanations",
    ),
    ("a withdrawal that says where to", _withdrawal_with_routing, "WITHDRAWN carries"),
    ("a record without a field of its schema", _without_partner, "lacks"),
    ("the wrong action", _set("regular-corrections", action="MOVED"), "must not be there"),
    ("a gap in the revisions", _set("decisions", 1, revision=7), "revisions"),
    ("another event as the cause", _set("decisions", 1, caused_by_event_id="e50"), "caused_by_event_id"),
    ("a first decision with a cause", _set("decisions", cause="LIFECYCLE"), "cause"),
    ("a wrong code", _set("dead-letters", code="UNREADABLE"), "dead-letters"),
    ("a wrong field", _set("dead-letters", field="subject.bsn"), "dead-letters"),
]


@pytest.mark.parametrize(
    ("plant", "word"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_a_planted_fault_is_named(plant: Callable[[list[Line]], None], word: str) -> None:
    outputs = copy.deepcopy(faultless(LINES))
    plant(outputs)
    problems = check(LINES, outputs)
    assert problems
    assert any(word in problem for problem in problems)


@pytest.mark.parametrize("seed", range(6))
def test_on_random_lines_the_last_revision_is_the_final_answer(seed: int) -> None:
    lines = random_lines(1500, seed, residents=60)
    final = final_outcomes(lines)
    assert {name: told[-1] for name, told in revisions(lines).items()} == {
        n: o.routing for n, o in final.items()
    }
    assert check(lines, faultless(lines)) == []


def test_random_lines_reach_every_reason_and_several_revisions() -> None:
    told = [history(random_lines(3000, seed, residents=60)) for seed in (1, 2)]
    reasons = {one.outcome.reason for answers in told for many in answers.values() for one in many}
    assert len(reasons) == 11
    assert max(len(many) for answers in told for many in answers.values()) > 2


def test_ten_thousand_lines_take_a_few_seconds_of_processor_time() -> None:
    lines = random_lines(10_000, seed=7, residents=1500)
    outputs = faultless(lines)
    before = time.process_time()
    assert check(lines, outputs) == []
    assert time.process_time() - before < 8
