"""What the matcher knows at each match key, and where in its tables it lies (design 1, 3).

In memory, rebuilt from the tables after a restart. It says what there is, not what it is: of a million trajectories
hardly one in ten is ever asked for, and on disk the others stay there. It holds the very keys that the tables have.
Most residents have one trajectory or one signal, and there are millions of them: a tuple is the smallest. A key at
which a partner tells of thousands is held so that one more costs no more than the first.
"""

from collections.abc import Iterable, Iterator
from typing import Final

MATCH_KEY_SIZE: Final = 34

Keys = tuple[bytes, ...]
_FEW: Final = 8
_Held = Keys | dict[bytes, None]
"""Up to so many as a tuple, more as a dictionary, which keeps their order too."""


class MatcherIndex:
    """The keys of trajectories and of recent signals, by match key."""

    __slots__ = ("_entries", "_refs")

    def __init__(self) -> None:
        self._entries: dict[bytes, _Held] = {}
        self._refs: dict[bytes, _Held] = {}

    def load_entries(self, entries: Iterable[bytes]) -> None:
        """Take the keys of the table of trajectories: a match key, then the id of the trajectory."""
        known = self._entries
        for entry in entries:
            _hold(known, entry[:MATCH_KEY_SIZE], entry)

    def entries_at(self, match_key: bytes) -> Keys:
        """Where the trajectories at a match key lie; nowhere, for nearly every signal."""
        return _keys(self._entries.get(match_key, ()))

    def refs_at(self, match_key: bytes) -> Keys:
        """Where the recent signals at a match key lie, oldest first."""
        return _keys(self._refs.get(match_key, ()))

    def add_entry(self, entry: bytes) -> None:
        """A trajectory came."""
        _hold(self._entries, entry[:MATCH_KEY_SIZE], entry)

    def add_ref(self, match_key: bytes, signal_ref: bytes) -> None:
        """A signal came."""
        _hold(self._refs, match_key, signal_ref)

    def drop_entry(self, entry: bytes) -> None:
        """A trajectory is forgotten."""
        _drop(self._entries, entry[:MATCH_KEY_SIZE], entry)

    def drop_ref(self, match_key: bytes, signal_ref: bytes) -> None:
        """A signal is forgotten."""
        _drop(self._refs, match_key, signal_ref)

    def match_keys(self) -> Iterator[bytes]:
        """The match keys at which something is known."""
        yield from self._entries
        for match_key in self._refs:
            if match_key not in self._entries:
                yield match_key


def _keys(held: _Held) -> Keys:
    return tuple(held) if isinstance(held, dict) else held


def _hold(index: dict[bytes, _Held], match_key: bytes, new: bytes) -> None:
    held = index.get(match_key, ())
    if isinstance(held, dict):
        held[new] = None
    elif len(held) < _FEW:
        index[match_key] = (*held, new)
    else:
        index[match_key] = dict.fromkeys((*held, new))


def _drop(index: dict[bytes, _Held], match_key: bytes, gone: bytes) -> None:
    held = index[match_key]
    if isinstance(held, dict):
        del held[gone]
    else:
        held = index[match_key] = tuple([one for one in held if one != gone])
    if not held:
        del index[match_key]
