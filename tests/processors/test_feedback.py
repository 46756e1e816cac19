"""What a partner is told in a channel of his own: his own number, one word and the day, the same each time."""

import json
from datetime import UTC, date, datetime

import pytest
from signaalwissel.processors.feedback import Told, message_of
from signaalwissel.schemas.followup import Feedback

TOLD = Told(
    notice_id="partner-feedback-1",
    municipality="0344",
    partner_id="water-west",
    signal_id="S-1",
    feedback=Feedback.TAKEN_UP.value,
    occurred_on=date(2026, 3, 5),
    made_at=datetime(2026, 3, 5, 12, 0, 0, 123456, tzinfo=UTC),
)


@pytest.mark.parametrize("feedback", Feedback)
def test_a_message_is_a_cloudevent_with_four_facts(feedback: Feedback) -> None:
    told = TOLD._replace(feedback=feedback.value)
    assert json.loads(message_of(told, "urn:nld:test")) == {
        "specversion": "1.0",
        "id": "partner-feedback-1",
        "source": "urn:nld:test",
        "type": "nl.vroegsignalering.signaal-teruggekoppeld",
        "time": "2026-03-05T12:00:00.123Z",
        "datacontenttype": "application/json",
        "data": {
            "municipality": "0344",
            "signal_id": "S-1",
            "feedback": feedback.value,
            "occurred_on": "2026-03-05",
        },
    }


def test_the_same_is_told_in_the_same_bytes_wherever_the_clock_stands() -> None:
    there = datetime.fromisoformat("2026-03-05T13:00:00.123456+01:00")
    assert message_of(TOLD, "x") == message_of(TOLD._replace(made_at=there), "x")
