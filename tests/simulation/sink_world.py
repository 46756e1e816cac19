"""One seeded run of sinks that want the same partitions, on a fake log and a fake database.

In: a seed. Out: nothing, or `Violated`. The sink's session, reader and offsets are the real ones; the writer stores
where each record came from, behind the same compare-and-set and in the same transaction. Every call to the log or the
database is a place where another sink goes on, where a sink dies or freezes, or where the server ends a session.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest.mock import patch

from greenlet import GreenletExit, getcurrent, greenlet
from kafka import TopicPartition
from signaalwissel.sinks import counts, offsets, process, reader
from signaalwissel.sinks.records import Batch, Place
from signaalwissel.sinks.settings import INPUT_TOPICS, SinkError, SinkSettings

from tests.simulation.database import STORE, Database, Session, Stored
from tests.simulation.world import Violated

TURN_S = 0.01
PATIENCE_TURNS = 30_000
FAULT_TURNS = 1500
LEASE_TURNS = 200


class SinkRun(NamedTuple):
    """What a run says about itself."""

    turns: int
    records: int
    kills: int
    freezes: int
    ended_sessions: int
    failures: int


class FakeConsumer:
    """kafka-python's consumer over the run's log; every third offset is a marker's."""

    def __init__(self, world: SinkWorld) -> None:
        self._world = world
        self._positions: dict[Place, int] = {}

    def partitions_for_topic(self, _topic: str) -> set[int]:
        return {0, 1}

    def beginning_offsets(
        self, partitions: list[TopicPartition], **_options: Any
    ) -> dict[TopicPartition, int]:
        self._world.turn()
        return dict.fromkeys(partitions, 0)

    def end_offsets(self, partitions: list[TopicPartition], **_options: Any) -> dict[TopicPartition, int]:
        self._world.turn()
        return {tp: self._world.ends[Place(*tp)] for tp in partitions}

    def assign(self, _partitions: list[TopicPartition]) -> None:
        self._positions = {}

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self._positions[Place(*tp)] = offset

    def position(self, tp: TopicPartition, **_options: Any) -> int:
        return self._positions[Place(*tp)]

    def highwater(self, tp: TopicPartition) -> int:
        return self._world.ends[Place(*tp)]

    def poll(self, **_options: Any) -> dict[TopicPartition, list[int]]:
        self._world.turn()
        place = self._world.rng.choice(sorted(self._positions))
        first = self._positions[place]
        following = min(self._world.ends[place], first + self._world.rng.randint(1, 6))
        self._positions[place] = following
        found = [Stored(place, offset) for offset in range(first, following) if offset % 3]
        return {TopicPartition(*place): found} if found else {}

    def close(self, **_options: Any) -> None:
        """Do nothing."""


class FakeWriter:
    """Stores where records came from, as `Writer` stores what they say: the offsets first."""

    def store(self, connection: Session, batch: Batch) -> counts.Stored:
        offsets.advance(connection, batch.progress)  # type: ignore[arg-type]
        connection.execute(STORE, list(batch.decisions))
        return counts.Stored()


class SinkWorld:
    """Everything that one run needs."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = random.Random(f"sink {seed}")
        places = [Place(topic, number) for topic in INPUT_TOPICS for number in (0, 1)]
        self.ends = {place: self.rng.randint(0, 40) for place in places}
        locks_hold = self.rng.random() < 0.5
        # Where a partition was never read the lock alone keeps two sinks apart.
        self.database = Database(locks_hold, {} if locks_hold else dict.fromkeys(places, 0))
        self.turns = self.kills = self.freezes = self.ended_sessions = self.failures = 0
        self._hub = getcurrent()
        self._frozen: dict[greenlet, int] = {}
        self._sessions: dict[greenlet, Session] = {}

    def turn(self) -> None:
        """Let others go on."""
        self._hub.switch()

    def run(self) -> SinkRun:
        """Run until every record is stored, then judge."""
        with self._fakes():
            sinks = [self._new_sink() for _ in range(self.rng.randint(1, 3))]
            try:
                while not self._done():
                    self._must(
                        self.turns < PATIENCE_TURNS, f"liveness: not done within {PATIENCE_TURNS} turns"
                    )
                    self._next(sinks)
            finally:
                for sink in sinks:
                    sink.throw(GreenletExit)
        self._judge()
        records = len(self.database.rows)
        return SinkRun(self.turns, records, self.kills, self.freezes, self.ended_sessions, self.failures)

    def _next(self, sinks: list[greenlet]) -> None:
        self.turns += 1
        if self.turns < FAULT_TURNS and self.rng.random() < 0.02:
            self._go_wrong(sinks)
        for index, sink in enumerate(sinks):
            if sink.dead:
                sinks[index] = self._new_sink()
        awake = [sink for sink in sinks if self._frozen.get(sink, 0) <= self.turns]
        if awake:
            self.rng.choice(awake).switch()

    def _go_wrong(self, sinks: list[greenlet]) -> None:
        number = self.rng.randrange(len(sinks))
        sink = sinks[number]
        match self.rng.randrange(3):
            case 0:
                self.kills += 1
                sink.throw(GreenletExit)  # the server ends the session of a process that is gone
            case 1:
                self.freezes += 1
                length = self.rng.randint(10, 400)
                self._frozen[sink] = self.turns + length
                if length > LEASE_TURNS and self.database.locks_hold:
                    self._end_session(sink)
            case _:
                self._end_session(sink)

    def _end_session(self, sink: greenlet) -> None:
        session = self._sessions.get(sink)
        if session is not None and session.alive:
            self.ended_sessions += 1
            session.end()

    def _new_sink(self) -> greenlet:
        return greenlet(self._live)

    def _live(self) -> None:
        settings = SinkSettings(bootstrap="nowhere:1", database_url="postgresql://nowhere/none")
        helpers: Any = SimpleNamespace(
            check=lambda: None,
            relay=SimpleNamespace(wake=lambda: None),
            clock=SimpleNamespace(make_way=lambda: None),
        )
        inbox: Any = SimpleNamespace(add=_add)
        try:
            sink = process._Sink(settings, inbox, FakeWriter(), helpers, process.Tools())  # type: ignore[arg-type]
            while True:
                sink.session(threading.Event())
        except SinkError:
            self.failures += 1  # a process that ends, and is started again

    def _connect(self) -> Session:
        session = Session(
            self.database, self.turn, lambda: self.turns < FAULT_TURNS and self.rng.random() < 0.05
        )
        self._sessions[getcurrent()] = session
        return session

    @contextmanager
    def _fakes(self) -> Iterator[None]:
        clock = SimpleNamespace(monotonic=lambda: self.turns * TURN_S)
        engine = SimpleNamespace(connect=self._connect)
        with ExitStack() as stack:
            for module, name, value in (
                (reader, "open_consumer", lambda _settings: FakeConsumer(self)),
                (reader, "check_settings", lambda _settings: None),
                (reader, "time", clock),
                (process, "time", clock),
                (process, "open_engine", lambda *_args, **_options: engine),
            ):
                stack.enter_context(patch.object(module, name, value))
            logging.disable(logging.CRITICAL)
            stack.callback(logging.disable, logging.NOTSET)
            yield

    def _done(self) -> bool:
        return all(self.database.offsets.get(place) == end for place, end in self.ends.items())

    def _judge(self) -> None:
        due = Counter(
            Stored(p, offset) for p, end in self.ends.items() for offset in range(end) if offset % 3
        )
        found = Counter(self.database.rows)
        self._must(not due - found, f"lost: {sorted((due - found).elements())}")
        self._must(not found - due, f"doubled: {sorted((found - due).elements())}")
        highest: dict[Place, int] = {}
        for place, offset in self.database.moves:
            self._must(
                offset >= highest.get(place, 0), f"{place} went from {highest.get(place)} back to {offset}"
            )
            highest[place] = offset

    def _must(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise Violated(
                f"{otherwise}\nseed {self.seed}; to see it again: "
                f"SIGNAALWISSEL_SEED={self.seed} .venv/bin/pytest tests/simulation"
            )


def _add(_topic: str, records: list[Any], batch: Batch) -> None:
    batch.decisions += records
    batch.records += len(records)


def simulate_sinks(seed: int) -> SinkRun:
    """Run one seed."""
    return SinkWorld(seed).run()


def without_compare() -> Any:
    """A planted defect: offsets are set, whatever they were."""
    return patch.object(offsets, "_ADVANCE", object())


def without_rows_in_the_transaction() -> Any:
    """A planted defect: the offsets are committed, then the rows."""

    def store(_self: FakeWriter, connection: Session, batch: Batch) -> counts.Stored:
        offsets.advance(connection, batch.progress)  # type: ignore[arg-type]
        connection.commit()
        connection.execute(STORE, list(batch.decisions))
        return counts.Stored()

    return patch.object(FakeWriter, "store", store)
