"""Facts: lifecycle events without the person, how they merge, and which of them a signal may see.

Facts are ordered by (sequence, event id); the same event id is the same event (design 2). A decision uses only the
facts within its horizon (design 3, domain 8.11).
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from signaalwissel.processors.amsterdam import start_of_day
from signaalwissel.processors.policy import Policy
from signaalwissel.schemas.internal import ClientPseudonym, Fact
from signaalwissel.schemas.trajectory import TrajectoryEvent, TrajectoryEventKind
from signaalwissel.schemas.units import Millis

_APPLIED: Final = TrajectoryEventKind.APPLIED
_ERASED: Final = TrajectoryEventKind.ERASED
_WITHDRAWN: Final = TrajectoryEventKind.WITHDRAWN_IN_ERROR
_ALWAYS_COUNT: Final = frozenset({_ERASED, _WITHDRAWN})


def fact_of(event: TrajectoryEvent, clients: Iterable[ClientPseudonym]) -> Fact:
    """The fact that an event states, with its clients as keyed hashes."""
    return Fact(
        event_id=event.event_id,
        sequence=event.sequence,
        occurred_on=event.occurred_on,
        recorded_at=event.recorded_at,
        kind=event.kind,
        clients=tuple(clients),
        counsellor=event.counsellor,
        exit_reason=event.exit_reason,
        service=event.service,
        entrepreneur=event.entrepreneur,
    )


def merged(facts: Sequence[Fact], fact: Fact) -> tuple[Fact, ...]:
    """The facts with one more, in their order; the same tuple when it says nothing new.

    Two records with one event id are one event. Where they differ, the one recorded first stands, so that the
    outcome does not depend on which came first.
    """
    known = next((other for other in facts if other.event_id == fact.event_id), None)
    if known is not None and _precedence(known) <= _precedence(fact):
        return tuple(facts)
    others = (other for other in facts if other is not known)
    return tuple(sorted((*others, fact), key=order_of))


def order_of(fact: Fact) -> tuple[int, str]:
    """Where a fact stands among those of its trajectory (design 2)."""
    return fact.sequence, fact.event_id


def horizon_of(last_day: date, policy: Policy) -> Millis:
    """The instant before which a fact must have been recorded to count for a signal received on `last_day`."""
    return _start_of_day_after(last_day, policy.corrections.period_days)


@lru_cache(maxsize=4096)
def _start_of_day_after(last_day: date, days: int) -> Millis:
    return start_of_day(last_day + timedelta(days=days + 1))


def within_horizon(facts: Sequence[Fact], horizon: Millis) -> Sequence[Fact]:
    """The facts that count before `horizon`; the same sequence when all do."""
    if all(fact.recorded_at < horizon or fact.kind in _ALWAYS_COUNT for fact in facts):
        return facts
    return [fact for fact in facts if fact.recorded_at < horizon or fact.kind in _ALWAYS_COUNT]


def stands(facts: Sequence[Fact]) -> bool:
    """Whether the facts make a trajectory: applied for, not erased, not withdrawn in error."""
    last_applied: int | None = None
    last_withdrawn: int | None = None
    for fact in facts:
        kind = fact.kind
        if kind is _APPLIED:
            last_applied = fact.sequence if last_applied is None else max(last_applied, fact.sequence)
        elif kind is _WITHDRAWN:
            last_withdrawn = fact.sequence if last_withdrawn is None else max(last_withdrawn, fact.sequence)
        elif kind is _ERASED and fact.client is None:
            # With a position it erased one client of two: the other's trajectory stands.
            return False
    return last_applied is not None and (last_withdrawn is None or last_applied > last_withdrawn)


def applied(facts: Iterable[Fact]) -> bool:
    """Whether there is an application among the facts: until then all of them wait (domain 8.16)."""
    return any(fact.kind is _APPLIED for fact in facts)


def _precedence(fact: Fact) -> tuple[Millis, str]:
    # repr is a total order over the content; nothing but determinism is asked of it.
    return fact.recorded_at, repr(fact)
