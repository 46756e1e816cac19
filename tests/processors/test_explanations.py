"""The sentence that a reader gets."""

import pytest
from signaalwissel.processors.explanations import NO_HIT, explain, regular_reason
from signaalwissel.schemas.routing import Reason, TrueReason


@pytest.mark.parametrize("reason", TrueReason)
def test_every_reason_is_one_dutch_sentence(reason: TrueReason) -> None:
    sentence = explain(reason)
    assert sentence.endswith(".")
    assert ". " not in sentence


def test_the_regular_side_reads_no_hit_and_nothing_of_a_trajectory() -> None:
    assert regular_reason() == (Reason.NO_HIT, NO_HIT)
    assert "traject" not in NO_HIT
