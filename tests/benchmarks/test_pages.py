"""Tables of figures in pages."""

import pytest

from tests.benchmarks.pages import NoPlace, filled, table_lines

PAGE = "# Speed\n\nbefore\n\n<!-- speed -->\nold\n<!-- end of speed -->\n\nafter\n"


def test_the_lines_take_the_place_of_those_between_the_marks() -> None:
    assert filled(PAGE, "speed", ["new", "lines"]) == (
        "# Speed\n\nbefore\n\n<!-- speed -->\n\nnew\nlines\n\n<!-- end of speed -->\n\nafter\n"
    )


def test_filling_a_page_twice_gives_what_filling_it_once_gives() -> None:
    once = filled(PAGE, "speed", ["new"])
    assert filled(once, "speed", ["new"]) == once


@pytest.mark.parametrize(("page", "name"), [(PAGE, "growth"), ("<!-- speed -->\nopen for ever", "speed")])
def test_a_page_without_the_place_is_refused_by_name(page: str, name: str) -> None:
    with pytest.raises(NoPlace, match=name):
        filled(page, name, ["new"])


def test_a_table_has_a_header_and_a_line_for_each_row() -> None:
    assert table_lines(("a", "b"), [("1", "2")]) == ["| a | b |", "|---|---|", "| 1 | 2 |"]
