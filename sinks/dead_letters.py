"""The dead-letter table: what could not be handled, at any step, sealed until somebody mends it (design 7).

Flows in: dead letters from the topic and from the sink itself. Flows out: lists for an operator, and the originals on
their way back to the topic that they came from.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from signaalwissel.schemas.internal import DeadLetter, Header, OriginalRecord
from signaalwissel.sinks.copying import moment_of
from signaalwissel.sinks.settings import SinkError
from signaalwissel.sinks.tables import dead_letters
from sqlalchemy import Connection, Engine, Row, select
from sqlalchemy.dialects.postgresql import insert

REPLAYS_HEADER = "signaalwissel-replays"
"""Header of a replayed record: how often its like was replayed. A record that fails again comes back as a new dead
letter, so the count travels with it."""
REPLAYS_MAX = 3


class DeadLetterStatus(StrEnum):
    """What became of a dead letter."""

    OPEN = "open"
    REPLAYED = "replayed"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class DeadLetterRow:
    """A dead letter as an operator may see it; the original stays sealed."""

    dead_letter_id: str
    stage: str
    topic: str
    partition: int
    offset: int
    timestamp: datetime
    code: str
    field: str | None
    rule: str
    municipality: str | None
    record_id: str | None
    status: DeadLetterStatus
    replays: int


@dataclass(frozen=True, slots=True)
class DeadLetterFilter:
    """Which dead letters to list; what is None does not matter."""

    status: DeadLetterStatus | None = DeadLetterStatus.OPEN
    topic: str | None = None
    code: str | None = None
    municipality: str | None = None
    record_id: str | None = None
    limit: int = 100


class ReplayRefused(SinkError):
    """A dead letter is not replayed: it is not there, is parked, or came back too often."""


_SHOWN = [column for column in dead_letters.columns if column.name != "sealed"]


def record(connection: Connection, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
    """Add dead letters, and give those that are new; one that is there already stays as it is."""
    if not letters:
        return []
    different: dict[str, DeadLetter] = {}
    for letter in letters:
        different.setdefault(letter.dead_letter_id, letter)
    rows = [letter._asdict() | {"timestamp": moment_of(letter.timestamp)} for letter in different.values()]
    statement = insert(dead_letters).on_conflict_do_nothing().returning(dead_letters.c.dead_letter_id)
    added = set(connection.execute(statement, rows).scalars())
    return [letter for letter_id, letter in different.items() if letter_id in added]


def list_dead_letters(engine: Engine, wanted: DeadLetterFilter) -> list[DeadLetterRow]:
    """Dead letters, newest first."""
    with engine.connect() as connection:
        return dead_letters_in(connection, wanted)


def dead_letters_in(connection: Connection, wanted: DeadLetterFilter) -> list[DeadLetterRow]:
    """The same, of what a connection sees."""
    statement = select(*_SHOWN).order_by(dead_letters.c.timestamp.desc(), dead_letters.c.dead_letter_id)
    for name in ("status", "topic", "code", "municipality", "record_id"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(dead_letters.c[name] == value)
    return [_shown(row) for row in connection.execute(statement.limit(wanted.limit))]


def show_dead_letter(engine: Engine, dead_letter_id: str) -> DeadLetterRow | None:
    """One dead letter, or None where there is none with this id."""
    with engine.connect() as connection:
        return find_dead_letter(connection, dead_letter_id)


def find_dead_letter(connection: Connection, dead_letter_id: str) -> DeadLetterRow | None:
    """The same, of what a connection sees."""
    statement = select(*_SHOWN).where(dead_letters.c.dead_letter_id == dead_letter_id)
    row = connection.execute(statement).first()
    return None if row is None else _shown(row)


def sealed_original(engine: Engine, dead_letter_id: str) -> bytes | None:
    """The sealed original, or None where there is none with this id; opening it is a logged processing."""
    statement = select(dead_letters.c.sealed).where(dead_letters.c.dead_letter_id == dead_letter_id)
    with engine.connect() as connection:
        sealed = connection.execute(statement).scalar()
    return None if sealed is None else bytes(sealed)


def mark_dead_letters(engine: Engine, ids: Iterable[str], status: DeadLetterStatus) -> int:
    """Set the status of dead letters, to park or reopen them; gives how many there were."""
    statement = (
        dead_letters.update().where(dead_letters.c.dead_letter_id.in_(list(ids))).values(status=status)
    )
    with engine.begin() as connection:
        return connection.execute(statement).rowcount


Unseal = Callable[[DeadLetterRow, bytes], OriginalRecord]
"""Opens the sealed original of a dead letter; opening is a logged processing, the caller's to log."""
Publish = Callable[[str, OriginalRecord], None]
"""Publishes a record on a topic and returns when it is acknowledged."""


def replay_dead_letter(
    engine: Engine, dead_letter_id: str, unseal: Unseal, publish: Publish
) -> DeadLetterRow:
    """Publish the original of a dead letter on its topic again and mark it as replayed.

    A process that dies in between leaves it open, so it may be published twice; whoever reads it takes the same
    record once.

    Raises:
        ReplayRefused: It is not there, is not open, or came back REPLAYS_MAX times.
    """
    statement = select(dead_letters).where(dead_letters.c.dead_letter_id == dead_letter_id).with_for_update()
    with engine.begin() as connection:
        row = connection.execute(statement).first()
        if row is None:
            raise ReplayRefused(f"dead letter {dead_letter_id}: there is none with this id")
        letter = _shown(row)
        if letter.status is not DeadLetterStatus.OPEN:
            raise ReplayRefused(f"dead letter {dead_letter_id}: is {letter.status}; reopen it first")
        publish(letter.topic, _counted(unseal(letter, bytes(row.sealed)), dead_letter_id))
        connection.execute(
            dead_letters.update()
            .where(dead_letters.c.dead_letter_id == dead_letter_id)
            .values(status=DeadLetterStatus.REPLAYED, replays=dead_letters.c.replays + 1)
        )
    return letter


def _counted(original: OriginalRecord, dead_letter_id: str) -> OriginalRecord:
    replays = max((_count(header) for header in original.headers if header.name == REPLAYS_HEADER), default=0)
    if replays >= REPLAYS_MAX:
        raise ReplayRefused(
            f"dead letter {dead_letter_id}: its record failed again after {replays} replays; mend its cause, or park it"
        )
    others = tuple(header for header in original.headers if header.name != REPLAYS_HEADER)
    return original._replace(headers=(*others, Header(REPLAYS_HEADER, str(replays + 1).encode())))


def _count(header: Header) -> int:
    value = header.value or b""
    # Whoever publishes may write any header; what is no small number of ours is no count.
    return int(value) if value.isdigit() and len(value) == 1 else 0


def _shown(row: Row[Any]) -> DeadLetterRow:
    values = {column.name: getattr(row, column.name) for column in _SHOWN}
    return DeadLetterRow(**values | {"status": DeadLetterStatus(row.status)})
