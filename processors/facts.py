"""Facts: lifecycle events without the person, how they merge, and which of them a signal may see.

Facts are ordered by (sequence, event id); the same event id is the same event (design 2). A decision uses only the
facts within its horizon (design 3, domain 8.11).
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from signaalwissel.processors.amsterdam import start_of_day
from signaalwissel.processors.policy import Policy
from signaalwissel.schemas.internal import ClientPseudonym, Fact
from signaalwissel.schemas.trajectory import TrajectoryEvent, TrajectoryEventKind
from signaalwissel.schemas.units import Millis

_ALWAYS_COUNT = frozenset({TrajectoryEventKind.ERASED, TrajectoryEventKind.WITHDRAWN_IN_ERROR})


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
    return start_of_day(last_day + timedelta(days=policy.corrections.period_days + 1))


def within_horizon(facts: Sequence[Fact], horizon: Millis) -> Sequence[Fact]:
    """The facts that count before `horizon`; the same sequence when all do."""
    if all(fact.recorded_at < horizon or fact.kind in _ALWAYS_COUNT for fact in facts):
        return facts
    return [fact for fact in facts if fact.recorded_at < horizon or fact.kind in _ALWAYS_COUNT]


def stands(facts: Sequence[Fact]) -> bool:
    """Whether the facts make a trajectory: applied for, not erased, not withdrawn in error."""
    kinds = TrajectoryEventKind
    applied = [fact.sequence for fact in facts if fact.kind is kinds.APPLIED]
    # An ERASED with a position erased one client of two: the other's trajectory stands.
    if not applied or any(fact.kind is kinds.ERASED and fact.client is None for fact in facts):
        return False
    withdrawn = [fact.sequence for fact in facts if fact.kind is kinds.WITHDRAWN_IN_ERROR]
    return not withdrawn or max(applied) > max(withdrawn)


def applied(facts: Iterable[Fact]) -> bool:
    """Whether there is an application among the facts: until then all of them wait (domain 8.16)."""
    return any(fact.kind is TrajectoryEventKind.APPLIED for fact in facts)


def _precedence(fact: Fact) -> tuple[Millis, str]:
    # repr is a total order over the content; nothing but determinism is asked of it.
    return fact.recorded_at, repr(fact)
