"""The gates of the rows can fail: what they look for would show, and what is too much is told."""

import pytest

from tests.faults.defects import DEFECTS
from tests.faults.trials import SOUND, Trial


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_that_only_breaks_the_start_is_not_seen(defect: str) -> None:
    assert not Trial(defect, ["I5 after 60 s None is left to read, ready: False"]).as_it_must


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_seen_by_what_it_does(defect: str) -> None:
    told = DEFECTS[defect].told_by[0]
    assert Trial(defect, ["I5 after 60 s 3 is left to read", f"{told}: 3, such as 00"]).as_it_must


def test_without_a_defect_nothing_may_be_seen() -> None:
    assert Trial(SOUND).as_it_must
    assert not Trial(SOUND, ["I5 after 60 s 3 is left to read"]).as_it_must
