import pytest
from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.processors.municipality_codes import normalised_code
from signaalwissel.processors.validation import is_municipality


@pytest.mark.parametrize("written", ["0344", "344", "GM0344", "gm344", " 0344 ", 344])
def test_the_ways_to_write_a_code(written: object) -> None:
    assert normalised_code(written) == "0344"


@pytest.mark.parametrize(
    "written", ["", "GM", "00344", "0000", "GM0000", "0344a", 0, -1, 10_000, True, 3.5, None, []]
)
def test_what_is_no_code(written: object) -> None:
    assert normalised_code(written) is None


@given(st.text() | st.integers())
def test_a_code_has_four_digits_and_stays_as_it_is(written: object) -> None:
    code = normalised_code(written)
    assert code is None or (is_municipality(code) and normalised_code(code) == code)
