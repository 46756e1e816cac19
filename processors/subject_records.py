"""Which records are about one resident, and what of them may be shown to him: nothing of a second person.

In: the resident with his trajectories, signals, tasks and notices, and a decoded record. Out: its JSON form without
others, or None where it is not about him. Of a trajectory of two clients only his half is shown; candidates, signals of
a shared task and match keys that are not his own are left out.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from signaalwissel.processors.clients import LISTING
from signaalwissel.processors.identifiers import signal_of_table_key, signal_ref
from signaalwissel.processors.naming import Roster
from signaalwissel.processors.pseudonyms import PseudonymKeys
from signaalwissel.processors.subject import Membership, Person
from signaalwissel.processors.subject_opening import KeyById, original_in, published_in, subject_in
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import NoticeEvent, PartnerFeedback, TaskEvent, TaskUpdate
from signaalwissel.schemas.imports import ImportedState
from signaalwissel.schemas.internal import (
    DeadLetter,
    Delivery,
    IntakeCommand,
    IntakeSignal,
    IntakeTrajectory,
    KeyedSignal,
    KeyedTrajectory,
    RecentSignal,
    ResidentCommand,
    TrajectoryState,
)
from signaalwissel.schemas.routing import Decision, RouteCorrection, RoutedSignal
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.trajectory import TrajectoryEvent

Plain = dict[str, Any]
Whole = KeyedTrajectory | TrajectoryState | IntakeTrajectory


class Scope(NamedTuple):
    """What is known to be his.

    Attributes:
        person: The resident.
        memberships: By trajectory id.
        refs: Accepted deliveries of his signals.
        task_ids: Tasks that are his alone.
        shared_task_ids: Tasks that others are in too.
        notice_ids: Notices to or about him.
        addressees: Opaque ids under which notices to him are made.
    """

    person: Person
    memberships: Mapping[str, Membership]
    refs: frozenset[bytes]
    task_ids: frozenset[str]
    shared_task_ids: frozenset[str]
    notice_ids: frozenset[str]
    addressees: frozenset[str]


class Selector:
    """Shows records to one resident.

    Args:
        scope: What is his.
        pseudonyms: Of his municipality.
        key_by_id: Opens seals.
    """

    def __init__(self, scope: Scope, pseudonyms: PseudonymKeys, key_by_id: KeyById) -> None:
        self._scope = scope
        self._pseudonyms = pseudonyms
        self._key_by_id = key_by_id
        self._shown: dict[type[Any], Callable[[Any], Plain | None]] = {
            EarlySignal: self._signal,
            TrajectoryEvent: self._event,
            KeyedSignal: self._keyed,
            KeyedTrajectory: self._trajectory,
            TrajectoryState: self._trajectory,
            IntakeTrajectory: self._trajectory,
            ResidentCommand: self._resident_command,
            IntakeCommand: self._intake_command,
            RoutedSignal: self._routed,
            Decision: self._routed,
            RouteCorrection: self._correction,
            TaskEvent: self._task,
            TaskUpdate: self._update,
            NoticeEvent: self._notice,
            PartnerFeedback: self._feedback,
            DeadLetter: self._letter,
            ImportedState: self._imported,
        }

    def shown(self, record: object) -> Plain | None:
        """A record as the resident may see it, None where it is not about him."""
        show = self._shown.get(type(record))
        municipality = getattr(record, "municipality", None)
        if show is None or municipality not in {None, self._scope.person.municipality}:
            return None
        return show(record)

    def ref_in(self, record: object) -> bytes | None:
        """The accepted delivery that a record shows to be his, whatever the scope knows of it."""
        person = self._scope.person
        if isinstance(record, EarlySignal) and person.is_subject(self._pseudonyms.pseudonym(record.subject)):
            partner = record.partner.partner_id
            return signal_ref(record.municipality, partner, record.signal_id, record.received_at)
        if isinstance(record, KeyedSignal) and person.is_subject(record.pseudonym):
            return record.signal_ref
        if isinstance(record, Decision) and record.match_key in person.own_keys:
            return _ref(record.routing_id)
        return None

    def shown_entry(self, key: bytes | None, record: object) -> Plain | None:
        """An entry of a table of intake or matcher that says whose it is by its key, too."""
        if isinstance(record, RecentSignal):
            if key not in self._scope.refs:
                return None
            shown = ("revision", "policy_version", "route", "address_only", "offered")
            return {name: getattr(record, name) for name in shown}
        if isinstance(record, IntakeSignal):
            his = [d.received_at for d in record.deliveries if self._is_delivery(key or b"", d)]
            return {"received_at": his} if his else None
        return self.shown(record)

    def _is_delivery(self, key: bytes, delivery: Delivery) -> bool:
        if delivery.match_key in self._scope.person.own_keys:
            return True
        place = signal_of_table_key(key)
        return place is not None and signal_ref(*place, delivery.received_at) in self._scope.refs

    def _signal(self, signal: EarlySignal) -> Plain | None:
        return None if self.ref_in(signal) is None else codec("EarlySignal").to_json(signal)

    def _event(self, event: TrajectoryEvent) -> Plain | None:
        his = [self._scope.person.is_subject(self._pseudonyms.pseudonym(one)) for one in event.clients]
        if not any(his) and (event.clients or event.trajectory_id not in self._scope.memberships):
            return None
        plain = codec("TrajectoryEvent").to_json(event)
        plain["clients"] = [c if mine else None for c, mine in zip(plain["clients"] or (), his, strict=True)]
        return plain

    def _keyed(self, signal: KeyedSignal) -> Plain | None:
        if signal.signal_ref not in self._scope.refs:
            return None
        shown = ("municipality", "partner_id", "signal_id", "reference_date", "last_day")
        return {name: str(getattr(signal, name)) for name in shown}

    def _trajectory(self, trajectory: Whole) -> Plain | None:
        membership = self._scope.memberships.get(trajectory.trajectory_id)
        return None if membership is None else trajectory_shown(trajectory, membership)

    def _resident_command(self, command: ResidentCommand) -> Plain | None:
        person, whom = self._scope.person, command.person
        about = whom is not None and whom.bsn is not None and whom.bsn == person.bsn
        if command.signal_ref not in self._scope.refs and not about:
            return None
        plain = codec("ResidentCommand").to_json(command)
        if not self._is_his(command.trajectory_id, command.client):
            plain |= {"trajectory_id": None, "client": None}
        return plain

    def _intake_command(self, command: IntakeCommand) -> Plain | None:
        if not self._is_his(command.trajectory_id, command.client):
            return None
        return codec("IntakeCommand").to_json(command)

    def _routed(self, routed: RoutedSignal | Decision) -> Plain | None:
        ref = _ref(routed.routing_id)
        if ref not in self._scope.refs:
            return None
        plain = codec(type(routed).__name__).to_json(routed)
        # An erased one has none.
        sealed = routed.sealed_subject
        subject = subject_in(routed.municipality, ref, sealed, self._key_by_id) if sealed else None
        plain["sealed_subject"] = None if subject is None else codec("SealedSubject").to_json(subject)
        if isinstance(routed, Decision):
            his = (self._is_his(one.trajectory_id, one.client) for one in routed.candidates)
            plain["candidates"] = [c for c, mine in zip(plain["candidates"] or (), his, strict=True) if mine]
            plain.pop("match_key", None)
        return plain

    def _correction(self, correction: RouteCorrection) -> Plain | None:
        if _ref(correction.from_routing_id) not in self._scope.refs:
            return None
        plain = codec("RouteCorrection").to_json(correction)
        plain["to"] = None if correction.to is None else self._routed(correction.to)
        return plain

    def _task(self, task: TaskEvent) -> Plain | None:
        scope = self._scope
        membership = scope.memberships.get(task.trajectory_id or "")
        own = membership is not None and membership.alone
        if not own and task.task_id not in scope.task_ids | scope.shared_task_ids:
            return None
        plain = codec("TaskEvent").to_json(task)
        his = (_ref(signal.routing_id) in scope.refs for signal in task.signals)
        plain["signals"] = [s for s, mine in zip(plain["signals"] or (), his, strict=True) if mine]
        if not own and task.task_id in scope.shared_task_ids:
            # A note may tell of the other's signals.
            plain["history"] = [step | {"note": None} for step in plain["history"] or ()]
        return plain

    def _update(self, update: TaskUpdate) -> Plain | None:
        if update.task_id not in self._scope.task_ids:
            return None
        return codec("TaskUpdate").to_json(update)

    def _notice(self, notice: NoticeEvent) -> Plain | None:
        scope = self._scope
        if notice.notice_id not in scope.notice_ids and notice.addressee not in scope.addressees:
            return None
        return codec("NoticeEvent").to_json(notice)

    def _feedback(self, told: PartnerFeedback) -> Plain | None:
        if told.notice_id not in self._scope.notice_ids:
            return None
        return codec("PartnerFeedback").to_json(told)

    def _letter(self, letter: DeadLetter) -> Plain | None:
        original = original_in(letter.dead_letter_id, letter.sealed, self._key_by_id)
        inside = None if original is None else published_in(original.value)
        shown = None if inside is None else self.shown(inside)
        if shown is None:
            return None
        plain = codec("DeadLetter").to_json(letter)
        plain.pop("sealed")
        return plain | {"original": shown}

    def _imported(self, state: ImportedState) -> Plain | None:
        his = [self._scope.person.is_subject(one) for one in state.clients]
        if not any(his):
            return None
        plain: Plain = codec("ImportedState").to_json(state)
        plain["clients"] = [c if mine else None for c, mine in zip(plain["clients"], his, strict=True)]
        if len(his) > 1:
            # How it ended may be the death of the other.
            plain["course"] = {
                name: said for name, said in plain["course"].items() if not name.startswith("exit")
            }
        return plain

    def _is_his(self, trajectory_id: str | None, client: int | None) -> bool:
        membership = self._scope.memberships.get(trajectory_id or "")
        return membership is not None and membership.client == client


def trajectory_shown(trajectory: Whole, membership: Membership) -> Plain:
    """A trajectory with one client's half alone: his hashes, and the facts that concern him."""
    roster = Roster(trajectory.facts)
    # As a state, whatever record it was: sealed identities and what waits are shown by their topics.
    state = TrajectoryState(*trajectory[:6], match_keys=())
    plain = codec("TrajectoryState").to_json(state)
    facts = []
    for fact, shown in zip(trajectory.facts, plain["facts"], strict=True):
        if membership.client not in roster.concern(fact).positions and not membership.alone:
            continue
        listed = zip(shown["clients"] or (), fact.clients, strict=True)
        if fact.kind in LISTING:
            # The list is complete and in order: the position tells who is who.
            half = [one if i == membership.client else None for i, (one, _) in enumerate(listed)]
        else:
            half = [one if membership.client in roster.named(hashed) else None for one, hashed in listed]
        facts.append(shown | {"clients": half})
    plain.pop("match_keys")
    # The last event may be about the other.
    plain.pop("caused_by_event_id")
    return plain | {"facts": facts, "client": membership.client}


def _ref(routing_id: str) -> bytes:
    try:
        return bytes.fromhex(routing_id.rsplit("-", 1)[0])
    except ValueError:
        return b""
