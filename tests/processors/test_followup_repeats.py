from datetime import date
from typing import Any

import pytest
from signaalwissel.processors.followup_repeats import recounted, repeats, repeats_any
from signaalwissel.processors.followup_tasks import report_of
from signaalwissel.schemas.signal import Partner, PartnerKind

from tests.processors.followup_support import POLICY, decision

FIRST = report_of(decision("s-1"))


@pytest.mark.parametrize(
    ("changes", "repeated"),
    [
        pytest.param({}, True, id="the same again"),
        pytest.param({"arrears": 49_999}, True, id="a lower amount"),
        pytest.param({"arrears": 50_001}, False, id="a higher amount is handled"),
        pytest.param({"arrears_since": date(2026, 2, 1)}, False, id="other arrears"),
        pytest.param({"arrears_since": None}, True, id="without a beginning the partner tells"),
        pytest.param({"partner": Partner("woonstad", PartnerKind.WATER)}, False, id="another kind"),
        pytest.param({"partner": Partner("anders", PartnerKind.RENT)}, False, id="another partner"),
        pytest.param({"client": 1}, False, id="the other client of the trajectory"),
        pytest.param({"client": None}, True, id="where nobody knows whose, the partner tells"),
        pytest.param({"received_on": date(2026, 9, 1)}, True, id="183 days later"),
        pytest.param({"received_on": date(2026, 9, 2)}, False, id="184 days later"),
        pytest.param({"received_on": date(2026, 2, 1)}, True, id="an older one that comes later"),
    ],
)
def test_a_report_is_repeated_when_it_says_nothing_new(changes: dict[str, Any], repeated: bool) -> None:
    assert repeats(report_of(decision("s-2", **changes)), FIRST, POLICY) is repeated


def test_where_the_earlier_one_has_no_beginning_the_partner_tells_too() -> None:
    earlier = report_of(decision("s-1", arrears_since=None))
    assert repeats(report_of(decision("s-2")), earlier, POLICY)


def test_a_report_does_not_repeat_itself() -> None:
    assert not repeats_any(FIRST, [FIRST], POLICY)


def test_when_the_first_report_leaves_the_next_one_is_no_repetition_any_more() -> None:
    again = report_of(decision("s-2"))._replace(repeated=True)
    once_more = report_of(decision("s-3"))._replace(repeated=True)
    counted = recounted((FIRST._replace(left=True), again, once_more), POLICY)
    assert [report.repeated for report in counted] == [False, False, True]
