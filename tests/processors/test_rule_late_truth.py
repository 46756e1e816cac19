"""What is told after a signal was routed: one correction, or none (domain 8.11; design 2, 3)."""

import pytest
from signaalwissel.schemas.routing import Route, TrueReason

from tests.processors.given import (
    ANNA,
    HOME,
    Case,
    Line,
    Story,
    admitted,
    applied,
    by_address,
    event,
    exited,
    objected,
    refused,
    running,
    service_opened,
    signal,
)

NOW = signal(on="2026-02-20")
AT_HOME = signal(on="2026-02-20", about=by_address(ANNA))
LATER = "2026-02-25"
# An exit waits for its application, so that both come as one change.
EXIT_BEFORE_APPLICATION = [
    *exited("2025-06-01", "SELF", trajectory="T2", sequence=2, recorded=LATER),
    *applied("2025-01-10", trajectory="T2", sequence=1, recorded=LATER),
]
LAST_MOMENT, TOO_LATE = "2026-03-27T22:59:59Z", "2026-03-27T23:00:00Z"
TO_COUNSELLOR = [("regular-corrections", "WITHDRAWN"), ("counsellor-corrections", "MOVED")]
TO_REGULAR = [("counsellor-corrections", "WITHDRAWN"), ("regular-corrections", "MOVED")]
TO_ANOTHER = [("counsellor-corrections", "WITHDRAWN"), ("counsellor-corrections", "MOVED")]
AUDIT_ONLY, NOTHING = [("decisions", None)], None


def told(case: Case, *late: Story | Line) -> list[tuple[str, str | None]]:
    """Topic and action of all that a late event brings."""
    return [(line["topic"], line["value"].get("action")) for line in case.feed(*late)]


@pytest.mark.parametrize(
    ("given", "when", "late", "then"),
    [
        pytest.param(
            [],
            NOW,
            running(recorded=LATER),
            TO_COUNSELLOR,
            id="a trajectory that was told late: to the counsellor",
        ),
        pytest.param(
            running(),
            NOW,
            exited("2026-02-01", "SELF", recorded=LATER),
            TO_REGULAR,
            id="an exit told late: regular",
        ),
        pytest.param(
            running(),
            NOW,
            objected("2026-02-01", recorded=LATER),
            TO_REGULAR,
            id="an objection told late: regular",
        ),
        pytest.param(
            running(), NOW, event("WITHDRAWN_IN_ERROR", LATER), TO_REGULAR, id="it was a mistake: regular"
        ),
        pytest.param(running(), NOW, event("ERASED", LATER), TO_REGULAR, id="erased: regular like any other"),
        pytest.param(
            running(),
            NOW,
            running("2026-02-01", trajectory="T2", recorded=LATER),
            TO_ANOTHER,
            id="a better trajectory: from one counsellor to another",
        ),
        pytest.param(
            running(),
            NOW,
            exited("2026-02-01", recorded=LATER),
            NOTHING,
            id="another reason for the same trajectory",
        ),
        pytest.param(running(), NOW, exited(LATER), NOTHING, id="an exit after the signal"),
        pytest.param(
            [*applied("2025-01-10"), *refused("2025-01-20")],
            NOW,
            EXIT_BEFORE_APPLICATION,
            NOTHING,
            id="of a regular signal another trajectory",
        ),
        pytest.param([], NOW, EXIT_BEFORE_APPLICATION, NOTHING, id="of a regular signal another reason"),
        pytest.param(
            [], AT_HOME, running(recorded=LATER), AUDIT_ONLY, id="into an address-only match: audit alone"
        ),
        pytest.param(
            running(), AT_HOME, exited("2025-03-01", recorded=LATER), AUDIT_ONLY, id="out of it: audit alone"
        ),
        pytest.param(
            running(),
            AT_HOME,
            running("2026-02-01", {**HOME, "birth_date": "1990-01-01"}, trajectory="T2"),
            NOTHING,
            id="one candidate more",
        ),
    ],
)
def test_a_late_event_corrects_what_it_would_have_changed(
    given: Story, when: Line, late: Story, then: list[tuple[str, str | None]] | None
) -> None:
    case = Case()
    case.feed(given, when)
    *before, last = late
    case.feed(before)
    came = told(case, last)
    changed = [] if then is None else then if then is AUDIT_ONLY else [*then, ("decisions", "MOVED")]
    assert [c for c in came if c[0] != "decisions"] == [c for c in changed if c[0] != "decisions"]
    assert came[-1:] == changed[-1:]


@pytest.mark.parametrize(
    ("recorded", "corrected"),
    [
        pytest.param(LAST_MOMENT, True, id="to the end of the 35th day after receipt"),
        pytest.param(TOO_LATE, False, id="not after it"),
    ],
)
@pytest.mark.parametrize(
    "late",
    [
        pytest.param("EXITED", id="an exit"),
        pytest.param("OBJECTION_LODGED", id="an objection"),
    ],
)
def test_only_what_was_recorded_within_the_horizon_counts(late: str, recorded: str, corrected: bool) -> None:
    case = Case()
    case.feed(running(), NOW)
    more = {"exit_reason": "SELF"} if late == "EXITED" else {}
    assert bool(case.feed(event(late, "2026-01-10", recorded=recorded, **more))) is corrected


@pytest.mark.parametrize("kind", ["ERASED", "WITHDRAWN_IN_ERROR"])
def test_erased_and_withdrawn_in_error_always_count(kind: str) -> None:
    case = Case()
    case.feed(running(), NOW, event(kind, "2027-01-01"))
    assert case.decision().reason is TrueReason.NO_TRAJECTORY


def test_a_fact_beyond_the_horizon_does_not_count_for_an_older_signal_but_for_a_newer_one() -> None:
    case = Case()
    case.feed(running(), exited("2026-01-10", "SELF", recorded=TOO_LATE))
    case.feed(NOW, signal(on="2026-02-21", signal_id="S2"))
    assert case.decision("S1").reason is TrueReason.RUNNING_TRAJECTORY
    assert case.decision("S2").reason is TrueReason.EXIT_NOT_COMPLETED


def test_withdrawn_in_error_and_applied_for_again_is_as_if_it_never_was_withdrawn() -> None:
    case = Case()
    case.feed(running(), event("WITHDRAWN_IN_ERROR", "2026-01-10"), NOW)
    assert case.decision().reason is TrueReason.NO_TRAJECTORY
    case.feed(applied("2025-02-01", recorded=LATER))
    assert case.decision().reason is TrueReason.RUNNING_TRAJECTORY


def test_erased_is_for_good() -> None:
    case = Case()
    case.feed(running(), event("ERASED", "2026-01-10"), applied("2026-01-20"), NOW)
    assert case.decision().reason is TrueReason.NO_TRAJECTORY


def test_every_event_that_changes_something_is_one_revision_that_names_the_event_and_the_one_before() -> None:
    case = Case()
    case.feed(running(), NOW, exited("2026-02-01", "SELF", recorded=LATER))
    case.feed(event("REOPENED", "2026-02-10", recorded=LATER), admitted("2026-02-11", recorded=LATER))
    first, second, third = case.decisions()
    assert [d.revision for d in (first, second, third)] == [0, 1, 2]
    assert [d.cause for d in (first, second, third)] == [None, "LIFECYCLE", "LIFECYCLE"]
    assert [d.caused_by_event_id for d in (first, second, third)] == [None, "T1-2", "T1-3"]
    assert [d.previous_routing_id for d in (second, third)] == [first.routing_id, second.routing_id]
    assert len({d.routing_id for d in (first, second, third)}) == 3


def test_each_half_of_a_correction_says_what_its_reader_must_know() -> None:
    case = Case()
    case.feed(NOW, running(recorded=LATER))
    (withdrawn,) = case.records("regular-corrections")
    (moved,) = case.records("counsellor-corrections")
    (first,) = case.records("regular-flow")
    assert withdrawn["from_routing_id"] == moved["from_routing_id"] == first["routing_id"]
    assert (withdrawn["to"], withdrawn["cause"]) == (None, None)
    assert (moved["to"]["trajectory_id"], moved["cause"]) == ("T1", "LIFECYCLE")
    assert withdrawn["correction_id"] != moved["correction_id"]
    assert withdrawn["revision"] == moved["revision"] == moved["to"]["revision"] == 1


def test_an_erased_trajectory_says_so_to_the_counsellor_alone() -> None:
    case = Case()
    case.feed(running(), NOW, event("ERASED", LATER))
    (withdrawn,) = case.records("counsellor-corrections")
    (moved,) = case.records("regular-corrections")
    assert (withdrawn["cause"], withdrawn["to"]) == ("ERASED", None)
    assert (moved["cause"], moved["to"]["reason"], moved["to"]["trajectory_id"]) == (None, "NO_HIT", None)


def test_every_recent_signal_at_the_key_is_corrected() -> None:
    case = Case()
    case.feed(NOW, signal(on="2026-02-21", signal_id="S2"), running(recorded=LATER))
    assert [case.decision(s).reason for s in ("S1", "S2")] == [TrueReason.RUNNING_TRAJECTORY] * 2


def test_the_same_event_again_says_nothing() -> None:
    case = Case()
    case.feed(NOW, running(recorded=LATER, sequence=1))
    assert not case.feed(running(recorded=LATER, sequence=1))


def test_of_two_records_with_one_event_id_the_one_recorded_first_counts_whichever_came_first() -> None:
    early = exited("2026-02-01", "SELF", sequence=2, recorded="2026-02-22")
    late = exited("2026-02-02", "COMPLETED", sequence=2, recorded="2026-02-23")
    reasons = []
    for pair in ([early, late], [late, early]):
        case = Case()
        case.feed(running(sequence=1), NOW, *pair)
        reasons.append(case.decision().reason)
    assert reasons == [TrueReason.EXIT_NOT_COMPLETED] * 2


def test_events_in_any_order_of_arrival_end_in_the_same_route() -> None:
    """The order of the case system counts, not that of arrival."""
    story = [
        applied("2025-01-10", sequence=1),
        exited("2025-06-01", "SELF", sequence=2),
        service_opened("2025-06-01", sequence=3),
    ]
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]):
        case = Case()
        case.feed(NOW, *[story[n] for n in order])
        assert (case.decision().route, case.decision().trajectory_id) == (Route.COUNSELLOR_FOLLOWUP, "T1")
