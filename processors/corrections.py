"""Corrections: what a new answer for a routed signal asks of whom (domain 8.11, design 2).

In: the signal's last answer and a fresh verdict. Out: the records of the next revision, or none. A correction is
made exactly when the route differs or, on the counsellor's side, the trajectory; into or out of ADDRESS_ONLY_MATCH
the audit trail alone is told.
"""

from typing import Final, NamedTuple

from signaalwissel.processors.decision import Verdict
from signaalwissel.processors.emissions import Emission
from signaalwissel.processors.routing import Routing
from signaalwissel.schemas.internal import RecentSignal
from signaalwissel.schemas.routing import CorrectionAction, Route

_COUNSELLOR: Final = Route.COUNSELLOR_FOLLOWUP


class Change(NamedTuple):
    """What differs between the last answer and a fresh one; `action` is None where nobody but the audit cares."""

    action: CorrectionAction | None


def change_of(recent: RecentSignal, verdict: Verdict) -> Change | None:
    """What a fresh verdict changes, or None."""
    if verdict.route is not recent.route:
        return Change(CorrectionAction.MOVED)
    if verdict.route is _COUNSELLOR:
        return Change(CorrectionAction.MOVED) if verdict.trajectory_id != recent.trajectory_id else None
    return Change(None) if verdict.address_only is not recent.address_only else None


def moved(recent: RecentSignal, verdict: Verdict, routing: Routing) -> list[Emission]:
    """Tell both sides that a signal moved: each side that held it lets go, each that gets it is told whither."""
    told = []
    if recent.route is _COUNSELLOR:
        told.append(routing.tell_counsellor(CorrectionAction.WITHDRAWN, recent.trajectory_id or ""))
    if verdict.route is _COUNSELLOR:
        if recent.route is not _COUNSELLOR and not recent.offered:
            told.append(routing.tell_regular(CorrectionAction.WITHDRAWN))
        told.append(routing.tell_counsellor(CorrectionAction.MOVED, verdict.trajectory_id or ""))
    elif not recent.regular_holds:
        # Where it was offered before, the regular side has it already: it is offered a signal once.
        told.append(routing.tell_regular(CorrectionAction.MOVED))
    return told


def also_offered(verdict: Verdict, routing: Routing) -> list[Emission]:
    """Tell both sides that the regular side is offered the signal as well; there it reads MOVED."""
    return [
        routing.tell_counsellor(CorrectionAction.ALSO_OFFERED, verdict.trajectory_id or ""),
        routing.tell_regular(CorrectionAction.MOVED),
    ]


def withdrawn(recent: RecentSignal, routing: Routing) -> list[Emission]:
    """Tell whoever holds the signal of an erased resident to let go: ids only, never a `to`."""
    told = []
    if recent.route is _COUNSELLOR:
        told.append(routing.tell_counsellor(CorrectionAction.WITHDRAWN, recent.trajectory_id or ""))
    if recent.regular_holds:
        told.append(routing.tell_regular(CorrectionAction.WITHDRAWN))
    return told


def after(recent: RecentSignal, verdict: Verdict) -> RecentSignal:
    """The recent signal once a revision with this verdict was published."""
    return recent._replace(
        revision=recent.revision + 1,
        route=verdict.route,
        trajectory_id=verdict.trajectory_id if verdict.route is _COUNSELLOR else None,
        address_only=verdict.address_only,
        # What was offered stays offered: the resident was not reached, whoever holds the signal now.
        regular_holds=verdict.route is not _COUNSELLOR or recent.offered,
    )
