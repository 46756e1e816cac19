from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.processors.figures import Count, cell, table, total
from signaalwissel.schemas.signal import PartnerKind

FEBRUARY = date(2026, 2, 1)
MARCH = date(2026, 3, 1)


def count(partner: str = "woonstad", first: int = 0, second: int = 0, **changes: object) -> Count:
    made = Count("0344", FEBRUARY, PartnerKind.RENT, partner, first, second)
    return made._replace(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "shown"), [(0, 0), (1, "<10"), (9, "<10"), (10, 10), (11, 11), (4000, 4000)]
)
def test_a_small_count_is_shown_as_small_and_none_as_none(number: int, shown: int | str) -> None:
    assert cell(number, 10).plain == shown


@pytest.mark.parametrize("below", [0, 1])
def test_a_municipality_may_choose_to_show_every_count(below: int) -> None:
    assert [cell(number, below).plain for number in range(3)] == [0, 1, 2]


def test_a_total_is_exact_only_where_no_cell_is_small() -> None:
    rows = table([count("a", 10, 3), count("b", 27, 12)], lambda _: 10)
    assert [(row.after_admission.plain, row.after_exit.plain) for row in rows] == [
        (10, "<10"),
        (27, 12),
        (37, ">=13"),
    ]


def test_a_total_of_nothing_but_small_cells_says_how_many_there_are_and_no_more() -> None:
    rows = table([count("a", 9), count("b", 9), count("c", 0)], lambda _: 10)
    assert rows[-1].after_admission.plain == ">=2"


def test_every_municipality_has_its_own_bound_and_its_own_total() -> None:
    rows = table(
        [count("a", 5), count("a", 5, municipality="0599"), count("a", 12, month=MARCH)],
        {"0344": 10, "0599": 3}.__getitem__,
    )
    assert [(row.month, row.municipality, row.partner_id, row.after_admission.plain) for row in rows] == [
        (FEBRUARY, "0344", "a", "<10"),
        (FEBRUARY, "0344", None, ">=1"),
        (FEBRUARY, "0599", "a", 5),
        (FEBRUARY, "0599", None, 5),
        (MARCH, "0344", "a", 12),
        (MARCH, "0344", None, 12),
    ]


def test_lines_stand_by_kind_and_partner() -> None:
    counts = [
        count("z", partner_kind=PartnerKind.ENERGY),
        count("b"),
        count("a"),
    ]
    assert [row.partner_id for row in table(counts, lambda _: 10)] == ["z", "a", "b", None]


def test_no_counts_make_no_table() -> None:
    assert table([], lambda _: 10) == []


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(2, 12), st.data())
def test_whatever_the_small_counts_are_the_table_looks_the_same(
    counts: list[int], below: int, data: st.DataObject
) -> None:
    # Whoever knows this program and sees the table cannot tell one small count from another.
    others = [data.draw(st.integers(1, below - 1)) if 0 < number < below else number for number in counts]

    def shown(numbers: list[int]) -> list[object]:
        made = table([count(f"p-{n}", number) for n, number in enumerate(numbers)], lambda _: below)
        return [row.after_admission.plain for row in made]

    assert shown(counts) == shown(others)


@given(st.lists(st.integers(0, 40), max_size=8), st.integers(0, 12))
def test_a_total_is_never_too_high_and_exact_when_it_says_so(counts: list[int], below: int) -> None:
    shown = total([cell(number, below) for number in counts])
    assert shown.number <= sum(counts)
    if isinstance(shown.plain, int):
        assert shown.plain == sum(counts)
