"""A year of a municipality in minutes: rules and sink as they are, a PostgreSQL of its own, and a clock that is set by hand.

In: generated lines. Out: what stands in the database after each day. Kafka is left out, as other tests have it: what
intake and matcher emit goes straight to the sink's writer, and the outbox's commands straight back to the matcher.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from signaalwissel.processors.dead_letters import DeadLetters, Source
from signaalwissel.processors.emissions import (
    DECISIONS,
    RESIDENT_EVENTS,
    SIGNALS,
    TASK_UPDATES,
    TRAJECTORY_STATES,
    Emission,
)
from signaalwissel.processors.intake_signals import Arrival, IntakeSignals
from signaalwissel.processors.intake_trajectories import IntakeTrajectories
from signaalwissel.processors.matcher import Clock as StepClock
from signaalwissel.processors.matcher import Matcher
from signaalwissel.processors.matcher_state import MatcherState
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.publishers import Publishers
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.simulation_lines import kind_of, read_line
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.decision_codec import read_decision
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.units import Millis
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys
from signaalwissel.sinks.clock_batch import ClockBatch
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.records import Batch, ReceivedState, ReceivedUpdate
from signaalwissel.sinks.settings import SinkSettings
from signaalwissel.sinks.tables import outbox
from signaalwissel.sinks.timekeeping import unobserved
from signaalwissel.sinks.writer import Writer
from sqlalchemy import Connection, Engine, func, select, update

from tests.sinks.sink_support import seal
from tests.system.counsellors import Counsellors

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
SETTINGS = SinkSettings(bootstrap="", database_url="")
DAY = timedelta(days=1)
_UNSENT = select(outbox).where(outbox.c.sent_at.is_(None)).order_by(outbox.c.id)
_SENT = update(outbox).where(outbox.c.sent_at.is_(None)).values(sent_at=func.now())


def evening_of(day: date) -> Millis:
    """Ten in the evening in Amsterdam, when a simulated day's work is done."""
    return int(datetime.combine(day, time(22), AMSTERDAM).timestamp() * 1000)


class HandSetTime:
    """A clock that stands where it was set."""

    def __init__(self) -> None:
        self.at: Millis = 0

    def now(self, _connection: Connection) -> Millis:
        """Where it stands."""
        return self.at


class Rules:
    """Intake and matcher over dicts; their emissions are what Kafka would carry."""

    def __init__(self, policies: Policies) -> None:
        keys = ThrowawayKeys()
        letters = DeadLetters("intake", keys, fresh_nonce)
        self._signals = IntakeSignals(policies, Publishers(), keys, fresh_nonce)
        self._trajectories = IntakeTrajectories(policies, Publishers(), keys, fresh_nonce, letters)
        self._matcher = Matcher(policies)
        self._signal_table: dict[bytes, bytes] = {}
        self._trajectory_table: dict[bytes, bytes] = {}
        self._state = MatcherState({}, {}, {})
        self.refused = 0

    def take(self, line: Mapping[str, Any], at: Millis) -> Iterator[Emission]:
        """What one line leads to; bad ones are counted."""
        topic = line["topic"]
        try:
            yield from self._routed(self._intake(topic, read_line(topic, line["value"]), at), at)
        except Rejected:
            self.refused += 1

    def command(self, match_key: bytes, value: bytes, at: Millis) -> Iterator[Emission]:
        """What a command of the sink leads to; one about a signal that is settled by now leads to nothing."""
        try:
            yield from self._matcher.step(self._state, match_key, value, StepClock(at, at))
        except Rejected:
            self.refused += 1

    def expire(self, at: Millis) -> None:
        """Let go of events that waited too long."""
        for key in list(self._trajectory_table):
            self._trajectories.expire(self._trajectory_table, key, at)

    def _intake(self, topic: str, record: Any, at: Millis) -> list[Emission]:
        if kind_of(topic) == SIGNALS:
            arrival = Arrival(topic, at, codec("EarlySignal").encode(record))
            return self._signals.step(self._signal_table, record, arrival)
        source = Source(topic, 0, 0, at, None, codec("TrajectoryEvent").encode(record))
        return self._trajectories.step(self._trajectory_table, record, source)

    def _routed(self, emissions: list[Emission], at: Millis) -> Iterator[Emission]:
        for emission in emissions:
            if emission.topic == RESIDENT_EVENTS:
                yield from self._matcher.step(self._state, emission.key, emission.value, StepClock(at, at))
            elif emission.topic == TRAJECTORY_STATES:
                yield emission


class UpdateRecord(NamedTuple):
    """The Kafka record of a task update."""

    value: bytes
    topic: str = TASK_UPDATES
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()


class Municipality:
    """A municipality that runs the product.

    Args:
        database_url: An empty database.
        policies: Its policy.
        counsellors: Who acts on the tasks, and how.
    """

    def __init__(self, database_url: str, policies: Policies, counsellors: Counsellors) -> None:
        migrate(database_url)
        self.engine: Engine = open_engine(database_url, name="year")
        self.time = HandSetTime()
        self.rules = Rules(policies)
        self._writer = Writer(SETTINGS, policies, seal, self.time)
        self._clock = ClockBatch(SETTINGS, policies, self.time, unobserved)
        self._counsellors = counsellors
        self.commands = 0

    def live(self, lines: list[dict[str, Any]], quiet_until: date, until: date) -> Iterator[date]:
        """Live day by day; yields each evening. Before `quiet_until` it only reads, month by month."""
        evenings = [(_evening_for(_day_of(line), quiet_until), line) for line in lines]
        evenings.sort(key=itemgetter(0))
        ordered = groupby(evenings, key=itemgetter(0))
        waiting = next(ordered, None)
        day = waiting[0] if waiting else until
        while day <= until:
            self.time.at = evening_of(day)
            if waiting and waiting[0] == day:
                self._read([line for _, line in waiting[1]])
                waiting = next(ordered, None)
            if day >= quiet_until:
                self._work()
                yield day
                day += DAY
            else:
                day = min(waiting[0] if waiting else quiet_until, quiet_until)

    def _read(self, lines: list[dict[str, Any]]) -> None:
        at = self.time.at
        self._store(Batch(), [emission for line in lines for emission in self.rules.take(line, at)])

    def _work(self) -> None:
        with self.engine.connect() as connection:
            said = self._counsellors.act(connection, self.time.at)
        received = [ReceivedUpdate(one, UpdateRecord(codec("TaskUpdate").encode(one))) for one in said]
        self._store(Batch(updates=received), [])
        with self.engine.connect() as connection:
            while self._clock.run(connection):
                pass
        self._carry_commands()

    def _carry_commands(self) -> None:
        """What the relay does, for commands: send what was not sent yet, once, in order."""
        with self.engine.begin() as connection:
            rows = connection.execute(_UNSENT).all()
            connection.execute(_SENT)
        emissions: list[Emission] = []
        for row in rows:
            if row.topic == RESIDENT_EVENTS:
                self.commands += 1
                emissions += self.rules.command(bytes(row.key), bytes(row.value), self.time.at)
        if emissions:
            self._store(Batch(), emissions)

    def _store(self, batch: Batch, emissions: list[Emission]) -> None:
        for emission in emissions:
            if emission.topic == DECISIONS:
                batch.decisions.append(read_decision(emission.value))
            elif emission.topic == TRAJECTORY_STATES:
                batch.states.append(ReceivedState(read_trajectory_state(emission.value), emission.value))
        with self.engine.begin() as connection:
            self._writer.store(connection, batch)


def _day_of(line: Mapping[str, Any]) -> date:
    value = line["value"]
    moment = datetime.fromisoformat(value.get("received_at") or value["recorded_at"])
    return moment.astimezone(AMSTERDAM).date()


def _evening_for(day: date, quiet_until: date) -> date:
    """The evening on which a line is read: its own, and in the years before the story its month's last."""
    if day >= quiet_until:
        return day
    month = (day.replace(day=1) + 31 * DAY).replace(day=1)
    return min(month, quiet_until) - DAY
