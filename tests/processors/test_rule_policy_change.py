"""A policy change never rewrites what was decided: a signal is decided under its first policy for ever."""

from collections.abc import Iterable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signaalwissel.processors.matcher import Clock
from signaalwissel.processors.policy import Policies, Policy, PolicyError
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.simulation_lines import read_line
from signaalwissel.schemas.fact_codec import read_keyed_trajectory, trajectory_body, write_keyed_trajectory
from signaalwissel.schemas.routing import CorrectionCause, Decision, TrueReason

from tests.processors.given import (
    ANNA,
    Line,
    Story,
    applied,
    by_bsn,
    exited,
    numbered,
    policy_with,
    service_opened,
    signal,
)
from tests.processors.keyed import noon
from tests.processors.strategies import Command, Town, commands, towns
from tests.processors.worlds import Delivery, Intake, World, answer_of, deliveries_of

# Known by one key alone, so that each line is one record.
KNOWN = by_bsn(ANNA)
A = policy_with()
B = policy_with(window={"months": 3}, corrections={"period_days": 40}, teams={"default": "team-b"})
POLICIES = [
    A,
    B,
    policy_with(identity={"name_and_address": "hit", "address_persons_max": 1}),
    policy_with(window={"months": 12, "reasons_that_count": ["COMPLETED", "SELF"]}),
]


def folder(policy: Policy | None) -> Policies:
    """A policy folder with one file for the municipality, or without one."""
    return Policies(A, {} if policy is None else {"0344": policy})


def world(policy: Policy) -> World:
    return World(policies=folder(policy))


def sent(*stories: Story | Line) -> list[Delivery]:
    """What intake makes of lines that arrive in this order."""
    return Intake().take(read_line(line["topic"], line["value"]) for line in numbered(*stories))


def decided(by: World, signal_id: str = "S1") -> list[Decision]:
    """Every revision about a signal."""
    (found,) = [revisions for revisions in by.decisions.values() if revisions[0].signal_id == signal_id]
    return found


APPLIED, EXITED, SIGNAL, CHANGES_NOTHING, OVERTURNS = sent(
    applied("2025-01-10", KNOWN),
    exited("2025-10-20"),
    # Within six months of the exit, not within three.
    signal("2026-02-10"),
    exited("2025-09-15", recorded="2026-02-20"),
    exited("2025-07-01", recorded="2026-02-21"),
)


def test_an_event_that_changes_nothing_under_the_first_policy_corrects_nothing() -> None:
    town = world(A).deliver([APPLIED, EXITED, SIGNAL])
    town.restart(folder(B))
    assert town.step(CHANGES_NOTHING) == []


def test_an_event_that_overturns_it_makes_exactly_one_correction_under_the_first_policy() -> None:
    town = world(A).deliver([APPLIED, EXITED, SIGNAL])
    town.restart(folder(B))
    town.deliver([CHANGES_NOTHING, OVERTURNS, OVERTURNS])
    first, second = decided(town)
    assert (first.reason, second.reason) == (
        TrueReason.COMPLETED_WITHIN_WINDOW,
        TrueReason.COMPLETED_OUTSIDE_WINDOW,
    )
    assert (second.cause, second.policy_version) == (CorrectionCause.LIFECYCLE, A.version)


def test_a_new_signal_is_decided_under_the_new_policy() -> None:
    town = world(A).deliver([APPLIED, EXITED])
    town.restart(folder(B))
    town.deliver([SIGNAL])
    (only,) = decided(town)
    assert (only.reason, only.policy_version) == (TrueReason.COMPLETED_OUTSIDE_WINDOW, B.version)


def test_the_horizon_is_that_of_the_first_policy() -> None:
    # The 38th day: beyond A's 35 days, within B's 40.
    story = sent(
        applied("2025-01-10", KNOWN),
        signal("2026-02-10"),
        exited("2026-01-15", "SELF", recorded="2026-03-20"),
    )
    for first, corrections in ((A, 0), (B, 1)):
        town = world(first).deliver(story[:2])
        town.restart(folder(B if first is A else A))
        town.deliver(story[2:])
        assert len(decided(town)) == 1 + corrections


def test_the_owner_is_that_of_the_first_policy() -> None:
    gone = policy_with(teams={"default": "team-a", "unavailable": ["b-17"]})
    owner = {"counsellor": {"counsellor_id": "b-17", "team": "team-noord"}}
    story = sent(
        applied("2025-01-10", KNOWN, **owner),
        exited("2025-07-01"),
        signal("2026-02-10"),
        service_opened("2026-01-01", recorded="2026-02-21"),
    )
    town = world(gone).deliver(story[:3])
    town.restart(folder(B))
    town.deliver(story[3:])
    last = decided(town)[-1]
    assert (last.reason, last.team, last.counsellor) == (TrueReason.OPEN_SERVICE, "team-a", None)


def test_a_municipality_whose_file_is_gone_still_gets_its_corrections() -> None:
    town = world(A).deliver([APPLIED, EXITED, SIGNAL])
    town.restart(folder(None))
    town.deliver([OVERTURNS])
    assert [d.policy_version for d in decided(town)] == [A.version, A.version]


def test_a_new_signal_of_a_municipality_whose_file_is_gone_is_refused() -> None:
    town = world(A)
    town.restart(folder(None))
    with pytest.raises(Rejected, match="UNKNOWN_MUNICIPALITY"):
        town.step(SIGNAL)


def test_a_policy_that_nobody_has_any_more_stops_the_matcher_with_its_version() -> None:
    town = world(A).deliver([APPLIED, EXITED, SIGNAL])
    town.tables[2].clear()
    town.restart(folder(B))
    with pytest.raises(PolicyError, match=f"policy {A.version}"):
        town.step(OVERTURNS)


def test_each_policy_is_kept_once_and_as_long_as_a_recent_signal_needs_it() -> None:
    town = world(A).deliver(sent(signal("2026-02-10"), signal("2026-02-10", signal_id="S2")))
    assert [key.decode() for key in town.tables[2]] == [A.version]
    town.restart(folder(B))
    town.deliver(sent(signal("2026-04-01", signal_id="S3")))
    assert {key.decode() for key in town.tables[2]} == {A.version, B.version}
    town.sweep(noon(date(2026, 5, 1)))
    assert [key.decode() for key in town.tables[2]] == [B.version]


def test_a_sweep_keeps_what_a_signal_of_an_earlier_policy_may_need() -> None:
    """B would have let signal and trajectory go."""
    earlier = policy_with(corrections={"period_days": 140}, window={"months": 24})
    story = sent(
        applied("2023-01-10", KNOWN),
        exited("2024-06-01"),
        signal("2026-02-10"),
        applied("2024-12-01", KNOWN, trajectory="T2", recorded="2026-06-01"),
    )
    moment = noon(date(2024, 6, 1))
    town = World(lambda _: Clock(moment, moment), policies=folder(earlier)).deliver(story[:3])
    town.restart(folder(B))
    town.sweep(noon(date(2026, 6, 1)))
    assert town.knows(story[2].match_key) == ["T1"]
    town.deliver(story[3:])
    assert [d.trajectory_id for d in decided(town)] == ["T1", "T2"]


def touched(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """The latest word on each trajectory once more, as a version that says nothing new."""
    latest = {}
    for delivery in deliveries:
        if not delivery.is_signal:
            known = read_keyed_trajectory(delivery.value)
            latest[delivery.match_key, known.trajectory_id] = known._replace(version=known.version + 1_000)
    return [
        Delivery(match_key, write_keyed_trajectory(trajectory_body(known)))
        for (match_key, _), known in latest.items()
    ]


@settings(max_examples=200)
@given(towns(), st.sampled_from(POLICIES), st.sampled_from(POLICIES))
def test_without_lifecycle_events_no_policy_change_ever_says_anything(
    town: Town, before: Policy, after: Policy
) -> None:
    deliveries = deliveries_of(town)
    under = world(before).deliver(deliveries)
    under.restart(folder(after))
    assert [emission for delivery in touched(deliveries) for emission in under.step(delivery)] == []


@settings(max_examples=200)
@given(towns(), commands(), st.data())
def test_whatever_the_policies_that_come_and_go_a_signal_stays_under_its_first(
    town: Town, said: list[Command], data: st.DataObject
) -> None:
    under = world(data.draw(st.sampled_from(POLICIES)))
    for delivery in data.draw(st.permutations(deliveries_of(town, said))):
        under.restart(folder(data.draw(st.sampled_from(POLICIES))))
        under.step(delivery)
        for ref, revisions in under.decisions.items():
            assert len({revision.policy_version for revision in revisions}) == 1
            if ref not in under.erased:
                assert answer_of(revisions[-1]) == answer_of(under.fresh(ref))
