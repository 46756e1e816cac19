"""Words for the tables of the rules: what happened, which signal came, what was decided.

A table reads `given` (lifecycle events, in the order in which they arrive), `when` (a signal), `then`. Dates are
`2026-02-28`; an event is recorded at noon of the day on which it happened unless `recorded` says otherwise, and a
signal is received at noon. Everything goes through intake and matcher as in production, without Kafka.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from signaalwissel.processors.matcher import Clock
from signaalwissel.processors.policy import Policies, Policy, packaged_policies
from signaalwissel.processors.publishers import Publishers
from signaalwissel.processors.simulation import Simulation
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import ResidentCommand, ResidentCommandKind
from signaalwissel.schemas.routing import Decision
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys

Line = dict[str, Any]
Story = list[Line]
Person = dict[str, Any]

HOME = {"postcode": "3511AB", "house_number": 12}
AWAY = {"postcode": "3512CD", "house_number": 3}
ANNA: Person = {"bsn": "111222333", **HOME, "birth_date": "1980-05-17", "surname": "Jansen"}
BRAM: Person = {"bsn": "123456782", **HOME, "birth_date": "1979-11-02", "surname": "de Vries"}
MUNICIPALITY = "0344"
COUNSELLOR = {"counsellor_id": "b-17", "team": "team-noord"}


def event(kind: str, on: str, *, trajectory: str = "T1", recorded: str | None = None, **fields: Any) -> Story:
    """A lifecycle event; its place in the story gives it a sequence and an id unless `fields` has them."""
    moment = recorded or on
    value = {
        "trajectory_id": trajectory,
        "municipality": MUNICIPALITY,
        "occurred_on": on,
        "recorded_at": moment if "T" in moment else f"{moment}T12:00:00Z",
        "kind": kind,
        **fields,
    }
    return [{"topic": "trajectories", "value": value}]


def applied(on: str = "2025-01-10", *clients: Person, **more: Any) -> Story:
    """An application for debt help, of Anna unless others are named; running from that day."""
    return event("APPLIED", on, clients=list(clients) or [ANNA], **more)


def admitted(on: str, **more: Any) -> Story:
    return event("ADMITTED", on, **more)


def refused(on: str, **more: Any) -> Story:
    """A refused application: an intake that led to no trajectory."""
    return event("REFUSED", on, **more)


def exited(on: str, reason: str = "COMPLETED", **more: Any) -> Story:
    return event("EXITED", on, exit_reason=reason, **more)


def reopened(on: str, **more: Any) -> Story:
    return event("REOPENED", on, **more)


def died(on: str, *who: Person, **more: Any) -> Story:
    """A recorded death: an exit with that reason."""
    return exited(on, "DECEASED", clients=list(who), **more)


def service_opened(on: str, service: str = "BUDGET_MANAGEMENT", **more: Any) -> Story:
    return event("SERVICE_OPENED", on, service=service, **more)


def service_closed(on: str, service: str = "BUDGET_MANAGEMENT", **more: Any) -> Story:
    return event("SERVICE_CLOSED", on, service=service, **more)


def client_changed(on: str, *clients: Person, **more: Any) -> Story:
    return event("CLIENT_CHANGED", on, clients=list(clients), **more)


def objected(on: str, *who: Person, **more: Any) -> Story:
    return event("OBJECTION_LODGED", on, clients=list(who), **more)


def objection_withdrawn(on: str, *who: Person, **more: Any) -> Story:
    return event("OBJECTION_WITHDRAWN", on, clients=list(who), **more)


def running(since: str = "2025-01-10", *clients: Person, **more: Any) -> Story:
    """A trajectory that still runs."""
    return applied(since, *clients, **more)


def completed(
    on: str = "2025-08-31",
    *clients: Person,
    since: str = "2025-01-10",
    reason: str = "COMPLETED",
    **more: Any,
) -> Story:
    """A trajectory that ended, completed unless another reason is given."""
    return [*applied(since, *clients, **more), *exited(on, reason, **more)]


def by_bsn(person: Person) -> Person:
    """A signal's subject: the BSN alone, as banks and insurers know it."""
    return {"bsn": person["bsn"]}


def by_address(person: Person, *also: str, **more: Any) -> Person:
    """A signal's subject as landlords and utilities know it: the address, and what `also` names."""
    return {name: person[name] for name in ("postcode", "house_number", *also)} | more


def without(person: Person, *names: str, **more: Any) -> Person:
    """A client of whom less, or something else, is known."""
    return {name: value for name, value in person.items() if name not in names} | more


def signal(on: str = "2026-02-28", about: Person | None = None, **fields: Any) -> Line:
    """A signal received on a day, or at a moment in UTC; sent that day unless `signalled_on` is told."""
    value = {
        "signal_id": "S1",
        "municipality": MUNICIPALITY,
        "partner": {"partner_id": "woonstad", "kind": "RENT"},
        "subject": by_bsn(ANNA) if about is None else about,
        "arrears": "250.00",
        "received_at": on if "T" in on else f"{on}T12:00:00Z",
        **fields,
    }
    return {"topic": "signals", "value": value}


@cache
def default_policies() -> Policies:
    """The policy of domain 8, for every municipality."""
    return packaged_policies(for_every_code=True)


def policy_with(**sections: Mapping[str, Any]) -> Policy:
    """The default policy with other values in some sections."""
    content = default_policies().default.model_dump()
    for name, values in sections.items():
        content[name] = {**content[name], **values}
    return Policy.model_validate(content)


class Case:
    """Intake and matcher, and everything that came out of them."""

    def __init__(self, policy: Policy | None = None, publishers: Publishers | None = None) -> None:
        policies = default_policies() if policy is None else Policies(policy, for_every_code=True)
        self.simulation = Simulation(policies, ThrowawayKeys(), fresh_nonce, publishers)
        self.outputs: list[Line] = []
        self._sequences: dict[tuple[str, str], int] = {}

    def feed(self, *stories: Story | Line) -> list[Line]:
        """What the lines bring, in order."""
        came = [out for line in _lines(stories) for out in self.simulation.feed(self._numbered(line))]
        self.outputs += came
        return came

    def command(
        self, kind: str, signal_id: str = "S1", *, command_id: str = "c1", **fields: Any
    ) -> list[Line]:
        """What a command about the last delivery of a signal brings."""
        about = self.decision(signal_id)
        command = ResidentCommand(
            command_id=command_id,
            kind=ResidentCommandKind(kind),
            municipality=about.municipality,
            signal_ref=bytes.fromhex(about.routing_id.split("-")[0]),
            trajectory_id=fields.get("trajectory"),
            client=fields.get("client"),
            issued_at=about.decided_at,
        )
        matcher, state = self.simulation._matcher, self.simulation._state
        value = codec("ResidentCommand").encode(command)
        emissions = matcher.step(state, about.match_key, value, Clock(about.decided_at, about.decided_at))
        came = [out for emission in emissions for out in _printed(emission)]
        self.outputs += came
        return came

    def records(self, topic: str, signal_id: str | None = None) -> list[Any]:
        """Everything on a topic, oldest first."""
        values = [line["value"] for line in self.outputs if line["topic"] == topic]
        return [value for value in values if signal_id in {None, value.get("signal_id")}]

    def decisions(self, signal_id: str = "S1") -> list[Decision]:
        """Every revision about a signal."""
        return [codec("Decision").from_json(value) for value in self.records("decisions", signal_id)]

    def decision(self, signal_id: str = "S1") -> Decision:
        """The last word about a signal."""
        return self.decisions(signal_id)[-1]

    def _numbered(self, line: Line) -> Line:
        value = line["value"]
        if line["topic"] != "trajectories" or not isinstance(value, dict):
            return line
        key = (value["municipality"], value["trajectory_id"])
        sequence = value.get("sequence", self._sequences.get(key, 0) + 1)
        self._sequences[key] = max(sequence, self._sequences.get(key, 0))
        numbered = {"sequence": sequence, "event_id": f"{value['trajectory_id']}-{sequence}", **value}
        return {"topic": line["topic"], "value": numbered}


def decision(given: list[Story | Line] | Story, when: Line, policy: Policy | None = None) -> Decision:
    """What is decided about the signal `when` in the end: what was given came first."""
    case = Case(policy)
    case.feed(*given, when)
    return case.decision(when["value"]["signal_id"])


def refusal(*stories: Story | Line, policy: Policy | None = None) -> tuple[str, str | None]:
    """Code and field of the dead letter that the last line becomes."""
    *before, last = _lines(stories)
    case = Case(policy)
    case.feed(*before)
    (letter,) = case.feed(last)
    return letter["value"]["code"], letter["value"]["field"]


def numbered(*stories: Story | Line) -> list[Line]:
    """The lines in order, each event with a sequence and an id by its place."""
    return [
        line
        if line["topic"] != "trajectories"
        else {"topic": line["topic"], "value": {"event_id": f"e{n}", "sequence": n, **line["value"]}}
        for n, line in enumerate(_lines(stories))
    ]


def _lines(stories: tuple[Story | Line, ...]) -> Iterator[Line]:
    for story in stories:
        if isinstance(story, dict):
            yield story
        else:
            yield from _lines(tuple(story))


def _printed(emission: Any) -> Iterator[Line]:
    names = {"decisions": "Decision", "counsellor-followup": "RoutedSignal", "regular-flow": "RoutedSignal"}
    record = codec(names.get(emission.topic, "RouteCorrection"))
    yield {"topic": emission.topic, "value": record.to_json(record.decode(emission.value))}
