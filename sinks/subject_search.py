"""What the database holds of one resident, found without an index on him: there is none.

Flows in: a resident as keyed hashes, and the key provider. Flows out: which signals, tasks, notices and dead letters
are his. Sealed subjects are opened only where no key and no decision tells whose a signal is; each is counted for the
log.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from signaalwissel.processors.followup_notices import resident_ids
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.identifiers import signal_ref
from signaalwissel.processors.pseudonyms import PseudonymKeys
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.processors.subject import Known, Membership, Person, known_in
from signaalwissel.processors.subject_opening import (
    subject_in,
)
from signaalwissel.processors.trajectory import fold
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.followup import TaskKind
from signaalwissel.schemas.internal import TrajectoryState
from signaalwissel.schemas.routing import Candidate
from signaalwissel.schemas.signal import SealedSubject
from signaalwissel.sinks import task_store
from signaalwissel.sinks.casebook import TrajectoryKey
from signaalwissel.sinks.copying import millis_of
from signaalwissel.sinks.subject_letters import Letter, letters_of
from signaalwissel.sinks.tables import decisions, notices, tasks
from sqlalchemy import Connection, LargeBinary, Row, and_, bindparam, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

_STATES = text(
    """
    SELECT state FROM trajectories
    WHERE municipality = :municipality AND NOT erased
        AND EXISTS (SELECT 1 FROM unnest(:hashes) AS hash WHERE position(hash IN state) > 0)
    """
).bindparams(bindparam("hashes", type_=ARRAY(LargeBinary)))


class SignalRows(NamedTuple):
    """One accepted delivery of a signal of his: its revisions, and who it is about where that could be opened."""

    rows: Sequence[Row[Any]]
    subject: SealedSubject | None


@dataclass(frozen=True)
class Holdings:
    """Everything of one resident.

    Attributes:
        person: The resident.
        memberships: His trajectories.
        states: Their newest states, by trajectory id.
        signals: By accepted delivery.
        tasks: His alone.
        shared: Of a trajectory or a verification that others are in too.
        notice_ids: Notices to him, about his trajectories or his signals.
        letters: Dead letters of his.
        by_address_only: Signals at his addresses of which nobody can tell whose they are.
        opened: How many seals were opened to find this.
    """

    person: Person
    memberships: tuple[Membership, ...]
    states: Mapping[str, TrajectoryState]
    signals: Mapping[bytes, SignalRows] = field(default_factory=dict)
    tasks: Sequence[Task] = ()
    shared: Sequence[Task] = ()
    notice_ids: Sequence[str] = ()
    letters: Sequence[Letter] = ()
    by_address_only: int = 0
    opened: int = 0

    @property
    def alone(self) -> frozenset[str]:
        """The trajectories that are his alone."""
        return frozenset(one.trajectory_id for one in self.memberships if one.alone)

    def counts(self) -> dict[str, int]:
        """How much was found, without saying of whom."""
        return {
            "trajectories": len(self.memberships),
            "signals": len(self.signals),
            "tasks": len(self.tasks) + len(self.shared),
            "notices": len(self.notice_ids),
            "dead_letters": len(self.letters),
            "signals_by_address_only": self.by_address_only,
        }


def search(connection: Connection, person: Person, keys: KeyProvider) -> Holdings:
    """Everything that the database holds of a resident.

    Args:
        connection: In a transaction, so that all of it is of one moment.
        person: The resident as the one who asks names him.
        keys: Open seals.

    Raises:
        SubjectUnclear: Two residents are meant.
        KeyUnavailable: A key cannot be had now.
    """
    states = _states(connection, person)
    known = known_in(person, states.values())
    found = _Signals(known, keys)
    for ref, rows in _deliveries(connection, known).items():
        found.look_at(ref, rows)
    his, shared = tasks_of(connection, known, found.his)
    letters, opened = letters_of(connection, known, keys, {task.task_id for task in his})
    return Holdings(
        person=known.person,
        memberships=known.memberships,
        states={one.trajectory_id: states[one.trajectory_id] for one in known.memberships},
        signals=found.his,
        tasks=his,
        shared=shared,
        notice_ids=notices_of(connection, known, states, found.his),
        letters=letters,
        by_address_only=found.by_address_only,
        opened=found.opened + opened,
    )


def _states(connection: Connection, person: Person) -> dict[str, TrajectoryState]:
    """The states that may tell of him; what one tells may lead to the next."""
    states: dict[str, TrajectoryState] = {}
    while True:
        hashes = [one for one in (person.bsn, person.birth_date) if one is not None]
        rows = connection.execute(_STATES, {"municipality": person.municipality, "hashes": hashes})
        states = {
            state.trajectory_id: state for state in (read_trajectory_state(bytes(r.state)) for r in rows)
        }
        learned = known_in(person, states.values()).person
        if (learned.bsn, learned.birth_date) == (person.bsn, person.birth_date):
            return states
        person = learned


def _deliveries(connection: Connection, known: Known) -> dict[bytes, list[Row[Any]]]:
    statement = (
        select(decisions)
        .where(
            decisions.c.municipality == known.person.municipality,
            or_(
                decisions.c.match_key.in_(known.person.match_keys),
                decisions.c.trajectory_id.in_([one.trajectory_id for one in known.memberships]),
            ),
        )
        .order_by(decisions.c.received_at, decisions.c.signal_id, decisions.c.revision)
    )
    found: defaultdict[bytes, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(statement):
        found[ref_of_row(row)].append(row)
    return found


def ref_of_row(row: Row[Any]) -> bytes:
    """The accepted delivery that a row of `decisions` is about."""
    return signal_ref(row.municipality, row.partner_id, row.signal_id, millis_of(row.received_at))


class _Signals:
    """Tells whose the deliveries are."""

    def __init__(self, known: Known, keys: KeyProvider) -> None:
        self._known = known
        self._keys = keys
        self._pseudonyms: PseudonymKeys = keys.pseudonym_keys(known.person.municipality)
        self._places = {(one.trajectory_id, one.client) for one in known.memberships}
        self.his: dict[bytes, SignalRows] = {}
        self.by_address_only = 0
        self.opened = 0

    def look_at(self, ref: bytes, rows: Sequence[Row[Any]]) -> None:
        """Note a delivery where it is his."""
        last, person = rows[-1], self._known.person
        sealed = last.sealed_subject
        subject = None
        if sealed is not None:
            subject = subject_in(last.municipality, ref, bytes(sealed), self._keys.by_id)
            self.opened += 1
        said = None if subject is None else self._pseudonyms.pseudonym(subject.subject)
        by_key = last.match_key is not None and bytes(last.match_key) in person.own_keys
        by_decision = (last.trajectory_id, last.client) in self._places
        if by_key or by_decision or (said is not None and person.is_subject(said)):
            self.his[ref] = SignalRows(rows, subject)
        elif said is not None and said.bsn is None and said.birth_date is None:
            self.by_address_only += 1


def tasks_of(
    connection: Connection, known: Known, signals: Mapping[bytes, object]
) -> tuple[list[Task], list[Task]]:
    """The tasks that are his alone, and those that others are in too."""
    municipality = known.person.municipality
    wanted = [TrajectoryKey(municipality, one.trajectory_id) for one in known.memberships]
    found = {t.task_id: t for t in task_store.load(connection, task_store.Wanted((), signals.keys(), wanted))}
    found |= {t.task_id: t for t in task_store.by_ids(connection, _with_candidate(connection, known))}
    alone = {one.trajectory_id for one in known.memberships if one.alone}
    his, shared = [], []
    for task in found.values():
        refs = {report.ref for report in task.reports}
        verifies = task.kind is TaskKind.VERIFY_IDENTITY
        if (task.trajectory_id in alone and not verifies) or (refs and refs <= signals.keys()):
            his.append(task)
        elif not refs or verifies or not refs.isdisjoint(signals):
            shared.append(task)
    return his, shared


def _with_candidate(connection: Connection, known: Known) -> list[str]:
    places = [[[one.trajectory_id, one.client]] for one in known.memberships]
    if not places:
        return []
    holds = or_(*(tasks.c.candidates.contains(bindparam(None, place, JSONB)) for place in places))
    statement = select(tasks.c.task_id).where(tasks.c.municipality == known.person.municipality, holds)
    return list(connection.execute(statement).scalars())


def notices_of(
    connection: Connection,
    known: Known,
    states: Mapping[str, TrajectoryState],
    signals: Mapping[bytes, SignalRows],
) -> list[str]:
    """Notices to him, about his trajectories or about his signals, by id."""
    municipality = known.person.municipality
    alone = [one.trajectory_id for one in known.memberships if one.alone]
    told = {(found.rows[-1].partner_id, found.rows[-1].signal_id) for found in signals.values()}
    about = or_(
        notices.c.trajectory_id.in_(alone),
        notices.c.addressee.in_(addressees(known.person.municipality, known.memberships, states)),
        *(and_(notices.c.addressee == partner, notices.c.signal_id == number) for partner, number in told),
    )
    statement = select(notices.c.notice_id).where(notices.c.municipality == municipality, about)
    return list(connection.execute(statement.order_by(notices.c.notice_id)).scalars())


def addressees(
    municipality: str, memberships: Iterable[Membership], states: Mapping[str, TrajectoryState]
) -> frozenset[str]:
    """The opaque ids under which notices to a resident may have been made."""
    found: set[str] = set()
    for one in memberships:
        trajectory = fold(one.trajectory_id, states[one.trajectory_id].facts)
        if trajectory is not None:
            found |= resident_ids(municipality, trajectory, one.client)
    return frozenset(found)


def candidates_of(task: Task, memberships: Iterable[Membership]) -> tuple[Candidate, ...]:
    """The candidates of a task who are not the resident."""
    places = {Candidate(one.trajectory_id, one.client) for one in memberships}
    return tuple(one for one in task.candidates if one not in places)
