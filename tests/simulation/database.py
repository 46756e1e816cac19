"""PostgreSQL as far as the sink's offsets need it: sessions, transactions, advisory locks, row locks.

In: the statements of `sinks.offsets`. Out: what PostgreSQL would answer at READ COMMITTED. A session may be ended by
the server at any time; a commit may be done although nobody hears of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple

import psycopg
from signaalwissel.sinks import offsets
from signaalwissel.sinks.records import Place
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql import Select

STORE = object()
"""Stands for the statements that store the rows of a batch."""

COMPARE_AND_SET = offsets._ADVANCE


class Stored(NamedTuple):
    """Where a record came from."""

    place: Place
    offset: int


class Database:
    """What is committed, and who holds which lock.

    Attributes:
        locks_hold: Whether advisory locks keep others out; behind some poolers and after a failover they do not.
        moves: Every committed move of an offset.
    """

    def __init__(self, locks_hold: bool, begun: Mapping[Place, int]) -> None:
        self.locks_hold = locks_hold
        self.offsets: dict[Place, int] = dict(begun)
        self.rows: list[Stored] = []
        self.moves: list[tuple[Place, int]] = []
        self.sessions: list[Session] = []

    def holder(self, key: tuple[int, int]) -> Session | None:
        """Who has an advisory lock."""
        return next((one for one in self.sessions if key in one.locks), None)

    def busy(self, places: Sequence[Place], asking: Session) -> bool:
        """Whether another session's transaction has changed one of these offsets."""
        return any(place in one.changed for one in self.sessions if one is not asking for place in places)


class Session:
    """One connection, as SQLAlchemy shows it; `turn` lets the others go on."""

    def __init__(self, database: Database, turn: Callable[[], None], lost_answer: Callable[[], bool]) -> None:
        self._database = database
        self._turn = turn
        self._lost_answer = lost_answer
        self.locks: set[tuple[int, int]] = set()
        self.changed: dict[Place, int] = {}
        self._rows: list[Stored] = []
        self.alive = True
        database.sessions.append(self)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.end()

    def end(self) -> None:
        """The server ends the session: no transaction, no locks."""
        self.alive = False
        self.changed, self._rows, self.locks = {}, [], set()
        if self in self._database.sessions:
            self._database.sessions.remove(self)

    @contextmanager
    def begin(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.changed, self._rows = {}, []
            raise
        self.commit()

    def commit(self) -> None:
        """Make the transaction's changes everybody's."""
        self._round_trip()
        self._database.offsets |= self.changed
        self._database.moves += self.changed.items()
        self._database.rows += self._rows
        self.changed, self._rows = {}, []
        if self._lost_answer():
            self.end()
        self._round_trip()

    def execute(self, statement: Any, values: Any = None) -> Any:
        self._round_trip()
        if statement is offsets._LOCK:
            answer: Any = self._lock((values["topic"], values["partition"]))
        elif statement is COMPARE_AND_SET or statement is offsets._ADVANCE:
            answer = self._advance(values, compare=statement is COMPARE_AND_SET)
        elif statement is STORE:
            self._rows += values
            answer = None
        elif isinstance(statement, Select):
            found = {**self._database.offsets, **self.changed}
            answer = [
                SimpleNamespace(topic=p.topic, partition=p.partition, next_offset=o) for p, o in found.items()
            ]
        elif isinstance(statement, Insert):
            self.changed |= {Place(one["topic"], one["partition"]): one["next_offset"] for one in values}
            answer = None
        else:  # the holder of a lock, and the sign of life
            answer = SimpleNamespace(first=lambda: None)
        self._round_trip()
        return answer

    def _round_trip(self) -> None:
        self._turn()
        if not self.alive:
            raise OperationalError("statement", None, psycopg.OperationalError("the session was ended"))

    def _lock(self, key: tuple[int, int]) -> SimpleNamespace:
        holder = self._database.holder(key)
        got = holder in (None, self) or not self._database.locks_hold
        if got:
            self.locks.add(key)
        return SimpleNamespace(scalar_one=lambda: got)

    def _advance(self, values: Mapping[str, Any], *, compare: bool) -> SimpleNamespace:
        places = [Place(*one) for one in zip(values["topics"], values["partitions"], strict=True)]
        while self._database.busy(places, self):
            self._round_trip()
        moved = 0
        for place, first, following in zip(places, values["firsts"], values["nexts"], strict=True):
            if not compare or self._database.offsets.get(place) == first:
                self.changed[place] = following
                moved += 1
        return SimpleNamespace(rowcount=moved)
