"""Everything that the database has of a trajectory, deleted at once: when its retention is over, or at a request.

Flows in: trajectories. Flows out: nothing of them in any table but a tombstone; in the outbox the command with which
intake, `trajectory-states` and the matcher forget them too, the last word of their tasks, and a notice for each.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple

from signaalwissel.processors.followup_notices import Notice
from signaalwissel.processors.followup_tasks import Moment, Task
from signaalwissel.processors.identifiers import trajectory_key
from signaalwissel.processors.processing_lines import client_of, resident
from signaalwissel.processors.retention_proof import destruction_command, last_word, trajectory_destroyed
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.sinks import notices, outbox, task_store, tombstones
from signaalwissel.sinks.casebook import TrajectoryKey
from signaalwissel.sinks.destruction import Destruction
from signaalwissel.sinks.pairs import PAIRS, arrays
from signaalwissel.sinks.settings import INTAKE_COMMANDS, SinkSettings
from signaalwissel.sinks.tables import decisions
from sqlalchemy import Connection, Text, TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

_IDS = bindparam("ids", type_=ARRAY(Text))


def _about_gone(statement: str) -> TextClause:
    """A statement in which GONE stands for the trajectories."""
    table = "unnest(:municipalities, :trajectories) AS gone (municipality, trajectory_id)"
    return text(statement.replace("GONE", table)).bindparams(*PAIRS)


_OWN_TASKS = _about_gone(
    "SELECT task_id FROM tasks JOIN GONE USING (municipality, trajectory_id) WHERE kind <> 'VERIFY_IDENTITY'"
)
_ERASED = _about_gone(
    "SELECT municipality, trajectory_id FROM trajectories JOIN GONE USING (municipality, trajectory_id) WHERE erased"
)
_STATES = _about_gone(
    "SELECT municipality, trajectory_id, state FROM trajectories JOIN GONE USING (municipality, trajectory_id)"
)
_UNSENT = text(
    "SELECT DISTINCT aggregate_id FROM outbox WHERE sent_at IS NULL AND aggregate_id = ANY(:ids)"
).bindparams(_IDS)
_COMMANDS_LEFT = text("DELETE FROM commands WHERE command_id = ANY(:ids)").bindparams(_IDS)
# Commands that may name one of them: about a signal in one of its tasks, or in a verification.
_COMMANDS = _about_gone(
    """
    SELECT command_id, value FROM commands WHERE signal_ref IN (
        SELECT signal_ref FROM task_signals JOIN tasks USING (task_id) JOIN GONE
            ON tasks.municipality = gone.municipality
        WHERE tasks.trajectory_id = gone.trajectory_id OR tasks.kind = 'VERIFY_IDENTITY'
    )
    """
)
_NOTICES = _about_gone(
    """
    DELETE FROM notices USING GONE
    WHERE notices.municipality = gone.municipality AND notices.trajectory_id = gone.trajectory_id
    RETURNING notice_id
    """
)
_CHANGES = (
    # The proof that an erasure by the case system left stays, and leads nowhere any more.
    _about_gone(
        """
        UPDATE notices SET trajectory_id = NULL FROM GONE
        WHERE notices.municipality = gone.municipality AND notices.trajectory_id = gone.trajectory_id
            AND notices.kind = 'DATA_DESTROYED'
        """
    ),
    _about_gone(
        """
        UPDATE tasks SET trajectory_id = NULL FROM GONE
        WHERE tasks.municipality = gone.municipality AND tasks.trajectory_id = gone.trajectory_id
        """
    ),
)
_DELETIONS = (
    _about_gone(
        """
        DELETE FROM found USING GONE
        WHERE found.municipality = gone.municipality AND found.trajectory_id = gone.trajectory_id
        """
    ),
    _about_gone(
        """
        DELETE FROM retention_terms AS term USING GONE
        WHERE term.municipality = gone.municipality AND term.trajectory_id = gone.trajectory_id
        """
    ),
    # Whoever deletes has seen to it that none is in force.
    _about_gone(
        """
        DELETE FROM retention_holds AS hold USING GONE
        WHERE hold.municipality = gone.municipality AND hold.trajectory_id = gone.trajectory_id
        """
    ),
    _about_gone(
        """
        DELETE FROM trajectories USING GONE
        WHERE trajectories.municipality = gone.municipality AND trajectories.trajectory_id = gone.trajectory_id
        """
    ),
)
# What was decided about a signal stays as long as the signal; whom it led to goes.
_DECIDED = text(
    "(decisions.municipality, decisions.trajectory_id) IN (SELECT * FROM unnest(:municipalities, :trajectories))"
).bindparams(*PAIRS)
_EMPTIED = dict.fromkeys(
    (
        "trajectory_id",
        "trajectory_state",
        "client",
        "counsellor_id",
        "counsellor_team",
        "window_ends_on",
        "caused_by_event_id",
    )
)
# One municipality at a time: a row may name several of its trajectories.
_TASK_CANDIDATES = text(
    """
    UPDATE tasks SET candidates = (
        SELECT coalesce(jsonb_agg(one), '[]'::jsonb) FROM jsonb_array_elements(candidates) AS one
        WHERE one ->> 0 <> ALL(:ids)
    )
    WHERE municipality = :municipality AND kind = 'VERIFY_IDENTITY'
        AND EXISTS (SELECT FROM jsonb_array_elements(candidates) AS one WHERE one ->> 0 = ANY(:ids))
    """
).bindparams(_IDS)
_NAMING = text(
    """
    decisions.municipality = :of_municipality AND candidates IS NOT NULL
        AND EXISTS (SELECT FROM jsonb_array_elements(candidates) AS one WHERE one ->> 0 = ANY(:ids))
    """
).bindparams(_IDS)
_UNNAMED = text(
    "(SELECT jsonb_agg(one) FROM jsonb_array_elements(candidates) AS one WHERE one ->> 0 <> ALL(:ids))"
).bindparams(_IDS)


class Farewell(NamedTuple):
    """When it is done, under which settings, and the Dutch sentence with which a task that runs ends."""

    settings: SinkSettings
    moment: Moment
    note: str


def forget_trajectories(
    destruction: Destruction, keys: Collection[TrajectoryKey], farewell: Farewell
) -> dict[str, int]:
    """Delete everything of these trajectories and see to it that everybody else does, in the caller's transaction.

    Nothing that comes late brings them back: a tombstone keeps digests of their ids. Doing it again does nothing. A
    hold is not looked at: it goes with what it held.

    Args:
        destruction: In a transaction that holds the locks of destruction and of the tasks, in that order.
        keys: The trajectories, known here or not.
        farewell: When, and why as task systems read it.

    Returns:
        How many tasks, notices and commands went.
    """
    connection = destruction.connection
    pairs = sorted(set(keys) - tombstones.among(connection, keys))
    gone = arrays(pairs)
    erased = {TrajectoryKey(*row) for row in connection.execute(_ERASED, gone)}
    ids = list(connection.execute(_OWN_TASKS, gone).scalars())
    told = _last_words(connection, ids, farewell)
    commands = _forget_commands(connection, pairs)
    _account(destruction, pairs, farewell)
    updates = task_store.delete(destruction, ids)
    destruction.change(decisions, _DECIDED.bindparams(**gone), _EMPTIED)
    for statement in (*_CHANGES, *_DELETIONS):
        connection.execute(statement, gone)
    made = list(connection.execute(_NOTICES, gone).scalars())
    _no_candidates(destruction, pairs)
    outbox.forget(connection, [*ids, *made, *updates, *commands])
    tombstones.lay(connection, pairs, farewell.moment.today, erased)
    _tell(connection, told, [key for key in pairs if key not in erased], farewell)
    proofs = [trajectory_destroyed(*key, farewell.moment.today) for key in pairs]
    give_notice(connection, proofs, farewell.settings)
    return {"tasks": len(ids), "notices": len(made), "commands": len(commands)}


def _account(destruction: Destruction, keys: Sequence[TrajectoryKey], farewell: Farewell) -> None:
    """A line for each client of each trajectory; of one whose state is not here, for the trajectory's client."""
    states = {
        TrajectoryKey(row.municipality, row.trajectory_id): read_trajectory_state(bytes(row.state))
        for row in destruction.connection.execute(_STATES, arrays(keys))
    }
    for key in keys:
        match_keys = states[key].match_keys if key in states else ()
        whose = [resident(match_key) for match_key in match_keys] or [client_of(*key)]
        destruction.of(key.municipality, farewell.moment.today, f"trajectory/{key.trajectory_id}", whose)


def give_notice(connection: Connection, made: Sequence[Notice], settings: SinkSettings) -> None:
    """Keep notices and publish those that are new."""
    fresh = notices.record(connection, made)
    if fresh:
        outbox.put(connection, [outbox.notice_entry(notice, settings) for notice in fresh], settings)


def _tell(
    connection: Connection, told: Sequence[Task], forgetting: Sequence[TrajectoryKey], farewell: Farewell
) -> None:
    settings = farewell.settings
    entries = [outbox.task_entry(task, settings) for task in told]
    for key in forgetting:
        order = destruction_command(*key, farewell.moment)
        value = codec("IntakeCommand").encode(order)
        topic = settings.topic(INTAKE_COMMANDS)
        entries.append(
            outbox.Entry(order.command_id, 1, topic, trajectory_key(*key), value, outbox.COMMAND_GIVEN)
        )
    # One that was given before a backup was restored is given again.
    outbox.forget(connection, [entry.aggregate_id for entry in entries])
    outbox.put(connection, entries, settings)


def _no_candidates(destruction: Destruction, keys: Sequence[TrajectoryKey]) -> None:
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for municipality, trajectory_id in keys:
        ids[municipality].append(trajectory_id)
    for municipality, numbers in ids.items():
        about = {"municipality": municipality, "ids": numbers}
        destruction.connection.execute(_TASK_CANDIDATES, about)
        where = _NAMING.bindparams(of_municipality=municipality, ids=numbers)
        left = _UNNAMED.bindparams(ids=numbers)
        destruction.change(decisions, where, {"candidates": left})


def forget_tasks(destruction: Destruction, ids: Sequence[str], today: date) -> None:
    """Delete tasks that have ended, with their signals, history, updates, hand-overs and what was sent of them."""
    tombstones.lay_for_tasks(destruction.connection, ids, today)
    updates = task_store.delete(destruction, ids)
    outbox.forget(destruction.connection, [*ids, *updates])


def _last_words(connection: Connection, ids: Sequence[str], farewell: Farewell) -> list[Task]:
    """Tasks of which task systems still have to hear: they run, or their end has not been sent yet."""
    unsent = set(connection.execute(_UNSENT, {"ids": list(ids)}).scalars())
    return [
        last_word(task, farewell.moment, farewell.note)
        for task in task_store.by_ids(connection, ids)
        if not task.ended or task.task_id in unsent
    ]


def _forget_commands(connection: Connection, keys: Sequence[TrajectoryKey]) -> list[str]:
    named = {
        row.command_id: codec("ResidentCommand").decode(bytes(row.value))
        for row in connection.execute(_COMMANDS, arrays(keys))
    }
    known = set(keys)
    ids = [
        command_id
        for command_id, said in named.items()
        if said.trajectory_id is not None and TrajectoryKey(said.municipality, said.trajectory_id) in known
    ]
    connection.execute(_COMMANDS_LEFT, {"ids": ids})
    return ids
