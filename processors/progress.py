"""Whether a process still gets on with its work: the rule of liveness by progress.

In: looks at what is due and what was done. Out: for how long work has been due without any of it being done. A process
that lives but does nothing looks healthy to whoever only asks whether it answers; Kafka clients that wait for ever, and
handlers that do, are found by this alone.
"""

from dataclasses import dataclass

COUNTED_GAP_S = 10.0
"""Most seconds that one pause between two looks counts for: a process that was stopped itself could do nothing."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What one look at a running process finds.

    Attributes:
        due: What is waiting to be done, in words that name no data; None when nothing is.
        moved: A number that changes whenever some of it was done for good.
        unready: Why the process does not do its full work now; empty when it does.
    """

    due: str | None
    moved: int
    unready: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Idle:
    """For how long nothing was done although something was due.

    Attributes:
        at_s: When it was last looked at, by a clock that never goes back.
        moved: The number that was seen then.
        idle_s: Seconds without progress, as far as they count.
    """

    at_s: float
    moved: int
    idle_s: float = 0.0

    def after(self, at_s: float, found: Standing) -> "Idle":
        """The state after a further look at `at_s` seconds."""
        if found.due is None or found.moved != self.moved:
            return Idle(at_s, found.moved)
        counted = min(max(at_s - self.at_s, 0.0), COUNTED_GAP_S)
        return Idle(at_s, found.moved, self.idle_s + counted)

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
