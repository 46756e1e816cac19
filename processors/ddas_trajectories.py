"""A trajectory as DDAS Schuldhulpverlening 1.0 wants it (domain 4).

In: a state of `trajectory-states` and a period. Out: one object of the model for each time that it ran.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from signaalwissel.processors.ddas_terms import EXITS, SERVICES
from signaalwissel.processors.periods import Days, Period, PeriodFold
from signaalwissel.processors.trajectory import Trajectory, fold
from signaalwissel.schemas.internal import Fact, TrajectoryState
from signaalwissel.schemas.trajectory import Service, TrajectoryEventKind

_Kind = TrajectoryEventKind
_DAY_OF = {
    _Kind.PLAN_ADOPTED: ("planVanAanpak", "datumAfronding"),
    _Kind.STABILISATION_STARTED: ("stabilisatie", "startdatum"),
    _Kind.SETTLEMENT_STARTED: ("schuldregeling", "datum"),
    _Kind.SOLUTION_STARTED: ("oplossing", "startdatum"),
}
_ORDERS = {_Kind.ADMITTED: "Toelatingsbeschikking", _Kind.REFUSED: "Afwijzingsbeschikking"}


class _Beside(NamedTuple):
    """What lasted beside the running; `service` is None for aftercare."""

    service: Service | None
    period: Period


def trajectory_entries(state: TrajectoryState, wanted: Days) -> list[dict[str, Any]]:
    """The `schuldhulptrajecten` of a trajectory that ran, or had a service or aftercare, in the wanted days."""
    folded = None if state.erased else fold(state.trajectory_id, state.facts)
    if folded is None:
        return []
    runs = list(_runs(folded))
    beside = [_Beside(service, period) for service, period in _services(state)]
    beside += [_Beside(None, period) for period in folded.aftercare]
    entries = []
    for position, run in enumerate(runs):
        own = [one for one in beside if _position(runs, one.period.begin) == position]
        if any(lasted.through_end().meet(wanted) for lasted in (run, *(one.period for one in own))):
            facts = [fact for fact in state.facts if _position(runs, fact.occurred_on) == position]
            entries.append(_entry(state.municipality, run, own, facts))
    return entries


def _runs(trajectory: Trajectory) -> Iterator[Period]:
    # Two clients begin together; the track ends when the last of them leaves it.
    for of_all in zip(*(client.running for client in trajectory.clients), strict=False):
        ends = [(period.end, period.exit_reason) for period in of_all if period.end is not None]
        begin = min(period.begin for period in of_all)
        if len(ends) < len(of_all):
            yield Period(begin)
        else:
            end, reason = max(ends, key=lambda one: one[0])
            yield Period(begin, end, reason)


def _services(state: TrajectoryState) -> Iterator[tuple[Service, Period]]:
    folds: dict[Service, PeriodFold] = {}
    for fact in state.facts:
        if fact.service is None:
            continue
        if fact.kind is _Kind.SERVICE_OPENED:
            folds.setdefault(fact.service, PeriodFold()).begin(fact.occurred_on)
        elif fact.kind is _Kind.SERVICE_CLOSED:
            folds.setdefault(fact.service, PeriodFold()).end(fact.occurred_on)
    for service, folded in folds.items():
        for period in folded.periods():
            yield service, period


def _position(runs: list[Period], day: date) -> int:
    """Which run a day belongs to: the last that had begun, the first for what was dated before."""
    return max((position for position, run in enumerate(runs) if run.begin <= day), default=0)


def _entry(municipality: str, run: Period, beside: list[_Beside], facts: list[Fact]) -> dict[str, Any]:
    began = run.begin.isoformat()
    entry: dict[str, Any] = {
        "gemeentecode": municipality,
        "startdatum": began,
        "aanmelding": {"startdatum": began},
    }
    for fact in facts:
        day = fact.occurred_on.isoformat()
        if fact.kind in _DAY_OF:
            phase, name = _DAY_OF[fact.kind]
            entry[phase] = {name: day}
        elif fact.kind in _ORDERS:
            entry["intake"] = {"beschikkingsdatum": day, "beschikkingssoort": _ORDERS[fact.kind]}
        if fact.kind is _Kind.ADMITTED:
            entry["toekenningsdatum"] = day
    for one in beside:
        if one.service is None:
            entry["nazorg"] = _span(one.period)
        else:
            entry.setdefault("begeleiding", []).append({"soort": SERVICES[one.service], **_span(one.period)})
    if run.end is not None:
        entry["einddatum"] = ended = run.end.isoformat()
        if run.exit_reason is not None:
            reason = EXITS[run.exit_reason]
            entry["uitstroom"] = {"datum": ended, "datumBeeindigingsbeschikking": ended, "reden": reason}
    return entry


def _span(period: Period) -> dict[str, str]:
    span = {"startdatum": period.begin.isoformat()}
    return span if period.end is None else {**span, "einddatum": period.end.isoformat()}
