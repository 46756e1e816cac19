"""No hit falls out, and what happens when a resident is erased: the commands of the sink (domain 8.10; design 2, 7)."""

import pytest
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.rejection import Rejected
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.early_signal_codec import read_early_signal
from signaalwissel.schemas.routing import Route, TrueReason

from tests.processors.given import Case, completed, exited, policy_with, reopened, running, signal

NOW = signal(on="2026-02-20")
OFFER, ERASE = "OFFER_TO_REGULAR", "ERASE_SIGNAL"


def hit() -> Case:
    case = Case()
    case.feed(running(), NOW)
    return case


def actions(case: Case, topic: str) -> list[str]:
    return [record["action"] for record in case.records(topic)]


def test_an_offered_signal_goes_to_the_regular_flow_as_well() -> None:
    case = hit()
    case.command(OFFER)
    (for_counsellor,), (for_regular,) = (
        case.records("counsellor-corrections"),
        case.records("regular-corrections"),
    )
    assert (for_counsellor["action"], for_counsellor["cause"]) == ("ALSO_OFFERED", "NOT_REACHED")
    assert for_counsellor["to"]["trajectory_id"] == "T1"
    assert (for_regular["action"], for_regular["cause"]) == ("MOVED", None)
    assert (for_regular["to"]["reason"], for_regular["to"]["trajectory_id"]) == ("NO_HIT", None)


def test_it_leaves_route_and_trajectory_as_they_are() -> None:
    case = hit()
    case.command(OFFER)
    found = case.decision()
    assert (found.revision, found.route, found.trajectory_id) == (1, Route.COUNSELLOR_FOLLOWUP, "T1")
    assert (found.action, found.caused_by_event_id) == ("ALSO_OFFERED", "c1")


@pytest.mark.parametrize("again", ["c1", "c2"], ids=["the same command", "another command"])
def test_it_is_offered_once(again: str) -> None:
    case = hit()
    case.command(OFFER)
    assert not case.command(OFFER, command_id=again)


def test_what_the_regular_side_has_is_not_offered() -> None:
    case = Case()
    case.feed(NOW)
    assert not case.command(OFFER)


def test_offered_and_then_regular_tells_the_counsellor_alone() -> None:
    case = hit()
    case.command(OFFER)
    case.feed(exited("2026-02-01", "SELF", recorded="2026-02-25"))
    assert actions(case, "counsellor-corrections") == ["ALSO_OFFERED", "WITHDRAWN"]
    assert actions(case, "regular-corrections") == ["MOVED"]


def test_offered_and_then_another_trajectory_leaves_it_with_the_regular_side() -> None:
    case = hit()
    case.command(OFFER)
    case.feed(running("2026-02-01", trajectory="T2", recorded="2026-02-25"))
    assert actions(case, "counsellor-corrections") == ["ALSO_OFFERED", "WITHDRAWN", "MOVED"]
    assert actions(case, "regular-corrections") == ["MOVED"]


def test_offered_regular_and_back_with_the_counsellor_stays_offered() -> None:
    """The resident was not reached: that a trajectory runs after all does not take the offer back."""
    case = hit()
    case.command(OFFER)
    case.feed(
        exited("2026-02-01", "SELF", recorded="2026-02-25"), reopened("2026-02-05", recorded="2026-02-26")
    )
    assert actions(case, "counsellor-corrections") == ["ALSO_OFFERED", "WITHDRAWN", "MOVED"]
    assert actions(case, "regular-corrections") == ["MOVED"]


def test_what_stays_offered_is_told_to_the_regular_side_once_and_withdrawn_from_it_once() -> None:
    case = hit()
    case.command(OFFER)
    case.feed(
        exited("2026-02-01", "SELF", recorded="2026-02-25"), reopened("2026-02-05", recorded="2026-02-26")
    )
    case.feed(exited("2026-02-06", "SELF", recorded="2026-02-27"))
    assert actions(case, "regular-corrections") == ["MOVED"]
    case.feed(reopened("2026-02-07", recorded="2026-02-28"))
    case.command(ERASE, command_id="c9")
    assert actions(case, "regular-corrections") == ["MOVED", "WITHDRAWN"]


def under_shorter_window(case: Case) -> None:
    """A worker that starts again with another policy and the tables that it had."""
    policies = Policies(policy_with(window={"months": 1}), for_every_code=True)
    case.simulation._matcher._policies = policies


def test_a_new_policy_changes_nothing_about_a_signal_that_is_offered_after_it() -> None:
    case = Case()
    case.feed(completed(on="2025-12-01"), NOW)
    under_shorter_window(case)
    case.command(OFFER)
    first, offered = case.decisions()
    assert (offered.action, offered.reason) == ("ALSO_OFFERED", TrueReason.COMPLETED_WITHIN_WINDOW)
    assert offered.policy_version == first.policy_version


def without_trajectory(case: Case, trajectory_id: str) -> None:
    """Tables in which a trajectory is missing: lost, or read otherwise by a new release."""
    case.simulation._state.drop_trajectory(case.decision().match_key, trajectory_id)


def test_what_is_no_hit_any_more_is_moved_instead_of_offered() -> None:
    case = Case()
    case.feed(completed(on="2025-12-01"), NOW)
    without_trajectory(case, "T1")
    case.command(OFFER)
    assert case.decision().reason is TrueReason.NO_TRAJECTORY
    assert actions(case, "counsellor-corrections") == ["WITHDRAWN"]
    assert actions(case, "regular-corrections") == ["MOVED"]


def test_what_is_another_trajectorys_by_now_is_moved_and_offered() -> None:
    case = Case()
    case.feed(
        completed(on="2026-01-01", since="2025-03-01"),
        completed(on="2026-02-01", since="2025-02-01", trajectory="T2"),
        NOW,
    )
    without_trajectory(case, "T1")
    case.command(OFFER)
    assert [(d.trajectory_id, d.action) for d in case.decisions()] == [
        ("T1", None),
        ("T2", "MOVED"),
        ("T2", "ALSO_OFFERED"),
    ]


@pytest.mark.parametrize(
    ("offered", "counsellor", "regular"),
    [
        pytest.param(False, ["WITHDRAWN"], [], id="with the counsellor alone"),
        pytest.param(True, ["ALSO_OFFERED", "WITHDRAWN"], ["MOVED", "WITHDRAWN"], id="with both"),
    ],
)
def test_an_erased_residents_signal_is_withdrawn_wherever_it_is(
    offered: bool, counsellor: list[str], regular: list[str]
) -> None:
    case = hit()
    if offered:
        case.command(OFFER)
    case.command(ERASE, command_id="c9")
    assert actions(case, "counsellor-corrections") == counsellor
    assert actions(case, "regular-corrections") == regular
    assert all(record["to"] is None for record in case.records("counsellor-corrections")[-1:])
    assert all(record["to"] is None for record in case.records("regular-corrections")[-1:])


def test_both_halves_of_an_erased_offered_signal_have_an_id_of_their_own() -> None:
    case = hit()
    case.command(OFFER)
    case.command(ERASE, command_id="c2")
    halves = [case.records(topic)[-1] for topic in ("counsellor-corrections", "regular-corrections")]
    assert [half["action"] for half in halves] == ["WITHDRAWN", "WITHDRAWN"]
    assert len({half["correction_id"] for half in halves}) == 2


def test_an_erased_residents_regular_signal_is_withdrawn_from_the_regular_side() -> None:
    case = Case()
    case.feed(NOW)
    case.command(ERASE)
    assert actions(case, "regular-corrections") == ["WITHDRAWN"]
    assert not actions(case, "counsellor-corrections")


def test_nothing_of_the_resident_is_left() -> None:
    case = hit()
    case.command(ERASE)
    last = case.decision()
    assert (last.action, last.cause, last.sealed_subject, last.trajectory_id) == (
        "WITHDRAWN",
        "ERASED",
        b"",
        None,
    )
    assert not case.feed(exited("2026-02-01", "SELF", recorded="2026-02-25"))


def test_a_command_about_a_signal_that_is_not_known_is_refused() -> None:
    case = hit()
    case.command(ERASE)
    with pytest.raises(Rejected, match="UNKNOWN_SIGNAL"):
        case.command(OFFER, command_id="c2")


def test_the_subject_stays_sealed_all_the_way() -> None:
    case = hit()
    subject = read_early_signal(
        codec("EarlySignal").encode(codec("EarlySignal").from_json(NOW["value"]))
    ).subject
    (routed,) = case.records("counsellor-followup")
    assert subject.bsn is not None
    assert subject.bsn not in str(case.outputs)
    assert routed["sealed_subject"]
