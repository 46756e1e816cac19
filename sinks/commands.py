"""Commands to the matcher: each given once, and given again after a rebuild while its signal can be corrected.

Flows in: commands of the rules. Flows out: rows, and outbox entries that the relay sends to `resident-events`.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.followup_tasks import Command
from signaalwissel.schemas.contract import codec
from signaalwissel.sinks import outbox
from signaalwissel.sinks.copying import moment_of
from signaalwissel.sinks.settings import SinkSettings
from signaalwissel.sinks.tables import commands
from signaalwissel.sinks.timekeeping import DatabaseTime
from sqlalchemy import Connection, Engine, LargeBinary, Row, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

_RECORD = insert(commands).on_conflict_do_nothing().returning(commands.c.command_id)
_STANDING = (
    select(commands)
    .where(commands.c.stands_until >= bindparam("today"))
    .order_by(commands.c.issued_at, commands.c.command_id)
)
_FORGET = (
    commands.delete()
    .where(commands.c.signal_ref == any_(bindparam("refs", type_=ARRAY(LargeBinary))))
    .returning(commands.c.command_id)
)


class Given(NamedTuple):
    """A command, and the last day on which its signal can be corrected."""

    command: Command
    stands_until: date


def record(connection: Connection, given: Sequence[Given]) -> list[Command]:
    """Store commands, and give those that were not given before, in order."""
    different = {one.command.command.command_id: one for one in given}
    if not different:
        return []
    added = set(connection.execute(_RECORD, [_row(one) for one in different.values()]).scalars())
    return [one.command for command_id, one in different.items() if command_id in added]


def forget(connection: Connection, refs: Iterable[bytes]) -> list[str]:
    """Forget the commands about erased signals, and give their ids."""
    return list(connection.execute(_FORGET, {"refs": list(refs)}).scalars())


def count_standing(engine: Engine) -> int:
    """How many commands stand: their signals can still be corrected today, by the database's clock."""
    with engine.connect() as connection:
        return len(_standing(connection))


def give_again(engine: Engine, settings: SinkSettings) -> int:
    """Have the relay send every command that stands once more, oldest first; gives how many.

    Each keeps its id, so a matcher that has seen it drops it. What no longer stands is left: its signal is out of the
    matcher's reach, and the command would come back as a dead letter.
    """
    with engine.begin() as connection:
        rows = _standing(connection)
        if not rows:
            return 0
        outbox.forget(connection, [row.command_id for row in rows])
        entries = [
            outbox.command_entry(row.command_id, bytes(row.match_key), bytes(row.value), settings)
            for row in rows
        ]
        outbox.put(connection, entries, settings)
        return len(rows)


def _standing(connection: Connection) -> Sequence[Row[Any]]:
    today = amsterdam_day(DatabaseTime().now(connection))
    return connection.execute(_STANDING, {"today": today}).all()


def _row(given: Given) -> dict[str, object]:
    match_key, command = given.command
    return {
        "command_id": command.command_id,
        "signal_ref": command.signal_ref,
        "match_key": match_key,
        "value": codec("ResidentCommand").encode(command),
        "issued_at": moment_of(command.issued_at),
        "stands_until": given.stands_until,
    }
