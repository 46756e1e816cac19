"""State to events: what changed in a trajectory since the last export, as the lifecycle events that explain it.

In: what was told before (pseudonyms only), the state that a case system exports now. Out: events with rising sequence
and derived ids, and what has been told from then on. Pure: moments and pseudonyms are arguments. Folded by
`processors.trajectory`, the events of any row of exports give what the last export alone gives: the periods, the
clients that are, the counsellor. What was told and cannot be untold by an event stays: an admission that vanishes.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple

from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.schemas.imports import CaseCourse, ImportedState
from signaalwissel.schemas.internal import ClientPseudonym
from signaalwissel.schemas.signal import Subject
from signaalwissel.schemas.trajectory import ExitReason, TrajectoryEvent, TrajectoryEventKind
from signaalwissel.schemas.units import Millis
from signaalwissel.sources.case_spans import check_course, course_of, service_steps, services_told, span_steps

_Kind = TrajectoryEventKind
NEVER = date(1900, 1, 1)
"""An end on the first day of the product's calendar says that what it ends never was."""
_SIZE = 16
_SEPARATOR = "\x1f"
_FIRST_SEQUENCE = 1


class CaseState(NamedTuple):
    """One trajectory as a case system exports it; `clients` stand in the clear and go no further than the events."""

    municipality: str
    trajectory_id: str
    clients: tuple[Subject, ...]
    course: CaseCourse
    recorded_at: Millis | None = None

    def __repr__(self) -> str:
        """Tell which trajectory, and nothing of the clients."""
        return f"CaseState({self.municipality}/{self.trajectory_id})"


class Explained(NamedTuple):
    """The events that explain a change, and what has been told with them."""

    events: tuple[TrajectoryEvent, ...]
    told: ImportedState


def explain(
    told: ImportedState | None,
    state: CaseState,
    system: str,
    pseudonym: Callable[[Subject], ClientPseudonym],
    moment: Millis,
) -> Explained:
    """The events between what was told and a state.

    Args:
        told: What was told before, None for a trajectory that is new.
        state: The state in the export.
        system: The case system, part of every event's id.
        pseudonym: Keyed hashes of a client under the municipality's key.
        moment: When the change was recorded, where the state does not say.

    Raises:
        Rejected: The state contradicts itself, or no event can explain the change; names field and rule.
    """
    state = state._replace(course=course_of(state.course))
    check_course(state.course, len(state.clients))
    clients, keyed = _in_place(told, state.clients, pseudonym)
    before = told or _nothing_told(system, state)
    _check_death(before, state.course, keyed)
    telling = _Telling(before, state.recorded_at or moment, clients)
    telling.listing(told is None or before.withdrawn, state.course, keyed)
    telling.phases(state.course)
    telling.services(state.course)
    telling.running(state.course)
    telling.counsellor(state.course)
    return telling.explained(state.course, keyed)


def vanished(told: ImportedState, moment: Millis) -> Explained:
    """The event for a trajectory that a complete export does not hold any more; none when that was told."""
    telling = _Telling(told, moment, ())
    if not told.withdrawn:
        telling.tell(_Kind.WITHDRAWN_IN_ERROR, amsterdam_day(moment))
    last = telling.explained(told.course, told.clients)
    return last._replace(told=last.told._replace(withdrawn=True))


class _Telling:
    """Collects the events of one change, in the order in which they must fold."""

    def __init__(self, told: ImportedState, recorded_at: Millis, clients: tuple[Subject, ...]) -> None:
        self._told = told
        self._recorded_at = recorded_at
        self._clients = clients
        self._events: list[TrajectoryEvent] = []
        self._begun_again = told.begun_again
        self._clients_changed = told.clients_changed
        self._counsellor_told = False
        self._new = False
        self._dated = False

    def tell(self, kind: TrajectoryEventKind, day: date, **fields: Any) -> None:
        """Add an event."""
        told = self._told
        sequence = told.next_sequence + len(self._events)
        named = (told.system, told.municipality, told.trajectory_id, str(sequence), kind, day.isoformat())
        said = [str(value) for name, value in sorted(fields.items()) if name != "clients"]
        text = _SEPARATOR.join((*named, *said))
        event_id = hashlib.blake2b(text.encode(), digest_size=_SIZE, person=b"import-event").hexdigest()
        self._events.append(
            TrajectoryEvent(
                event_id,
                told.trajectory_id,
                told.municipality,
                sequence,
                day,
                self._recorded_at,
                kind,
                **fields,
            )
        )

    def listing(self, appears: bool, now: CaseCourse, keyed: tuple[ClientPseudonym, ...]) -> None:
        """Application and clients."""
        told = self._told
        changed = not appears and (keyed != told.clients or now.entrepreneur != told.course.entrepreneur)
        other_day = now.applied_on != told.course.applied_on
        # Told again, an application dates the first period and mends the first address; later on it would undo more.
        again = other_day and not (self._begun_again or self._clients_changed or changed)
        if appears or again:
            about = {"counsellor": now.counsellor} if now.counsellor is not None else {}
            self.tell(
                _Kind.APPLIED, now.applied_on, clients=self._clients, entrepreneur=now.entrepreneur, **about
            )
            self._counsellor_told = now.counsellor is not None
            self._dated = not self._begun_again
            self._new = told.next_sequence == _FIRST_SEQUENCE
            self._clients_changed = self._clients_changed or (not self._new and keyed != told.clients)
        elif changed:
            day = amsterdam_day(self._recorded_at)
            self.tell(_Kind.CLIENT_CHANGED, day, clients=self._clients, entrepreneur=now.entrepreneur)
            self._clients_changed = True

    def phases(self, now: CaseCourse) -> None:
        """What happened on one day."""
        before = self._told.course
        for kind, was, day in (
            (_Kind.ADMITTED, before.admitted_on, now.admitted_on),
            (_Kind.PLAN_ADOPTED, before.plan_on, now.plan_on),
            (_Kind.STABILISATION_STARTED, before.stabilisation_on, now.stabilisation_on),
            (_Kind.SETTLEMENT_STARTED, before.settlement_on, now.settlement_on),
        ):
            if day is not None and day != was:
                self.tell(kind, day)
        solution = (now.solution_on, now.solution)
        if now.solution_on is not None and solution != (before.solution_on, before.solution):
            self.tell(_Kind.SOLUTION_STARTED, now.solution_on, solution=now.solution)

    def services(self, now: CaseCourse) -> None:
        """Services, monitoring and aftercare."""
        before = self._told.course
        for service, opens, day in service_steps(before.services, now.services, NEVER):
            self.tell(_Kind.SERVICE_OPENED if opens else _Kind.SERVICE_CLOSED, day, service=service)
        for opens, day in span_steps(before.monitoring, now.monitoring, NEVER):
            self.tell(_Kind.MONITORING_STARTED if opens else _Kind.MONITORING_ENDED, day)
        for opens, day in span_steps(before.aftercare, now.aftercare, NEVER):
            self.tell(_Kind.AFTERCARE_STARTED if opens else _Kind.AFTERCARE_ENDED, day)

    def running(self, now: CaseCourse) -> None:
        """From application to exit or refusal."""
        before = CaseCourse(now.applied_on) if self._new else self._told.course
        same_begin = self._dated or before.applied_on == now.applied_on
        was, ends = _end_of(before), _end_of(now)
        if not same_begin or (was is not None and ends is None):
            if was is not None:
                self._end((NEVER, ExitReason.OTHER), before)
                self._begun_again = True
            self.tell(_Kind.REOPENED, now.applied_on)
            was = None
        if ends is not None and ends != was:
            self._end(ends, before)

    def _end(self, end: tuple[date, ExitReason | None], before: CaseCourse) -> None:
        day, reason = end
        # Where one of two has died an exit without a name is the other's (domain 8.6): whoever is left is named.
        died = ExitReason.DECEASED in {reason, before.exit_reason}
        named = {"clients": self._clients} if died else {}
        if reason is None:
            self.tell(_Kind.REFUSED, day, **named)
        else:
            self.tell(_Kind.EXITED, day, exit_reason=reason, **named)

    def counsellor(self, now: CaseCourse) -> None:
        """Who runs it from now on."""
        if now.counsellor is None or self._counsellor_told or now.counsellor == self._told.course.counsellor:
            return
        self.tell(_Kind.COUNSELLOR_ASSIGNED, amsterdam_day(self._recorded_at), counsellor=now.counsellor)

    def explained(self, now: CaseCourse, keyed: tuple[ClientPseudonym, ...]) -> Explained:
        """The events so far, and what they leave behind."""
        before = self._told.course
        kept = now._replace(
            admitted_on=now.admitted_on or before.admitted_on,
            counsellor=now.counsellor or before.counsellor,
            services=services_told(before.services, now.services, NEVER),
        )
        told = self._told._replace(
            withdrawn=False,
            next_sequence=self._told.next_sequence + len(self._events),
            begun_again=self._begun_again,
            clients_changed=self._clients_changed,
            clients=keyed,
            course=kept,
        )
        return Explained(tuple(self._events), told)


def _check_death(told: ImportedState, now: CaseCourse, keyed: tuple[ClientPseudonym, ...]) -> None:
    """A death is told of a person: once other clients stand in his place no event reaches him any more."""
    was = told.course
    same = was.applied_on == now.applied_on and _end_of(was) == _end_of(now)
    if (
        was.exit_reason is ExitReason.DECEASED
        and not same
        and (told.clients_changed or keyed != told.clients)
    ):
        raise Rejected(
            RejectionCode.INVALID_FIELD,
            "exit_reason",
            "a death that was told is taken back or moved, and the clients changed: enter it by hand",
        )


def _nothing_told(system: str, state: CaseState) -> ImportedState:
    return ImportedState(
        system=system,
        municipality=state.municipality,
        trajectory_id=state.trajectory_id,
        withdrawn=False,
        next_sequence=_FIRST_SEQUENCE,
        begun_again=False,
        clients_changed=False,
        clients=(),
        course=CaseCourse(state.course.applied_on),
    )


def _end_of(course: CaseCourse) -> tuple[date, ExitReason | None] | None:
    if course.refused_on is not None:
        return course.refused_on, None
    return None if course.exited_on is None else (course.exited_on, course.exit_reason)


def _in_place(
    told: ImportedState | None, clients: Sequence[Subject], pseudonym: Callable[[Subject], ClientPseudonym]
) -> tuple[tuple[Subject, ...], tuple[ClientPseudonym, ...]]:
    """The clients, each at the position that he was told at: the position identifies him (design 2)."""
    left = [(client, pseudonym(client)) for client in clients]
    placed: list[tuple[Subject, ClientPseudonym]] = []
    for known in told.clients if told is not None else ():
        same = next((one for one in left if _same_person(one[1], known)), None)
        if same is not None and len(placed) < len(clients):
            left.remove(same)
            placed.append(same)
    placed += left
    return tuple(client for client, _ in placed), tuple(keyed for _, keyed in placed)


def _same_person(one: ClientPseudonym, other: ClientPseudonym) -> bool:
    if one.bsn is not None and other.bsn is not None:
        return one.bsn == other.bsn
    return one.birth_date is not None and one.birth_date == other.birth_date and one.surname == other.surname
