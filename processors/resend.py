"""The same signal again (domain 8.15): ignored, refused, or new.

In: the accepted deliveries of a signal and the one that comes now. Out: what the new one is. Only accepted
deliveries count, so a mended dead letter can be replayed.
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import Enum, auto
from typing import Final

from signaalwissel.processors.policy import Policy
from signaalwissel.schemas.internal import Delivery

_MILLISECONDS: Final = timedelta(milliseconds=1)


class Resend(Enum):
    """What a delivery is to the accepted ones before it."""

    NEW = auto()
    SAME = auto()
    CONFLICTING = auto()


def resend_of(accepted: Sequence[Delivery], delivery: Delivery, policy: Policy) -> Resend:
    """What `delivery` is: new, the same again, or the same number with other content."""
    period = timedelta(days=policy.intake.resend_days) // _MILLISECONDS
    near = [earlier for earlier in accepted if abs(delivery.received_at - earlier.received_at) <= period]
    if not near:
        return Resend.NEW
    return Resend.SAME if any(earlier.digest == delivery.digest for earlier in near) else Resend.CONFLICTING
