"""The same signal again: ignored, refused, or new (domain 8.15)."""

import pytest

from tests.processors.given import Case, Line, refusal, running, signal

FIRST = signal(on="2026-02-20T12:00:00Z")
CONFLICT = ("CONFLICTING_RESEND", "signal_id")


@pytest.mark.parametrize(
    ("again", "accepted"),
    [
        pytest.param(signal(on="2026-02-20T12:00:00Z"), 1, id="the same delivery is ignored"),
        pytest.param(signal(on="2026-02-25T08:00:00Z"), 1, id="so is the same content at another moment"),
        pytest.param(signal(on="2026-02-01T08:00:00Z"), 1, id="an earlier one too"),
        pytest.param(signal(on="2026-03-27T12:00:00Z"), 1, id="to the millisecond of the 35th day"),
        pytest.param(signal(on="2026-03-27T12:00:00.001Z"), 2, id="after that it is a new signal"),
        pytest.param(signal(on="2026-03-28T12:00:00Z", arrears="300.00"), 2, id="whatever its content"),
        pytest.param(signal(on="2026-02-20", signal_id="S2"), 2, id="another number is another signal"),
        pytest.param(
            signal(on="2026-02-20", partner={"partner_id": "stroom", "kind": "ENERGY"}),
            2,
            id="another partner's number is another signal",
        ),
    ],
)
def test_what_comes_again_is_a_new_signal_or_nothing(again: Line, accepted: int) -> None:
    case = Case()
    came = [*case.feed(FIRST), *case.feed(again)]
    assert [line["topic"] for line in came] == ["regular-flow", "decisions"] * accepted
    assert len({value["routing_id"] for value in case.records("decisions")}) == accepted


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(signal(on="2026-02-20T12:00:00Z", arrears="300.00"), id="another amount"),
        pytest.param(signal(on="2026-02-20T12:00:00Z", crisis=True), id="another flag"),
        pytest.param(
            signal(on="2026-03-27T12:00:00Z", customer_reference="K1"), id="to the end of the 35th day"
        ),
        pytest.param(
            signal(on="2026-02-20T12:00:00Z", partner={"partner_id": "woonstad", "kind": "WATER"}),
            id="another kind of partner",
        ),
    ],
)
def test_the_same_number_with_other_content_is_refused(again: Line) -> None:
    assert refusal(FIRST, again) == CONFLICT


def test_the_refusal_tells_the_period_its_last_moment_included() -> None:
    case = Case()
    _, _, letter = case.feed(FIRST, signal(on="2026-03-27T12:00:00Z", arrears="300.00"))
    assert letter["value"]["rule"].endswith("with other content at most 35 days apart")


def test_only_accepted_signals_count_so_a_mended_dead_letter_can_be_replayed() -> None:
    case = Case()
    (letter,) = case.feed(signal(on="2026-02-20T12:00:00Z", arrears="0.00"))
    assert letter["value"]["code"] == "INVALID_FIELD"
    assert len(case.feed(FIRST)) == 2


def test_what_was_refused_as_conflicting_changes_nothing() -> None:
    case = Case()
    case.feed(FIRST, signal(on="2026-02-21", arrears="300.00"))
    assert not case.feed(FIRST)
    assert case.feed(signal(on="2026-02-22", arrears="300.00"))[0]["topic"] == "dead-letters"


def test_a_new_delivery_of_an_old_number_is_decided_by_itself() -> None:
    case = Case()
    case.feed(FIRST, signal(on="2026-04-20"), running("2026-04-01", recorded="2026-04-21"))
    first, second, corrected = case.decisions()
    assert (first.routing_id, corrected.previous_routing_id) != (second.routing_id, None)
    assert corrected.previous_routing_id == second.routing_id
