"""Erased clients: one resident of a trajectory of two is gone for good, the other's trajectory goes on (design 2, 7).

In: the facts of a trajectory. Out: the same facts without what they say of the erased clients. That a client was erased
is a fact itself, ERASED with his position, so intake, matcher, sink and `rebuild` all know it, and whatever a case
system tells of him later stays away.
"""

from collections.abc import Callable, Collection, Sequence

from signaalwissel.schemas.internal import ClientPseudonym, Fact
from signaalwissel.schemas.trajectory import TrajectoryEventKind

_LISTING = frozenset({TrajectoryEventKind.APPLIED, TrajectoryEventKind.CLIENT_CHANGED})
_ABOUT_ONE = frozenset(
    {
        TrajectoryEventKind.EXITED,
        TrajectoryEventKind.REFUSED,
        TrajectoryEventKind.OBJECTION_LODGED,
        TrajectoryEventKind.OBJECTION_WITHDRAWN,
    }
)
_NOBODY = ClientPseudonym()

Named = Callable[[ClientPseudonym], Collection[int]]
"""Gives the positions of a person whom an event names; empty where nobody is recognised."""


def erased_positions(facts: Sequence[Fact]) -> frozenset[int]:
    """The positions of the clients who were erased."""
    return frozenset(
        fact.client for fact in facts if fact.kind is TrajectoryEventKind.ERASED and fact.client is not None
    )


def without_erased(fact: Fact, erased: Collection[int], named: Named) -> Fact | None:
    """A fact without what it says of erased clients; None where it was about them alone.

    Args:
        fact: Any fact of the trajectory, one that came after the erasure too.
        erased: Positions of the erased.
        named: Who is meant by a name. One who is not recognised is taken for an erased client: of him nothing is left
            to recognise him by.
    """
    if fact.kind is TrajectoryEventKind.ERASED:
        return fact
    if fact.client is not None:
        return None if fact.client in erased else fact
    if fact.kind in _LISTING:
        kept = (_NOBODY if position in erased else one for position, one in enumerate(fact.clients))
        return fact._replace(clients=tuple(kept))
    if not fact.clients:
        return fact
    if fact.kind not in _ABOUT_ONE:
        # No rule asks whom such an event names.
        return fact._replace(clients=())
    others = tuple(one for one in fact.clients if set(named(one)) - set(erased))
    return fact._replace(clients=others) if others else None
