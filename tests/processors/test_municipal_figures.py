"""A municipality's figures: what is counted is told, and no small group can be read from them or worked out."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.processors.figures import Precision, Shown
from signaalwissel.processors.municipal_figures import (
    Contact,
    ContactCount,
    Counts,
    EscalationCount,
    Figure,
    RelapseCount,
    SignalCount,
    figure_lines,
    part,
)
from signaalwissel.schemas.signal import PartnerKind

BELOW = 10
MONTH = date(2026, 2, 1)
NOTHING = Counts((), (), (), ())
small = st.integers(1, BELOW - 1)
count = st.integers(0, 60)


def told(counts: Counts) -> dict[tuple[Figure, str | None], int | str]:
    return {(line.figure, line.group): line.shown.plain for line in figure_lines(counts, BELOW)}


def signals(*groups: tuple[PartnerKind, int, int]) -> Counts:
    return NOTHING._replace(signals=[SignalCount(MONTH, *group) for group in groups])


def contacts(groups: dict[Contact, int], escalated: int = 0, offered: int = 0) -> Counts:
    return NOTHING._replace(
        contacts=[ContactCount(MONTH, *group) for group in groups.items()],
        escalations=[EscalationCount(MONTH, sum(groups.values()), escalated, offered)],
    )


def test_large_groups_are_told_with_their_share_and_totals() -> None:
    lines = figure_lines(signals((PartnerKind.RENT, 100, 25), (PartnerKind.WATER, 50, 0)), BELOW)
    assert [(line.figure, line.group, line.shown.plain, line.share) for line in lines] == [
        (Figure.SIGNALS, PartnerKind.RENT, 100, None),
        (Figure.SIGNALS, PartnerKind.WATER, 50, None),
        (Figure.SIGNALS, None, 150, None),
        (Figure.HITS, PartnerKind.RENT, 25, 25),
        (Figure.HITS, PartnerKind.WATER, 0, 0),
        (Figure.HITS, None, 25, 17),
    ]


def test_a_small_group_and_whatever_would_tell_it_are_bounds() -> None:
    shown = told(signals((PartnerKind.RENT, 100, 95), (PartnerKind.WATER, 4, 1)))
    assert shown == {
        (Figure.SIGNALS, PartnerKind.RENT): 100,
        (Figure.SIGNALS, PartnerKind.WATER): "<10",
        (Figure.SIGNALS, None): ">=101",
        # 95 would tell that 5 were no hit.
        (Figure.HITS, PartnerKind.RENT): ">=91",
        (Figure.HITS, PartnerKind.WATER): "<10",
        (Figure.HITS, None): ">=92",
    }


def test_without_a_bound_on_small_groups_all_is_told() -> None:
    lines = figure_lines(signals((PartnerKind.RENT, 100, 99), (PartnerKind.WATER, 1, 1)), 0)
    assert {line.shown.precision for line in lines} == {Precision.EXACT}


def test_every_group_of_contact_is_there_and_escalations_stand_beside_it() -> None:
    groups = {Contact.WITHIN_3_DAYS: 40, Contact.NOT_YET: 20}
    shown = told(contacts(groups, escalated=30, offered=15))
    assert shown == {
        **{(Figure.CONTACT, contact): groups.get(contact, 0) for contact in Contact},
        (Figure.CONTACT, None): 60,
        (Figure.ESCALATED, None): 30,
        (Figure.OFFERED, None): 15,
    }


def test_relapses_stand_by_whole_months_with_those_that_have_none() -> None:
    shown = told(NOTHING._replace(relapses=[RelapseCount(0, 12), RelapseCount(12, 3)]))
    assert shown[Figure.RELAPSE, "0"] == 12
    assert shown[Figure.RELAPSE, "1"] == 0
    assert shown[Figure.RELAPSE, "12"] == "<10"
    assert shown[Figure.RELAPSE, None] == ">=13"


@given(count, count)
def test_a_part_is_told_truly(one: int, other: int) -> None:
    part_, whole = sorted((one, other))
    shown = part(part_, Shown(Precision.EXACT, whole), BELOW)
    bounds = {
        Precision.EXACT: part_ == shown.number,
        Precision.BELOW: part_ < shown.number,
        Precision.AT_LEAST: part_ >= shown.number,
    }
    assert bounds[shown.precision]


@given(small, small, count, count)
def test_how_many_a_small_group_of_signals_has_changes_nothing(
    one: int, other: int, rest: int, hits: int
) -> None:
    def of(number: int) -> Counts:
        return signals((PartnerKind.RENT, number, 0), (PartnerKind.WATER, rest, min(hits, rest)))

    assert told(of(one)) == told(of(other))


@given(small, small, st.integers(BELOW, 60))
def test_how_many_a_small_group_of_hits_or_of_others_has_changes_nothing(
    one: int, other: int, whole: int
) -> None:
    for hits_of in (lambda number: number, lambda number: whole - number):
        first, second = (signals((PartnerKind.RENT, whole, hits_of(number))) for number in (one, other))
        assert told(first) == told(second)


@given(small, small, st.lists(count, min_size=5, max_size=5), count, count)
def test_how_many_a_small_group_of_contacts_has_changes_nothing(
    one: int, other: int, rest: list[int], climbed: int, offered: int
) -> None:
    def of(number: int) -> Counts:
        groups = dict(zip(Contact, [number, *rest], strict=True))
        least = min(one, other) + sum(rest)
        up = min(climbed, least)
        return contacts(groups, up, min(offered, up))

    assert told(of(one)) == told(of(other))


@given(small, small, st.integers(BELOW, 60), st.integers(BELOW, 60))
def test_how_few_did_not_climb_or_were_not_offered_changes_nothing(
    one: int, other: int, whole: int, climbed: int
) -> None:
    groups = {Contact.WITHIN_3_DAYS: whole + BELOW}
    for escalated, offered in (
        (lambda few: whole + BELOW - few, lambda few: 0),
        (lambda few: min(climbed, whole) + BELOW, lambda few: min(climbed, whole) + BELOW - few),
    ):
        first, second = (contacts(groups, escalated(few), offered(few)) for few in (one, other))
        assert told(first) == told(second)
