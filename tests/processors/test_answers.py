"""What a signal system may be told of a signal (domain 8.17)."""

import pytest
from signaalwissel.processors.answers import answer_of
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.schemas.followup import Feedback
from signaalwissel.schemas.routing import Route

OPAQUE = packaged_policies().default
OPEN = OPAQUE.model_copy(
    update={"feedback": OPAQUE.feedback.model_copy(update={"tell_known_to_debt_help": True})}
)
HIT, REGULAR = Route.COUNSELLOR_FOLLOWUP, Route.REGULAR_FLOW
KNOWN, TAKEN_UP, NOT_TAKEN_UP = Feedback.KNOWN_TO_DEBT_HELP, Feedback.TAKEN_UP, Feedback.NOT_TAKEN_UP


@pytest.mark.parametrize(
    ("route", "told", "policy", "answer"),
    [
        pytest.param(HIT, None, OPAQUE, None, id="a hit without contact tells nothing"),
        pytest.param(HIT, TAKEN_UP, OPAQUE, TAKEN_UP, id="after the contact: taken up"),
        pytest.param(HIT, NOT_TAKEN_UP, OPAQUE, NOT_TAKEN_UP, id="not reached: not taken up"),
        pytest.param(HIT, KNOWN, OPAQUE, TAKEN_UP, id="what the policy forbids since is not told again"),
        pytest.param(HIT, None, OPEN, KNOWN, id="a hit is known at once where the policy says so"),
        pytest.param(HIT, NOT_TAKEN_UP, OPEN, NOT_TAKEN_UP, id="what was told stands"),
        pytest.param(REGULAR, None, OPEN, None, id="the regular flow tells for itself"),
    ],
)
def test_an_answer_says_what_the_policy_allows(
    route: Route, told: Feedback | None, policy: object, answer: Feedback | None
) -> None:
    assert answer_of(route, told, policy) is answer  # type: ignore[arg-type]
