"""What another policy would change: the same lines under two policies, signal by signal (design 6).

In: two simulations that are fed the same lines. Out: per signal its last answer under each, and what differs: route,
reason, trajectory, owner, due date, the days of reminders, team, offer and expiry, or whether it is accepted at all.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from signaalwissel.processors.emissions import DECISIONS
from signaalwissel.processors.simulation import Simulation
from signaalwissel.schemas.followup import TaskKind
from signaalwissel.schemas.routing import Route, TrueReason

_TASKS = {
    Route.COUNSELLOR_FOLLOWUP.value: TaskKind.CONTACT_ON_RELAPSE,
    TrueReason.ADDRESS_ONLY_MATCH.value: TaskKind.VERIFY_IDENTITY,
}
_KINDS: Mapping[str, tuple[str, ...]] = {
    "route": ("route",),
    "reason": ("reason",),
    "trajectory": ("trajectory_id",),
    "owner": ("assignee", "team"),
    "due_on": ("due_on",),
    "steps": ("steps",),
}
ACCEPTED = "accepted"
"""The kind of change of a signal that only one of the policies lets in."""
KINDS = (*_KINDS, ACCEPTED)


class Delivery(NamedTuple):
    """An accepted delivery of a signal, as its records name it."""

    municipality: str
    partner_id: str
    signal_id: str
    received_at: str


class Step(NamedTuple):
    """What time does to a signal's task, and on which day."""

    what: str
    on: str


class Answer(NamedTuple):
    """Where a signal is in the end, who must do what by when, and what happens on which day when nobody does."""

    route: str
    reason: str
    trajectory_id: str | None
    assignee: str | None
    team: str | None
    due_on: str | None
    steps: tuple[Step, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The answer as JSON."""
        return {**self._asdict(), "steps": [step._asdict() for step in self.steps]}


class Difference(NamedTuple):
    """A signal that two policies answer differently; None where a policy does not let it in."""

    delivery: Delivery
    before: Answer | None
    after: Answer | None

    @property
    def kinds(self) -> list[str]:
        """What differs, of KINDS."""
        if self.before is None or self.after is None:
            return [ACCEPTED]
        before, after = self.before._asdict(), self.after._asdict()
        return [
            kind for kind, fields in _KINDS.items() if any(before[field] != after[field] for field in fields)
        ]

    def to_json(self) -> dict[str, Any]:
        """The difference as JSON: the signal's names, `from` and `to`."""
        return {
            **self.delivery._asdict(),
            "from": None if self.before is None else self.before.to_json(),
            "to": None if self.after is None else self.after.to_json(),
        }


class Trial:
    """One simulation, and the last answer for every signal in it.

    Args:
        simulation: A fresh simulation.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._last: dict[Delivery, dict[str, Any]] = {}

    def feed(self, line: Mapping[str, Any]) -> None:
        """Take a line; raises UnknownTopic."""
        for output in self._simulation.feed(line):
            if output["topic"] == DECISIONS:
                value = output["value"]
                partner_id = value["partner"]["partner_id"]
                delivery = Delivery(
                    value["municipality"], partner_id, value["signal_id"], value["received_at"]
                )
                self._last[delivery] = value

    def answers(self) -> dict[Delivery, Answer]:
        """The last answer for every signal that was let in."""
        return {delivery: self._answer(value) for delivery, value in self._last.items()}

    def _answer(self, decision: dict[str, Any]) -> Answer:
        route, reason = decision["route"], decision["reason"]
        kind = _TASKS.get(route) or _TASKS.get(reason)
        hit = route == Route.COUNSELLOR_FOLLOWUP.value
        trajectory_id = decision["trajectory_id"] if hit else None
        ref = bytes.fromhex(decision["routing_id"].rsplit("-", 1)[0])
        task = None if kind is None else self._simulation.tasks.about(ref, kind)
        if task is None:
            # A repeated report opens nothing: its owner is who would have got it.
            counsellor = (decision["counsellor"] or {}).get("counsellor_id")
            return Answer(route, reason, trajectory_id, counsellor, decision["team"], None)
        steps = (
            Step(what.value, on.isoformat()) for what, on in self._simulation.tasks.steps_about(task, ref)
        )
        due_on = task.due_on.isoformat()
        return Answer(route, reason, trajectory_id, task.assignee, task.team, due_on, tuple(steps))


class Comparison:
    """What differs between two sets of answers to the same lines.

    Args:
        before: The answers under the one policy.
        after: Those under the other.
    """

    def __init__(self, before: Mapping[Delivery, Answer], after: Mapping[Delivery, Answer]) -> None:
        self.differences = list(_differences(before, after))
        """In the order in which the signals came."""
        self.unchanged = len(before.keys() | after.keys()) - len(self.differences)
        counts = Counter(kind for difference in self.differences for kind in difference.kinds)
        self.totals = {kind: counts[kind] for kind in KINDS}
        """Per kind of change the number of signals; a signal may change in several ways."""

    def to_json(self) -> dict[str, Any]:
        """The whole comparison as one JSON object."""
        return {
            "changed": len(self.differences),
            "unchanged": self.unchanged,
            "totals": self.totals,
            "signals": [difference.to_json() for difference in self.differences],
        }


def _differences(before: Mapping[Delivery, Answer], after: Mapping[Delivery, Answer]) -> Iterator[Difference]:
    for delivery in dict.fromkeys((*before, *after)):
        difference = Difference(delivery, before.get(delivery), after.get(delivery))
        if difference.before != difference.after:
            yield difference
