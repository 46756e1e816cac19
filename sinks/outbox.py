"""The outbox: what is to be published, stored in the transaction that made it true (design 9).

Flows in: task versions, notices and commands. Flows out: rows that the relay sends, each with its CloudEvents attributes.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb
from signaalwissel.processors.followup_notices import Notice
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.schemas.contract import codec
from signaalwissel.sinks.copying import copy_rows
from signaalwissel.sinks.settings import NOTICES, RESIDENT_EVENTS, TASKS, SinkSettings
from signaalwissel.sinks.tables import outbox
from sqlalchemy import Connection, Text, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

TASK_CHANGED = "nl.schuldhulpverlening.taak-gewijzigd"
"""CloudEvents type of every record on `tasks`: the task in its present state."""
NOTICE_MADE = "nl.schuldhulpverlening.kennisgeving-vastgelegd"
"""CloudEvents type of every record on `notices`."""
COMMAND_GIVEN = "nl.signaalwissel.opdracht-gegeven"
"""CloudEvents type of a command on `resident-events`, which only our own processes read."""

_COLUMNS = ("aggregate_id", "version", "topic", "key", "value", "headers", "created_at")
_NOTHING = b""
"""The value of a mark: what it stands for is on its topic already."""
_TAKE_MARKS = (
    outbox.delete()
    .where(outbox.c.aggregate_id == any_(bindparam("ids", type_=ARRAY(Text))), outbox.c.value == _NOTHING)
    .returning(outbox.c.aggregate_id, outbox.c.version)
)
_FORGET = outbox.delete().where(outbox.c.aggregate_id == any_(bindparam("ids", type_=ARRAY(Text))))


class Entry(NamedTuple):
    """One record to publish; versions of one aggregate are published in their order."""

    aggregate_id: str
    version: int
    topic: str
    key: bytes
    value: bytes
    ce_type: str


def task_entry(task: Task, settings: SinkSettings) -> Entry:
    """A version of a task, for `tasks`."""
    value = codec("TaskEvent").encode(task.event())
    return Entry(
        task.task_id, task.version, settings.topic(TASKS), task.task_id.encode(), value, TASK_CHANGED
    )


def notice_entry(notice: Notice, settings: SinkSettings) -> Entry:
    """A notice, for `notices`."""
    value = codec("NoticeEvent").encode(notice.event())
    key = notice.notice_id.encode()
    return Entry(notice.notice_id, 1, settings.topic(NOTICES), key, value, NOTICE_MADE)


def command_entry(command_id: str, match_key: bytes, value: bytes, settings: SinkSettings) -> Entry:
    """A command to the matcher in wire format, for `resident-events`."""
    return Entry(command_id, 1, settings.topic(RESIDENT_EVENTS), match_key, value, COMMAND_GIVEN)


def put(connection: Connection, entries: Iterable[Entry], settings: SinkSettings) -> None:
    """Add entries, in order."""
    # The database's clock: one for all sinks, and the moment at which the event was logged (NL GOV profile).
    now = connection.execute(select(func.transaction_timestamp())).scalar_one()
    copy_rows(connection, outbox, _COLUMNS, (_row(entry, now, settings) for entry in entries))


def mark_published(connection: Connection, topic: str, versions: Mapping[str, int]) -> None:
    """Note that readers have these versions of what the database does not have (restored)."""
    if not versions:
        return
    now = func.transaction_timestamp()
    marks = [
        {"aggregate_id": one, "version": version, "topic": topic, "key": one.encode(), "value": _NOTHING,
         "headers": {}, "created_at": now, "sent_at": now}
        for one, version in versions.items()
    ]  # fmt: skip
    connection.execute(insert(outbox).values(marks).on_conflict_do_nothing())


def take_marks(connection: Connection, aggregate_ids: Sequence[str]) -> dict[str, int]:
    """The versions that readers have of these, where they were marked; the marks go."""
    taken = connection.execute(_TAKE_MARKS, {"ids": list(aggregate_ids)})
    return {row.aggregate_id: row.version for row in taken}


def forget(connection: Connection, aggregate_ids: Sequence[str]) -> None:
    """Delete every entry of these aggregates, sent or not: the data in them was erased."""
    connection.execute(_FORGET, {"ids": list(aggregate_ids)})


def _row(entry: Entry, now: datetime, settings: SinkSettings) -> tuple[Any, ...]:
    headers = Jsonb(_headers(entry, now, settings))
    return (entry.aggregate_id, entry.version, entry.topic, entry.key, entry.value, headers, now)


def _headers(entry: Entry, now: datetime, settings: SinkSettings) -> Mapping[str, str]:
    return {
        "ce_id": f"{entry.aggregate_id}:{entry.version}",
        "ce_source": settings.ce_source,
        "ce_specversion": "1.0",
        "ce_type": entry.ce_type,
        "ce_time": now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "content-type": "application/avro",
    }
