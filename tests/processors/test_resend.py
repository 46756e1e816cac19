"""What a delivery is to the accepted ones before it (domain 8.15)."""

import pytest
from signaalwissel.processors.resend import Resend, resend_of
from signaalwissel.schemas.internal import Delivery

from tests.processors.given import default_policies, policy_with

DAY = 86_400_000
POLICY = default_policies().default


def at(day: int, content: bytes = b"x") -> Delivery:
    return Delivery(day * DAY, content, b"key")


@pytest.mark.parametrize(
    ("accepted", "now", "then"),
    [
        pytest.param([], at(100), Resend.NEW, id="the first"),
        pytest.param([at(100)], at(135), Resend.SAME, id="35 days later"),
        pytest.param([at(100)], at(136), Resend.NEW, id="36 days later"),
        pytest.param([at(100)], at(65), Resend.SAME, id="35 days before"),
        pytest.param([at(100)], at(101, b"y"), Resend.CONFLICTING, id="other content"),
        pytest.param([at(100), at(140, b"y")], at(120), Resend.SAME, id="near two, the same as one"),
        pytest.param([at(100), at(140, b"y")], at(120, b"z"), Resend.CONFLICTING, id="near two, as neither"),
        pytest.param([at(10, b"y"), at(100)], at(110), Resend.SAME, id="an older one does not count"),
    ],
)
def test_resend(accepted: list[Delivery], now: Delivery, then: Resend) -> None:
    assert resend_of(accepted, now, POLICY) is then


def test_the_period_is_a_setting() -> None:
    assert resend_of([at(100)], at(111), policy_with(intake={"resend_days": 10})) is Resend.NEW
