"""What a casebook changed, into the database and the outbox.

Flows in: a casebook after the rules worked on it. Flows out: rows of tasks, notices and commands, and an outbox entry
for every task version, and for every notice and command that was not there before.
"""

from collections.abc import Sequence
from datetime import timedelta

from signaalwissel.processors import processing_lines
from signaalwissel.processors.followup_tasks import Command, Task, ref_of
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.routing import Decision
from signaalwissel.sinks import commands, feedback_store, notices, outbox, task_store
from signaalwissel.sinks.casebook import Casebook
from signaalwissel.sinks.commands import Given
from signaalwissel.sinks.ledger import Ledger
from signaalwissel.sinks.settings import SinkSettings
from sqlalchemy import Connection


def save(
    connection: Connection,
    casebook: Casebook,
    settings: SinkSettings,
    ledger: Ledger,
    erased: Sequence[Decision] = (),
) -> None:
    """Save what changed, in the caller's transaction.

    Args:
        connection: In a transaction that holds the tasks' lock.
        casebook: What the rules made.
        settings: Topics and CloudEvents source.
        ledger: Is told of every task version and notice.
        erased: What says that a signal is erased: of that nothing but the proof of erasure may stay.
    """
    if casebook.versions:
        opened = [task.task_id for task in casebook.changed() if task.task_id not in casebook.stored]
        if opened:
            casebook.go_on_from(outbox.take_marks(connection, opened))
            # An id is derived: a task of an erased resident comes once more when a decision about him was on its way.
            # Who reads `tasks` has its last version already, which says that it is cancelled.
            outbox.forget(connection, opened)
        task_store.save(connection, casebook.stored, casebook.changed(), ledger)
    published = _without_erased(connection, casebook, erased)
    made = notices.record(connection, casebook.notices)
    feedback_store.put(connection, made, casebook.policy)
    ledger.lines(line for task in casebook.versions for line in processing_lines.of_task(task))
    ledger.lines(map(processing_lines.of_notice, made))
    given = commands.record(connection, [_given(casebook, command) for command in casebook.commands])
    entries = [outbox.task_entry(task, settings) for task in published]
    entries += [outbox.notice_entry(notice, settings) for notice in made]
    entries += [
        outbox.command_entry(said.command_id, match_key, codec("ResidentCommand").encode(said), settings)
        for match_key, said in given
    ]
    if entries:
        outbox.put(connection, entries, settings)


def _without_erased(connection: Connection, casebook: Casebook, erased: Sequence[Decision]) -> list[Task]:
    if not erased:
        return casebook.versions
    refs = {ref_of(decision) for decision in erased}
    forgotten = casebook.told_of(refs)
    gone = [*forgotten, *commands.forget(connection, refs), *notices.forget(connection, erased)]
    outbox.forget(connection, gone)
    # Of those only the present version is published: the others may still tell of the signal.
    present = {task.task_id: task.version for task in casebook.changed()}
    return [
        task
        for task in casebook.versions
        if task.task_id not in forgotten or task.version == present[task.task_id]
    ]


def _given(casebook: Casebook, command: Command) -> Given:
    said = command.command
    period = timedelta(days=casebook.policy(said.municipality).corrections.period_days)
    return Given(command, casebook.last_day(said.signal_ref) + period)
