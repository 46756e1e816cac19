"""Which reason stands where several hold, and which trajectory where there are several (domain 8.6)."""

import pytest
from signaalwissel.schemas.routing import Route, TrueReason

from tests.processors.given import (
    Case,
    Story,
    applied,
    completed,
    decision,
    event,
    refused,
    running,
    service_opened,
    signal,
)

NOW = signal(on="2026-02-20")
RUNS = running("2026-01-10", trajectory="RUNS")
AFTERCARE = [
    *completed(on="2025-12-01", trajectory="AFTERCARE"),
    *event("AFTERCARE_STARTED", "2025-12-01", trajectory="AFTERCARE"),
]
SERVICE = [
    *completed(on="2025-12-01", trajectory="SERVICE"),
    *service_opened("2025-12-01", trajectory="SERVICE"),
]
WINDOW = completed(on="2025-12-01", trajectory="WINDOW")
OUTSIDE = completed(on="2025-06-01", trajectory="OUTSIDE")
NOT_COMPLETED = completed(on="2025-12-01", reason="MOVED", trajectory="NOT_COMPLETED")
REFUSED = [*applied("2025-12-01", trajectory="REFUSED"), *refused("2025-12-20", trajectory="REFUSED")]
STRONGEST_FIRST = [RUNS, AFTERCARE, SERVICE, WINDOW, OUTSIDE, NOT_COMPLETED, REFUSED]
REASONS = [
    TrueReason.RUNNING_TRAJECTORY,
    TrueReason.OPEN_AFTERCARE,
    TrueReason.OPEN_SERVICE,
    TrueReason.COMPLETED_WITHIN_WINDOW,
    TrueReason.COMPLETED_OUTSIDE_WINDOW,
    TrueReason.EXIT_NOT_COMPLETED,
    TrueReason.ADMISSION_REFUSED,
]


@pytest.mark.parametrize("weaker_first", [False, True], ids=["stronger came first", "weaker came first"])
@pytest.mark.parametrize("strongest", range(len(REASONS)), ids=[reason.lower() for reason in REASONS])
def test_the_stronger_reason_stands_whatever_else_is_there(strongest: int, weaker_first: bool) -> None:
    stories = STRONGEST_FIRST[strongest:]
    found = decision(stories[::-1] if weaker_first else stories, NOW)
    assert found.reason is REASONS[strongest]
    assert found.trajectory_id == stories[0][0]["value"]["trajectory_id"]


def test_four_reasons_go_to_the_counsellor_and_the_others_to_the_regular_flow() -> None:
    routes = [decision(story, NOW).route for story in STRONGEST_FIRST]
    assert routes == [Route.COUNSELLOR_FOLLOWUP] * 4 + [Route.REGULAR_FLOW] * 3


@pytest.mark.parametrize(
    ("given", "then"),
    [
        pytest.param(
            [*running("2025-03-01", trajectory="A"), *running("2025-02-01", trajectory="B")],
            "A",
            id="the latest start, before the highest id",
        ),
        pytest.param(
            [*running("2025-03-01", trajectory="A"), *running("2025-03-01", trajectory="B")],
            "B",
            id="then the highest id",
        ),
        pytest.param(
            [*running("2025-03-01", trajectory="T10"), *running("2025-03-01", trajectory="T9")],
            "T9",
            id="ids are texts",
        ),
        pytest.param(
            [
                *completed(on="2025-10-01", since="2025-03-01", trajectory="A"),
                *completed(on="2026-01-01", since="2025-02-01", trajectory="B"),
            ],
            "A",
            id="the latest start counts, not the latest exit",
        ),
    ],
)
def test_of_equal_trajectories_the_latest_start_wins(given: Story, then: str) -> None:
    assert decision(given, NOW).trajectory_id == then


def test_every_reason_has_its_sentence_and_the_regular_flow_reads_one_sentence_for_all() -> None:
    sentences, regular = set(), set()
    for story in STRONGEST_FIRST:
        case = Case()
        case.feed(story, NOW)
        sentences.add(case.decision().explanation)
        regular |= {(record["reason"], record["explanation"]) for record in case.records("regular-flow")}
    assert len(sentences) == len(STRONGEST_FIRST)
    assert len(regular) == 1
