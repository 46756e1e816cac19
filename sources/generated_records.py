"""Records of generated data before they are JSON. In: what partners and case systems know. Out: JSON objects.

Field names and order are those of EarlySignal.v1.avsc and TrajectoryEvent.v1.avsc; every field is written.
The classes exist beside the dictionaries because a month of them must fit in memory.
"""

from dataclasses import dataclass
from datetime import date

from signaalwissel.sources.generated_clock import iso

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Subject:
    """A person as one sender knows him."""

    bsn: str | None = None
    postcode: str | None = None
    house_number: int | None = None
    addition: str | None = None
    birth_date: date | None = None
    initials: str | None = None
    surname: str | None = None
    phone: str | None = None
    email: str | None = None

    def as_json(self) -> Json:
        """Return the record Subject."""
        return {
            "bsn": self.bsn,
            "postcode": self.postcode,
            "house_number": self.house_number,
            "house_number_addition": self.addition,
            "birth_date": _day(self.birth_date),
            "initials": self.initials,
            "surname": self.surname,
            "phone": self.phone,
            "email": self.email,
        }


@dataclass(frozen=True, slots=True)
class Partner:
    """A signal partner (vastelastenpartner)."""

    partner_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class Counsellor:
    """A counsellor (schuldhulpverlener) and his team."""

    counsellor_id: str
    team: str


@dataclass(frozen=True, slots=True)
class Debt:
    """The arrears of a signal: euro cents, and the day on which they began."""

    cents: int
    since: date | None


@dataclass(frozen=True, slots=True)
class Signal:
    """One line of topic `signals`."""

    signal_id: str
    municipality: str
    partner: Partner
    subject: Subject
    customer_reference: str | None
    debt: Debt
    signalled_on: date | None
    received_ms: int
    crisis: bool
    warm_transfer: bool
    attested: bool

    def as_json(self) -> Json:
        """Return the record EarlySignal."""
        return {
            "signal_id": self.signal_id,
            "municipality": self.municipality,
            "partner": {"partner_id": self.partner.partner_id, "kind": self.partner.kind},
            "subject": self.subject.as_json(),
            "customer_reference": self.customer_reference,
            "arrears": f"{self.debt.cents // 100}.{self.debt.cents % 100:02d}",
            "arrears_since": _day(self.debt.since),
            "signalled_on": _day(self.signalled_on),
            "received_at": iso(self.received_ms),
            "crisis": self.crisis,
            "warm_transfer": self.warm_transfer,
            "collection_effort_attested": self.attested,
        }


@dataclass(frozen=True, slots=True)
class Details:
    """What only some kinds of lifecycle events carry."""

    counsellor: Counsellor | None = None
    exit_reason: str | None = None
    service: str | None = None
    solution: str | None = None
    entrepreneur: bool | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of topic `trajectories`."""

    event_id: str
    trajectory_id: str
    municipality: str
    sequence: int
    occurred_on: date
    recorded_ms: int
    kind: str
    clients: tuple[Subject, ...]
    details: Details

    def as_json(self) -> Json:
        """Return the record TrajectoryEvent."""
        counsellor = self.details.counsellor
        return {
            "event_id": self.event_id,
            "trajectory_id": self.trajectory_id,
            "municipality": self.municipality,
            "sequence": self.sequence,
            "occurred_on": self.occurred_on.isoformat(),
            "recorded_at": iso(self.recorded_ms),
            "kind": self.kind,
            "clients": [client.as_json() for client in self.clients],
            "counsellor": None
            if counsellor is None
            else {"counsellor_id": counsellor.counsellor_id, "team": counsellor.team},
            "exit_reason": self.details.exit_reason,
            "service": self.details.service,
            "solution": self.details.solution,
            "entrepreneur": self.details.entrepreneur,
        }


@dataclass(frozen=True, slots=True)
class Line:
    """A record, the instant at which it arrives, and what is wrong with it (see generated_flaws)."""

    arrival_ms: int
    record: Signal | Event
    flaw: str | None = None

    @property
    def topic(self) -> str:
        """The topic that the line is for."""
        return "signals" if isinstance(self.record, Signal) else "trajectories"


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
