"""The answers for a file of lines: outcomes, revisions, and what becomes of lines that do not count."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from tests.oracle import intake
from tests.oracle.calendar import horizon
from tests.oracle.intake import Line
from tests.oracle.model import (
    Identity,
    Ledger,
    Outcome,
    Record,
    Revision,
    Signal,
    SignalId,
    Step,
    TrajectoryKey,
)
from tests.oracle.persons import answer
from tests.oracle.timeline import Trajectory, counting_facts, fold
from tests.oracle.validity import LISTING_KINDS
from tests.oracle.wording import address_of

History = dict[SignalId, list[Revision]]


class World:
    """All accepted events so far, and under which identities their trajectories were ever listed."""

    def __init__(self) -> None:
        self._events: dict[TrajectoryKey, list[Record]] = {}
        self._listed: dict[tuple[str, Identity], set[TrajectoryKey]] = {}
        self._identities: dict[TrajectoryKey, set[Identity]] = {}
        self._folded: dict[TrajectoryKey, dict[tuple[int, ...], Trajectory | None]] = {}

    def take(self, step: Step) -> None:
        """Add what begins to count, and remove what does not any more."""
        key = step.trajectory
        if key is None:
            return
        known = [*self._events.get(key, []), *step.events]
        # An event that is dropped goes with every writing of it.
        dropped = {event["event_id"] for event in step.dropped}
        self._events[key] = [event for event in known if event["event_id"] not in dropped]
        self._folded.pop(key, None)
        identities = self._identities.setdefault(key, set())
        for event in step.events:
            if event["kind"] in LISTING_KINDS:
                for client in event["clients"]:
                    identities |= set(_identities(client))
        for identity in identities:
            self._listed.setdefault((key[0], identity), set()).add(key)

    def identities(self, key: TrajectoryKey) -> set[Identity]:
        return self._identities[key]

    def decide(self, signal: Signal) -> Outcome:
        """The answer to a signal from what is known now, within its own horizon."""
        keys = self._listed.get((signal.id.municipality, signal.identity), set())
        too_late = horizon(signal.last_day)
        found = (self._as_of(key, too_late) for key in sorted(keys))
        return answer(signal, [trajectory for trajectory in found if trajectory is not None])

    def _as_of(self, key: TrajectoryKey, too_late: datetime) -> Trajectory | None:
        facts = counting_facts(self._events[key], too_late)
        # The same facts always make the same trajectory, so it is made once.
        made = self._folded.setdefault(key, {})
        which = tuple(id(fact) for fact in facts)
        if which not in made:
            made[which] = fold(key[1], facts) if facts else None
        return made[which]


def _identities(client: Record) -> Iterator[Identity]:
    if client["bsn"] is not None:
        yield "bsn", client["bsn"]
    address = address_of(dict(client))
    if address is not None:
        yield address


def outcomes_of(ledger: Ledger) -> dict[SignalId, Outcome]:
    world = World()
    for step in ledger.steps:
        if step.trajectory is not None:
            world.take(step)
    signals = [step.signal for step in ledger.steps if step.signal is not None]
    return {signal.id: world.decide(signal) for signal in signals}


def history_of(ledger: Ledger) -> History:
    """Every revision of every signal: decided anew whenever a line tells of a trajectory under its identity."""
    world = World()
    told: History = {}
    waiting_under: dict[tuple[str, Identity], list[Signal]] = {}
    for step in ledger.steps:
        if step.signal is not None:
            told[step.signal.id] = [Revision(step.line, world.decide(step.signal))]
            waiting_under.setdefault((step.signal.id.municipality, step.signal.identity), []).append(
                step.signal
            )
        if step.trajectory is not None:
            world.take(step)
            for identity in sorted(world.identities(step.trajectory)):
                for signal in waiting_under.get((step.trajectory[0], identity), []):
                    _revise(told[signal.id], world.decide(signal), step)
    return told


def _revise(revisions: list[Revision], outcome: Outcome, step: Step) -> None:
    if outcome.routing != revisions[-1].outcome.routing:
        revisions.append(Revision(step.line, outcome, step.cause))


def final_outcomes(lines: Sequence[Line]) -> dict[SignalId, Outcome]:
    """The answer to every accepted signal once all lines have come."""
    return outcomes_of(intake.run(lines))


def history(lines: Sequence[Line]) -> History:
    """Every revision with the line that brought it and all that it says."""
    return history_of(intake.run(lines))


def first_outcomes(lines: Sequence[Line]) -> dict[SignalId, tuple[str, str | None]]:
    """Route and trajectory at the moment of the signal's own line: what revision 0 must say."""
    return {name: told[0].outcome.routing[:2] for name, told in history(lines).items()}


def revisions(lines: Sequence[Line]) -> dict[SignalId, list[tuple[str, str | None, bool]]]:
    """Per signal the sequence of (route, trajectory, address-only), revision 0 first."""
    return {name: [one.outcome.routing for one in told] for name, told in history(lines).items()}


def refused(lines: Sequence[Line]) -> list[tuple[int, str, str | None]]:
    """Line, code and field of every record that must become a dead letter; of several defects the first."""
    refusals = sorted(intake.run(lines).refusals, key=lambda refusal: refusal.line)
    return [(refusal.line, *refusal.defects[0]) for refusal in refusals]


def ignored(lines: Sequence[Line]) -> list[int]:
    """The lines that are the same signal again."""
    return intake.run(lines).ignored
