"""What would happen: recorded lines through the same rules, without Kafka or a database (design 6).

In: lines `{"topic": ..., "value": {...}}` in arrival order. Out: every output record as such a line, in order. The
Kafka path is tested against it. Nothing is ever swept here, and the only clock is what the records tell.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.dead_letters import About, DeadLetters, Source, what_may_be_shown
from signaalwissel.processors.emissions import (
    COUNSELLOR_CORRECTIONS,
    COUNSELLOR_FOLLOWUP,
    DEAD_LETTERS,
    DECISIONS,
    REGULAR_CORRECTIONS,
    REGULAR_FLOW,
    RESIDENT_EVENTS,
    TASKS,
    TRAJECTORY_STATES,
    Emission,
)
from signaalwissel.processors.followup_tasks import Moment, Outcome, Task
from signaalwissel.processors.followup_updates import UpdateRefused, check_update
from signaalwissel.processors.identifiers import trajectory_key
from signaalwissel.processors.intake_signals import Arrival, IntakeSignals
from signaalwissel.processors.intake_trajectories import IntakeTrajectories
from signaalwissel.processors.matcher import Clock, Matcher
from signaalwissel.processors.matcher_state import MatcherState
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.publishers import Publishers
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.processors.simulated_tasks import SimulatedTasks
from signaalwissel.processors.simulation_lines import Line, Record, Refused, about_of, read_line, topic_of
from signaalwissel.processors.validation import is_plausible
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskUpdate
from signaalwissel.schemas.internal import DeadLetter
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.trajectory import TrajectoryEvent
from signaalwissel.schemas.units import Millis

_PRINTED = {
    COUNSELLOR_FOLLOWUP: "RoutedSignal",
    REGULAR_FLOW: "RoutedSignal",
    COUNSELLOR_CORRECTIONS: "RouteCorrection",
    REGULAR_CORRECTIONS: "RouteCorrection",
    DECISIONS: "Decision",
}


class FollowUp(NamedTuple):
    """What a simulation does beyond routing.

    Attributes:
        shown: Whether tasks are among the output lines.
        clock: Whether the time that the lines tell works on the tasks: reminders, the team, the offer to the regular
            flow. Off, only decisions and task updates do.
    """

    shown: bool = False
    clock: bool = False


ROUTING_ONLY = FollowUp()
"""Tasks are kept, for the updates about them, but not shown, and no clock works on them."""


class Simulation:
    """Intake, matcher and the tasks over dicts.

    Args:
        policies: The policies to try.
        keys: Throw-away keys.
        nonce: Gives 12 fresh random bytes.
        publishers: The allow-list.
        follow_up: What to do with tasks.
    """

    def __init__(
        self,
        policies: Policies,
        keys: KeyProvider,
        nonce: Callable[[], bytes],
        publishers: Publishers | None = None,
        follow_up: FollowUp = ROUTING_ONLY,
    ) -> None:
        allowed = publishers or Publishers()
        dead_letters = DeadLetters("intake", keys, nonce)
        self._signals = IntakeSignals(policies, allowed, keys, nonce)
        self._trajectories = IntakeTrajectories(policies, allowed, keys, nonce, dead_letters)
        self._matcher = Matcher(policies)
        self.tasks = SimulatedTasks(policies)
        self._follow_up = follow_up
        self._signal_table: dict[bytes, bytes] = {}
        self._trajectory_table: dict[bytes, bytes] = {}
        self._state = MatcherState({}, {}, {})
        self._clock: Millis = 0
        self._today: date = date.min
        self._offset = 0
        self._waiting: dict[bytes, Millis] = {}

    def feed(self, line: Mapping[str, Any]) -> Iterator[Line]:
        """The output lines that one input line causes.

        Raises:
            UnknownTopic: The line's topic is no input.
        """
        topic, value = topic_of(line), line.get("value")
        self._offset += 1
        try:
            record = read_line(topic, value)
            self._check(topic, record)
        except (Rejected, UpdateRefused) as refusal:
            # What is refused tells no time: one absurd moment would make everything that waits expire.
            yield Refused(topic, about_of(topic, value), refusal).line()
            return
        yield from self._passed(_moment_of(record))
        if isinstance(record, TaskUpdate):
            yield from self._updated(topic, record)
            return
        try:
            emissions = self._take(topic, record)
        except Rejected as refusal:
            yield Refused(topic, about_of(topic, value), refusal).line()
            return
        yield from self._outputs(emissions)

    def _check(self, topic: str, record: Record) -> None:
        if isinstance(record, EarlySignal):
            self._signals.check(record, topic)
        elif isinstance(record, TrajectoryEvent):
            self._trajectories.check(record, topic)
        else:
            check_update(record)

    def _passed(self, moment: Millis) -> Iterator[Line]:
        if is_plausible(moment):
            self._clock = max(self._clock, moment)
        yield from self._outputs(self._expired())
        today = amsterdam_day(self._clock)
        if self._follow_up.clock and today > self._today:
            self._today = today
            yield from self._followed(self.tasks.ticked(Moment(today, self._clock)))

    def _take(self, topic: str, record: EarlySignal | TrajectoryEvent) -> list[Emission]:
        if isinstance(record, EarlySignal):
            value = codec("EarlySignal").encode(record)
            return self._signals.step(self._signal_table, record, Arrival(topic, self._clock, value))
        value = codec("TrajectoryEvent").encode(record)
        source = Source(topic, 0, self._offset, self._clock, None, value)
        emissions = self._trajectories.step(self._trajectory_table, record, source)
        self._note_waiting(trajectory_key(record.municipality, record.trajectory_id))
        return emissions

    def _updated(self, topic: str, update: TaskUpdate) -> Iterator[Line]:
        try:
            outcome = self.tasks.updated(update)
        except UpdateRefused as refusal:
            about = what_may_be_shown(self.tasks.municipality_of(update.task_id), update.update_id)
            yield Refused(topic, about, refusal).line()
            return
        yield from self._followed(outcome)

    def _note_waiting(self, key: bytes) -> None:
        until = self._trajectories.waits_until(self._trajectory_table, key)
        if until is None:
            self._waiting.pop(key, None)
        else:
            self._waiting[key] = until

    def _expired(self) -> list[Emission]:
        emissions: list[Emission] = []
        for key in sorted(key for key, until in self._waiting.items() if until < self._clock):
            emissions += self._trajectories.expire(self._trajectory_table, key, self._clock)
            self._note_waiting(key)
        return emissions

    def _outputs(self, emissions: list[Emission]) -> Iterator[Line]:
        for emission in emissions:
            yield from self._out(emission)

    def _out(self, emission: Emission) -> Iterator[Line]:
        if emission.topic == RESIDENT_EVENTS:
            yield from self._matched(emission.key, emission.value)
        elif emission.topic == TRAJECTORY_STATES:
            yield from self._shown(self.tasks.state(emission.key, emission.value))
        elif emission.topic == DEAD_LETTERS:
            letter: DeadLetter = codec("DeadLetter").decode(emission.value)
            refusal = Rejected(RejectionCode(letter.code), letter.field, letter.rule)
            yield Refused(letter.topic, About(letter.municipality, letter.record_id), refusal).line()

    def _matched(self, match_key: bytes, value: bytes) -> Iterator[Line]:
        for emission in self._matcher.step(self._state, match_key, value, Clock(self._clock, self._clock)):
            schema = codec(_PRINTED[emission.topic])
            record = schema.decode(emission.value)
            yield {"topic": emission.topic, "value": schema.to_json(record)}
            if emission.topic == DECISIONS:
                yield from self._shown(self.tasks.decided(record))

    def _followed(self, outcome: Outcome) -> Iterator[Line]:
        yield from self._shown(outcome.tasks)
        for match_key, command in outcome.commands:
            yield from self._matched(match_key, codec("ResidentCommand").encode(command))

    def _shown(self, tasks: Iterable[Task]) -> Iterator[Line]:
        if self._follow_up.shown:
            for task in tasks:
                yield {"topic": TASKS, "value": codec("TaskEvent").to_json(task.event())}


def _moment_of(record: Record) -> Millis:
    if isinstance(record, EarlySignal):
        return record.received_at
    return record.recorded_at if isinstance(record, TrajectoryEvent) else record.occurred_at
