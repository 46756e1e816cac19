"""Feedback to a partner in a channel of his own: what stands in it, and nothing beside that (domain 8.17).

In: a notice PARTNER_FEEDBACK. Out: a CloudEvent in JSON, or the record for the partner's own topic. It names the
partner's own number of the signal, the municipality, what the policy lets him know and the day; never a resident, a
trajectory, a reason or a counsellor.
"""

import json
from datetime import UTC, date, datetime
from typing import NamedTuple

from signaalwissel.processors.identifiers import signal_key
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import Feedback, PartnerFeedback

FEEDBACK_TYPE = "nl.vroegsignalering.signaal-teruggekoppeld"


class Told(NamedTuple):
    """What one partner is told about one of his signals.

    Attributes:
        notice_id: The same each time it is sent.
        made_at: When it was recorded, with its zone.
    """

    notice_id: str
    municipality: str
    partner_id: str
    signal_id: str
    feedback: str
    occurred_on: date
    made_at: datetime


def message_of(told: Told, source: str) -> bytes:
    """The CloudEvent: the same bytes each time it is sent.

    Args:
        told: What is told.
        source: CloudEvents source of the installation.
    """
    event = {
        "specversion": "1.0",
        "id": told.notice_id,
        "source": source,
        "type": FEEDBACK_TYPE,
        "time": event_time(told),
        "datacontenttype": "application/json",
        "data": {
            "municipality": told.municipality,
            "signal_id": told.signal_id,
            "feedback": told.feedback,
            "occurred_on": told.occurred_on.isoformat(),
        },
    }
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


def record_of(told: Told) -> tuple[bytes, bytes]:
    """Key and value for the partner's own topic: the same bytes each time."""
    record = PartnerFeedback(
        notice_id=told.notice_id,
        municipality=told.municipality,
        partner_id=told.partner_id,
        signal_id=told.signal_id,
        feedback=Feedback(told.feedback),
        occurred_on=told.occurred_on,
    )
    key = signal_key(told.municipality, told.partner_id, told.signal_id)
    return key, codec("PartnerFeedback").encode(record)


def event_time(told: Told) -> str:
    """CloudEvents time of a message."""
    return told.made_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
