"""Which sessions of somebody run: what people need to see and end them (OWASP ASVS 7.5.2).

In: digests of a session and of a person, and when it was used. Out: those of somebody. A cookie is whole in itself, so
without this list nobody could know of one in another browser. Nothing of browser or machine is kept.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Running(NamedTuple):
    """A session on the list.

    Attributes:
        digest: Of its id: names it, opens nothing.
        person: Digest of whose it is.
        began_s: Seconds since 1970.
        seen_s: When it was last used, to within a minute.
    """

    digest: bytes
    person: bytes
    began_s: int
    seen_s: int


class RunningSessions(Protocol):
    """The list; each raises EndsAway where it cannot be reached."""

    def see(self, one: Running) -> None:
        """Put a session on it, or say that it was used again."""

    def of(self, person: bytes, *, began_after_s: int, seen_after_s: int) -> Sequence[Running]:
        """Those of somebody that are neither older nor longer at rest, the one used last first."""

    def forget(self, digest: bytes) -> None:
        """Take one off."""


class RunningHere:
    """A list that this process alone knows: for a process that is the only one, and for tests."""

    def __init__(self) -> None:
        self._running: dict[bytes, Running] = {}

    def see(self, one: Running) -> None:
        """Put it on the list."""
        self._running[one.digest] = one

    def of(self, person: bytes, *, began_after_s: int, seen_after_s: int) -> Sequence[Running]:
        """Those of somebody."""
        counts = {
            digest: one
            for digest, one in self._running.items()
            if one.began_s > began_after_s and one.seen_s > seen_after_s
        }
        found = [one for one in counts.values() if one.person == person]
        return sorted(found, key=lambda one: one.seen_s, reverse=True)

    def forget(self, digest: bytes) -> None:
        """Take it off."""
        self._running.pop(digest, None)
