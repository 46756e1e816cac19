"""One resident out of the database at once, and the commands that take him out of the tables (design 7).

Flows in: what a search found. Flows out: in one transaction deleted rows, bare proofs of erasure, the last events of
cancelled tasks, commands to matcher and intake by the outbox, and the ledger's entries. What is still on its way to
the sink is taken away when the matcher's word comes (`subject_leftovers`).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from signaalwissel.processors import followup_texts as texts
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.erased_clients import erased_positions, without_erased
from signaalwissel.processors.followup_notices import Notice, digest, notice_id
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.followup_texts import StepKind
from signaalwissel.processors.identifiers import trajectory_key
from signaalwissel.processors.naming import Roster
from signaalwissel.processors.subject import Membership
from signaalwissel.processors.subject_ledger import LedgerEntry
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import NoticeKind, TaskStatus, TaskStep
from signaalwissel.schemas.internal import (
    ClientPseudonym,
    Fact,
    IntakeCommand,
    IntakeCommandKind,
    ResidentCommand,
    ResidentCommandKind,
    TrajectoryState,
)
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause
from signaalwissel.schemas.trajectory import TrajectoryEventKind
from signaalwissel.schemas.units import Millis
from signaalwissel.sinks import (
    audit,
    commands,
    notices,
    outbox,
    subject_ledger_store,
    task_store,
    tombstones,
    trajectory_keys,
)
from signaalwissel.sinks.destruction import Destruction
from signaalwissel.sinks.outbox import Entry
from signaalwissel.sinks.settings import INTAKE_COMMANDS, SinkSettings
from signaalwissel.sinks.subject_search import Holdings, SignalRows, candidates_of
from signaalwissel.sinks.tables import dead_letters, decisions, found, trajectories
from signaalwissel.sinks.tables import notices as notices_table
from sqlalchemy import Connection


class Erasure(NamedTuple):
    """An erasure.

    Attributes:
        erasure_id: Its id.
        at: When it was asked for.
        keyed: Whether the municipality has its keys. Without them intake can take no client out of a trajectory, as it
            would have to open who they are; it can take the whole of it away.
    """

    erasure_id: str
    at: Millis
    keyed: bool = True


def erase(
    destruction: Destruction,
    holdings: Holdings,
    erasure: Erasure,
    entries: Sequence[LedgerEntry],
    settings: SinkSettings,
) -> None:
    """Erase everything of one resident.

    Args:
        destruction: In a transaction that holds the tasks' lock.
        holdings: What is his, found in the same transaction.
        erasure: The erasure.
        entries: The ledger's entries about it.
        settings: Topics and CloudEvents source.
    """
    connection = destruction.connection
    subject_ledger_store.record(connection, entries)
    published = _forget_tasks(destruction, holdings, erasure)
    gone = [task.task_id for task in (*holdings.tasks, *published)]
    gone += commands.forget(connection, holdings.signals.keys())
    gone += holdings.notice_ids
    outbox.forget(connection, gone)
    _forget_notices(connection, holdings)
    _forget_signals(destruction, holdings.signals.values())
    _forget_memberships(connection, holdings, erasure)
    _forget_letters(connection, holdings)
    made = notices.record(connection, list(_destroyed(holdings, erasure)))
    outbox.put(
        connection,
        [
            *(outbox.task_entry(task, settings) for task in published),
            *(outbox.notice_entry(notice, settings) for notice in made),
            *command_entries(holdings, erasure, settings),
        ],
        settings,
    )


def command_entries(holdings: Holdings, erasure: Erasure, settings: SinkSettings) -> list[Entry]:
    """The commands of an erasure: to the matcher under each of his keys, then to intake for each trajectory.

    Intake sends the first kind too, before it takes a trajectory away; this one is for who has no trajectory.
    """
    person = holdings.person
    said = ResidentCommand(
        command_id=erasure.erasure_id,
        kind=ResidentCommandKind.ERASE_RESIDENT,
        municipality=person.municipality,
        signal_ref=b"",
        trajectory_id=None,
        client=None,
        issued_at=erasure.at,
        person=ClientPseudonym(bsn=person.bsn, birth_date=person.birth_date if person.distinct else None),
    )
    value = codec("ResidentCommand").encode(said)
    # A ledger that is applied again tells of no person: intake's commands do the work then.
    named = person.bsn is not None or person.birth_date is not None
    entries = [
        outbox.command_entry(f"{erasure.erasure_id}-{key.hex()[:16]}", key, value, settings)
        for key in sorted(person.match_keys if named else ())
    ]
    for one in holdings.memberships:
        if not (erasure.keyed or one.alone):
            continue
        command = IntakeCommand(
            command_id=command_id(erasure.erasure_id, one),
            kind=IntakeCommandKind.ERASE,
            municipality=person.municipality,
            trajectory_id=one.trajectory_id,
            client=one.client if erasure.keyed else None,
            occurred_on=amsterdam_day(erasure.at),
            issued_at=erasure.at,
        )
        entries.append(intake_entry(command, settings))
    return entries


def command_id(request_id: str, membership: Membership) -> str:
    """The id of the command to intake that a request leads to for one trajectory."""
    return f"{request_id}-{digest(membership.trajectory_id, str(membership.client))}"


def intake_entry(command: IntakeCommand, settings: SinkSettings) -> Entry:
    """A command to intake, for `intake-commands`."""
    key = trajectory_key(command.municipality, command.trajectory_id)
    value = codec("IntakeCommand").encode(command)
    topic = settings.topic(INTAKE_COMMANDS)
    return Entry(command.command_id, 1, topic, key, value, outbox.COMMAND_GIVEN)


def _forget_tasks(destruction: Destruction, holdings: Holdings, erasure: Erasure) -> list[Task]:
    """Delete his tasks and take him out of those of others; gives what task systems must hear."""
    ids = [task.task_id for task in holdings.tasks]
    tombstones.lay_for_tasks(destruction.connection, ids, amsterdam_day(erasure.at))
    task_store.delete(destruction, ids)
    left = [task for one in holdings.shared if (task := _without_him(one, holdings, erasure)) != one]
    stored = {task.task_id: task for task in holdings.shared}
    task_store.save(destruction.connection, stored, left, destruction.ledger)
    return [*(_cancelled(task, erasure) for task in holdings.tasks if not task.ended), *left]


def _cancelled(task: Task, erasure: Erasure) -> Task:
    step = TaskStep(erasure.at, StepKind.CANCELLED, None, texts.CANCELLED_BY_ERASURE)
    bare = replace(task, reports=(), history=(step,), candidates=(), outcome=None)
    return bare.ending(TaskStatus.CANCELLED).next_version()


def _without_him(task: Task, holdings: Holdings, erasure: Erasure) -> Task:
    reports = tuple(report for report in task.reports if report.ref not in holdings.signals)
    candidates = candidates_of(task, holdings.memberships)
    if (reports, candidates) == (task.reports, task.candidates):
        return task
    # Notes may tell of the signals, and of who was a candidate.
    history = tuple(step._replace(note=None) for step in task.history)
    step = TaskStep(erasure.at, StepKind.SIGNAL_ERASED, None, texts.SIGNAL_ERASED)
    left = replace(task, reports=reports, candidates=candidates, history=(*history, step))
    if task.candidates and not candidates and not task.ended:
        # There is nobody left to verify; the matcher may not know the signal any more.
        left = left.ending(TaskStatus.CANCELLED)
    return left.next_version()


def _forget_letters(connection: Connection, holdings: Holdings) -> None:
    his = [one.row.dead_letter_id for one in holdings.letters if not one.shared]
    connection.execute(dead_letters.delete().where(dead_letters.c.dead_letter_id.in_(his)))


def _forget_notices(connection: Connection, holdings: Holdings) -> None:
    table = notices_table
    connection.execute(
        table.delete().where(
            table.c.notice_id.in_(holdings.notice_ids), table.c.kind != NoticeKind.DATA_DESTROYED.value
        )
    )


def _forget_signals(destruction: Destruction, signals: Collection[SignalRows]) -> None:
    """Of each delivery the last revision stays as the proof of its erasure: ids and nothing else."""
    rows = [row for found in signals for row in found.rows]
    last = [found.rows[-1].routing_id for found in signals]
    older = [row.routing_id for row in rows if row.routing_id not in set(last)]
    destruction.delete(decisions, decisions.c.routing_id.in_(older))
    emptied = dict.fromkeys(column for column in audit.COLUMNS if column not in audit.KEPT_AFTER_ERASURE)
    proof = {"action": CorrectionAction.WITHDRAWN.value, "cause": CorrectionCause.ERASED.value}
    destruction.change(decisions, decisions.c.routing_id.in_(last), {**emptied, **proof})


def _forget_memberships(connection: Connection, holdings: Holdings, erasure: Erasure) -> None:
    municipality = holdings.person.municipality
    for one in holdings.memberships:
        connection.execute(
            found.delete().where(
                found.c.municipality == municipality,
                found.c.trajectory_id == one.trajectory_id,
                *(() if one.alone else (found.c.client == one.client,)),
            )
        )
        left = _state_without(holdings.states[one.trajectory_id], one, holdings, erasure)
        values: dict[str, object] = {"state": codec("TrajectoryState").encode(left)}
        if left.erased:
            values |= {"erased": True, "counsellor_id": None, "counsellor_team": None}
        place = (
            trajectories.c.municipality == municipality,
            trajectories.c.trajectory_id == one.trajectory_id,
        )
        connection.execute(trajectories.update().where(*place).values(values))
        trajectory_keys.follow(connection, [left])


def _state_without(
    state: TrajectoryState, membership: Membership, holdings: Holdings, erasure: Erasure
) -> TrajectoryState:
    """The state as intake will send it once it has carried out the command, in the version that is here."""
    if membership.alone:
        caused_by = erasure.erasure_id
        return state._replace(erased=True, caused_by_event_id=caused_by, facts=(), match_keys=())
    marker = Fact(
        event_id=command_id(erasure.erasure_id, membership),
        sequence=max(fact.sequence for fact in state.facts) + 1,
        occurred_on=amsterdam_day(erasure.at),
        recorded_at=erasure.at,
        kind=TrajectoryEventKind.ERASED,
        client=membership.client,
    )
    erased = erased_positions((*state.facts, marker))
    named = Roster(state.facts).named
    left = (without_erased(fact, erased, named) for fact in state.facts)
    return state._replace(
        facts=(*(fact for fact in left if fact is not None), marker),
        match_keys=tuple(key for key in state.match_keys if key not in holdings.person.own_keys),
    )


def _destroyed(holdings: Holdings, erasure: Erasure) -> Iterator[Notice]:
    """The notices that the matcher's word would bring, also for signals that it does not know any more."""
    municipality = holdings.person.municipality
    for ref in holdings.signals:
        yield Notice(
            notice_id=notice_id(NoticeKind.DATA_DESTROYED, municipality, "signal", ref.hex()),
            kind=NoticeKind.DATA_DESTROYED,
            municipality=municipality,
            addressee="signal-" + digest(municipality, ref.hex()),
            occurred_on=amsterdam_day(erasure.at),
        )
