"""What the matcher knows at each match key, and where in its tables it lies (design 1, 3).

In memory, rebuilt from the tables after a restart. It says what there is, not what it is: of a million trajectories
hardly one in ten is ever asked for, and on disk the others stay there. It holds the very keys that the tables have,
as tuples: most residents have one trajectory or one signal, and there are millions of them.
"""

from collections.abc import Iterable, Iterator
from typing import Final

MATCH_KEY_SIZE: Final = 34

Keys = tuple[bytes, ...]


class MatcherIndex:
    """The keys of trajectories and of recent signals, by match key."""

    __slots__ = ("_entries", "_refs")

    def __init__(self) -> None:
        self._entries: dict[bytes, Keys] = {}
        self._refs: dict[bytes, Keys] = {}

    def load_entries(self, entries: Iterable[bytes]) -> None:
        """Take the keys of the table of trajectories: a match key, then the id of the trajectory."""
        known = self._entries
        for entry in entries:
            match_key = entry[:MATCH_KEY_SIZE]
            known[match_key] = (*known.get(match_key, ()), entry)

    def entries_at(self, match_key: bytes) -> Keys:
        """Where the trajectories at a match key lie; nowhere, for nearly every signal."""
        return self._entries.get(match_key, ())

    def refs_at(self, match_key: bytes) -> Keys:
        """Where the recent signals at a match key lie, oldest first."""
        return self._refs.get(match_key, ())

    def add_entry(self, entry: bytes) -> None:
        """A trajectory came."""
        match_key = entry[:MATCH_KEY_SIZE]
        self._entries[match_key] = (*self._entries.get(match_key, ()), entry)

    def add_ref(self, match_key: bytes, signal_ref: bytes) -> None:
        """A signal came."""
        self._refs[match_key] = (*self._refs.get(match_key, ()), signal_ref)

    def drop_entry(self, entry: bytes) -> None:
        """A trajectory is forgotten."""
        _without(self._entries, entry[:MATCH_KEY_SIZE], entry)

    def drop_ref(self, match_key: bytes, signal_ref: bytes) -> None:
        """A signal is forgotten."""
        _without(self._refs, match_key, signal_ref)

    def match_keys(self) -> Iterator[bytes]:
        """The match keys at which something is known."""
        yield from self._entries
        for match_key in self._refs:
            if match_key not in self._entries:
                yield match_key


def _without(index: dict[bytes, Keys], match_key: bytes, gone: bytes) -> None:
    rest = tuple([one for one in index[match_key] if one != gone])
    if rest:
        index[match_key] = rest
    else:
        del index[match_key]
