"""The match job for the Python peers: the product's own rules, so that what differs is the engine.

In: records of `resident-events`, tables. Out: what the rules emit, with the headers that the product sends.
"""

import os
import struct
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from signaalwissel.processors.emissions import Emission
from signaalwissel.processors.matcher import Clock, Matcher
from signaalwissel.processors.matcher_state import MatcherState, Table
from signaalwissel.processors.policy import packaged_policies

TOPICS = {
    "counsellor-followup": os.environ["FOLLOWUP_TOPIC"],
    "regular-flow": os.environ["REGULAR_TOPIC"],
    "decisions": os.environ["DECISIONS_TOPIC"],
}
_POLICIES = packaged_policies(for_every_code=True)
_VERSION = _POLICIES.default.version.encode()
_MATCHER = Matcher(_POLICIES)
_LENGTH = struct.Struct(">I")

Headers = list[tuple[str, bytes]]


class Sent(NamedTuple):
    """A record to produce."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers


def new_state(trajectories: Table, recents: Table, kept: Iterable[bytes] = ()) -> MatcherState:
    """The matcher's state over an engine's tables; `kept` are the keys of the trajectories in them."""
    state = MatcherState(trajectories, recents, {})
    # Every engine has the one default policy: none archives it.
    state.load(kept, (), [_VERSION])
    return state


def step(state: MatcherState, key: bytes, value: bytes, record_time: int) -> list[Sent]:
    """Handle one record."""
    now = time.time_ns() // 1_000_000
    emissions = _MATCHER.step(state, key, value, Clock(record_time, now))
    return [Sent(TOPICS[one.topic], one.key, one.value, _headers(one, now)) for one in emissions]


class PackedTrajectories(dict[bytes, bytes]):
    """The trajectories of one match key as one value, for engines whose state hangs on the key.

    Args:
        packed: As `packed` gave it.
    """

    def __init__(self, packed: bytes | None) -> None:
        super().__init__()
        self.changed = False
        at, data = 0, packed or b""
        while at < len(data):
            key, at = _piece(data, at)
            value, at = _piece(data, at)
            super().__setitem__(key, value)

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.changed = True
        super().__setitem__(key, value)

    def packed(self) -> bytes:
        """All of them as bytes."""
        return b"".join(_LENGTH.pack(len(piece)) + piece for pair in self.items() for piece in pair)


class CalledTable:
    """A table behind two functions."""

    def __init__(self, get: Callable[[bytes], bytes | None], put: Callable[[bytes, bytes], object]) -> None:
        self._get, self._put = get, put

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""
        return self._get(key)

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._put(key, value)

    def __delitem__(self, key: bytes) -> None:
        raise NotImplementedError("nothing is erased in this workload")


def _piece(data: bytes, at: int) -> tuple[bytes, int]:
    begin = at + _LENGTH.size
    end = begin + _LENGTH.unpack_from(data, at)[0]
    return data[begin:end], end


def _headers(emission: Emission, now: int) -> Headers:
    if emission.event_type is None:
        return []
    return [
        ("ce_id", emission.event_id.encode()),
        ("ce_source", b"urn:nld:signaalwissel"),
        ("ce_specversion", b"1.0"),
        ("ce_type", emission.event_type.encode()),
        ("ce_time", _time(now)),
        ("content-type", b"application/avro"),
    ]


@lru_cache(maxsize=16)
def _time(now: int) -> bytes:
    return (
        datetime.fromtimestamp(now / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
        .encode()
    )
