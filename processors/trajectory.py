"""The fold: a trajectory's facts, in any order of arrival, into what lasted when and for whom (design 2).

In: facts. Out: a Trajectory, the same for every order and duplication of the facts, or None where they make none.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

from signaalwissel.processors.clients import ClientIdentity, fold_clients
from signaalwissel.processors.facts import stands
from signaalwissel.processors.naming import Roster, names_somebody
from signaalwissel.processors.periods import Period, PeriodFold
from signaalwissel.processors.validation import concerns_one_client
from signaalwissel.schemas.internal import Fact
from signaalwissel.schemas.trajectory import Counsellor, ExitReason, Service, TrajectoryEventKind

_Kind = TrajectoryEventKind
# A member of an enum is looked up by its name each time, and a fold asks for each of these at every fact.
_APPLIED: Final = _Kind.APPLIED
_ADMITTED: Final = _Kind.ADMITTED
_REOPENED: Final = _Kind.REOPENED
_EXITED: Final = _Kind.EXITED
_REFUSED: Final = _Kind.REFUSED
_SERVICE_OPENED: Final = _Kind.SERVICE_OPENED
_SERVICE_CLOSED: Final = _Kind.SERVICE_CLOSED
_MONITORING_STARTED: Final = _Kind.MONITORING_STARTED
_MONITORING_ENDED: Final = _Kind.MONITORING_ENDED
_AFTERCARE_STARTED: Final = _Kind.AFTERCARE_STARTED
_AFTERCARE_ENDED: Final = _Kind.AFTERCARE_ENDED
_OBJECTION_LODGED: Final = _Kind.OBJECTION_LODGED
_OBJECTION_WITHDRAWN: Final = _Kind.OBJECTION_WITHDRAWN
_DECEASED: Final = ExitReason.DECEASED


class Client(NamedTuple):
    """A client with what lasted for him alone."""

    identity: ClientIdentity
    running: tuple[Period, ...]
    objections: tuple[Period, ...]

    @property
    def deaths(self) -> list[date]:
        """The days on which a recorded death ended his running."""
        return [p.end for p in self.running if p.exit_reason is _DECEASED and p.end is not None]


class Trajectory(NamedTuple):
    """A debt-help track (schuldhulptraject) as its facts have it."""

    trajectory_id: str
    clients: tuple[Client, ...]
    services: tuple[Period, ...]
    monitoring: tuple[Period, ...]
    aftercare: tuple[Period, ...]
    counsellor: Counsellor | None
    admitted_on: date | None


def fold(trajectory_id: str, facts: Sequence[Fact]) -> Trajectory | None:
    """Fold facts that stand in their order (`facts.merged` keeps it) into a trajectory, or None."""
    if not stands(facts):
        return None
    building = _TrajectoryFold(fold_clients(facts), Roster(facts))
    for fact in facts:
        building.add(fact)
    return building.trajectory(trajectory_id)


class _TrajectoryFold:
    """Takes facts in order; the clients are known beforehand, as facts name them by position."""

    def __init__(self, clients: tuple[ClientIdentity, ...], roster: Roster) -> None:
        self._clients = clients
        self._roster = roster
        self._running = [PeriodFold() for _ in clients]
        self._objections = [PeriodFold() for _ in clients]
        self._services: dict[Service, PeriodFold] = {}
        self._monitoring = PeriodFold()
        self._aftercare = PeriodFold()
        self._counsellor: Counsellor | None = None
        self._admitted_on: date | None = None

    def add(self, fact: Fact) -> None:
        """Take the next fact."""
        kind = fact.kind
        self._counsellor = fact.counsellor or self._counsellor
        if kind is _ADMITTED:
            self._admitted_on = fact.occurred_on
        self._add_running(kind, fact)
        self._add_service(kind, fact)
        self._add_phase(kind, fact)
        self._add_objection(kind, fact)

    def trajectory(self, trajectory_id: str) -> Trajectory:
        """The trajectory as the facts so far have it."""
        clients = tuple(
            Client(identity, running.periods(), objections.periods())
            for identity, running, objections in zip(
                self._clients, self._running, self._objections, strict=True
            )
        )
        services = tuple(period for service in self._services.values() for period in service.periods())
        return Trajectory(
            trajectory_id,
            clients,
            services,
            self._monitoring.periods(),
            self._aftercare.periods(),
            self._counsellor,
            self._admitted_on,
        )

    def _add_running(self, kind: _Kind, fact: Fact) -> None:
        if kind is _APPLIED:
            for running in self._running:
                running.begin_first(fact.occurred_on)
        elif kind is _REOPENED:
            for running in self._running:
                running.begin(fact.occurred_on)
        elif kind is _EXITED or kind is _REFUSED:
            reason = fact.exit_reason if kind is _EXITED else None
            for position in self._exiting(fact):
                self._running[position].end(fact.occurred_on, reason)

    def _exiting(self, fact: Fact) -> list[int]:
        concerned = sorted(self._roster.concern(fact).positions)
        his_own = names_somebody(fact) or concerns_one_client(fact.kind, fact.exit_reason)
        if his_own or len(self._clients) == 1:
            return concerned
        # One of two has died: the exit is the other's own (domain 8.6).
        return [position for position in concerned if not self._running[position].ended_by(_DECEASED)]

    def _add_service(self, kind: _Kind, fact: Fact) -> None:
        if fact.service is None:
            return
        if kind is _SERVICE_OPENED:
            self._services.setdefault(fact.service, PeriodFold()).begin(fact.occurred_on)
        elif kind is _SERVICE_CLOSED:
            self._services.setdefault(fact.service, PeriodFold()).end(fact.occurred_on)

    def _add_phase(self, kind: _Kind, fact: Fact) -> None:
        if kind is _MONITORING_STARTED:
            self._monitoring.begin(fact.occurred_on)
        elif kind is _MONITORING_ENDED:
            self._monitoring.end(fact.occurred_on)
        elif kind is _AFTERCARE_STARTED:
            self._aftercare.begin(fact.occurred_on)
        elif kind is _AFTERCARE_ENDED:
            self._aftercare.end(fact.occurred_on)

    def _add_objection(self, kind: _Kind, fact: Fact) -> None:
        if kind is not _OBJECTION_LODGED and kind is not _OBJECTION_WITHDRAWN:
            return
        for position in self._roster.concern(fact).positions:
            if kind is _OBJECTION_LODGED:
                self._objections[position].begin(fact.occurred_on)
            else:
                self._objections[position].end(fact.occurred_on)
