"""Whether a process still gets on with its work: the rule of liveness by progress.

In: looks at what is due and what was done. Out: for how long work has been due without any of it being done. A process
that lives but does nothing looks healthy to whoever only asks whether it answers; Kafka clients that wait for ever, and
handlers that do, are found by this alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

COUNTED_GAP_S = 10.0
"""Most seconds that one pause between two looks counts for: a process that was stopped itself could do nothing."""


class Part(NamedTuple):
    """Something that is due by itself: that others move says nothing about it.

    Attributes:
        name: The same at every look.
        due: What is waiting to be done, in words that name no data.
        moved: A number that changes whenever some of it was done for good.
        turns: How many take turns at the same work; who waits for the others' turns is not idle, so its clock goes so
            many times slower.
    """

    name: str
    due: str
    moved: int
    turns: int = 1


@dataclass(frozen=True, slots=True)
class Standing:
    """What one look at a running process finds.

    Attributes:
        due: What is waiting to be done, in words that name no data; None when nothing is.
        moved: A number that changes whenever some of it was done for good.
        unready: Why the process does not do its full work now; empty when it does.
        parts: What must move by itself, whatever else does; only what is due.
        resting: Parts that nobody can move now, by name, with their numbers: their clocks stand still until they are
            looked at again.
    """

    due: str | None
    moved: int
    unready: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    resting: Mapping[str, int] = field(default_factory=dict)


class Clock(NamedTuple):
    """What was last seen of something that is due, and for how long it has not moved, as far as that counts."""

    due: str
    moved: int
    idle_s: float


@dataclass(frozen=True, slots=True)
class Idle:
    """For how long nothing was done although something was due.

    Attributes:
        at_s: When it was last looked at, by a clock that never goes back.
        moved: The number that was seen then.
        whole_s: Seconds in which nothing at all was done, as far as they count.
        parts: The parts that were due then, or rested, by name.
        due: What has waited longest of all that was due then; None when nothing was.
    """

    at_s: float
    moved: int
    whole_s: float = 0.0
    parts: Mapping[str, Clock] = field(default_factory=dict)
    due: str | None = None

    @property
    def idle_s(self) -> float:
        """Seconds without progress of the whole, or of the part that has waited longest."""
        return max([self.whole_s, *(clock.idle_s for clock in self.parts.values())])

    def after(self, at_s: float, found: Standing) -> "Idle":
        """The state after a further look at `at_s` seconds."""
        counted = min(max(at_s - self.at_s, 0.0), COUNTED_GAP_S)
        stands = found.due is not None and found.moved == self.moved
        whole_s = self.whole_s + counted if stands else 0.0
        resting = {
            name: clock for name, clock in self.parts.items() if found.resting.get(name) == clock.moved
        }
        parts = resting | {part.name: self._clock(part, counted) for part in found.parts}
        whole = [] if found.due is None else [Clock(found.due, found.moved, whole_s)]
        longest = max([*whole, *parts.values()], key=attrgetter("idle_s"), default=None)
        return Idle(at_s, found.moved, whole_s, parts, None if longest is None else longest.due)

    def _clock(self, part: Part, counted_s: float) -> Clock:
        before = self.parts.get(part.name)
        if before is None or before.moved != part.moved:
            return Clock(part.due, part.moved, 0.0)
        return Clock(part.due, part.moved, before.idle_s + counted_s / part.turns)

    def stuck(self, bound_s: float) -> bool:
        """Whether nothing was done for `bound_s` seconds, which are more than any orderly wait takes."""
        return self.idle_s >= bound_s


def record_age_ms(now_ms: int, handled_ms: int | None, caught_up_ms: int | None) -> int | None:
    """The age that the oldest unread record has at most, in milliseconds; None where that is not known.

    Args:
        now_ms: The moment of asking, epoch milliseconds.
        handled_ms: Kafka's timestamp of the last record that was handled; those behind it are not older.
        caught_up_ms: When nothing was unread for the last time; what is unread now came later.
    """
    known = [moment for moment in (handled_ms, caught_up_ms) if moment is not None]
    return max(now_ms - max(known), 0) if known else None
