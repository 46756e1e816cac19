"""Ids that are derived, never random: the same record gives the same id on every run (design 2).

Every id of a signal holds the `received_at` of the accepted delivery, because the same number later on is a new
signal (domain 8.15). The ids are hashes: they tell nothing of partner, moment or route.
"""

import hashlib
from enum import StrEnum
from typing import Final

from signaalwissel.schemas.routing import CorrectionAction
from signaalwissel.schemas.units import Millis

_SIZE: Final = 16
_SEPARATOR: Final = "\x1f"


def signal_ref(municipality: str, partner_id: str, signal_id: str, received_at: Millis) -> bytes:
    """The accepted delivery of a signal, in 16 bytes."""
    # The unit separator, which validation keeps out of ids, keeps "a/b" + "c" and "a" + "b/c" apart whatever the partners' numbers hold.
    text = _SEPARATOR.join((municipality, partner_id, signal_id, str(received_at)))
    return hashlib.blake2b(text.encode(), digest_size=_SIZE, person=b"signal").digest()


def routing_id(ref: bytes, revision: int) -> str:
    """One revision of one signal's routing."""
    return f"{ref.hex()}-{revision}"


class Audience(StrEnum):
    """Who reads one half of a correction."""

    COUNSELLOR = "counsellor"
    REGULAR = "regular"


def correction_id(routing: str, audience: Audience, action: CorrectionAction) -> str:
    """One half of a correction: a routing, who reads it and what he must do.

    Both may be told to let go of the same revision (an erased resident's offered signal), and one reader may be told
    two things (a signal that moves between two trajectories).
    """
    return f"{routing}-{audience}-{action.lower()}"


def dead_letter_id(topic: str, partition: int, offset: int) -> str:
    """A record that could not be handled, by where it stands."""
    text = _SEPARATOR.join((topic, str(partition), str(offset)))
    return hashlib.blake2b(text.encode(), digest_size=_SIZE, person=b"dead-letter").hexdigest()


def signal_key(municipality: str, partner_id: str, signal_id: str) -> bytes:
    """The key of `regular-flow` and `decisions`."""
    return f"{municipality}/{partner_id}/{signal_id}".encode()


def signal_table_key(municipality: str, partner_id: str, signal_id: str) -> bytes:
    """The key of intake's table of signals: no two signals share it, whatever their numbers hold."""
    return _SEPARATOR.join((municipality, partner_id, signal_id)).encode()


def signal_of_table_key(key: bytes) -> tuple[str, str, str] | None:
    """Municipality, partner and number behind a key of intake's table of signals; None where it is no such key."""
    try:
        parts = key.decode().split(_SEPARATOR)
    except UnicodeDecodeError:
        return None
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else None


def trajectory_key(municipality: str, trajectory_id: str) -> bytes:
    """The key of everything about one trajectory."""
    return f"{municipality}/{trajectory_id}".encode()
