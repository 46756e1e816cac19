"""What the parts of the oracle hand to one another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

COUNSELLOR = "COUNSELLOR_FOLLOWUP"
REGULAR = "REGULAR_FLOW"
HITS = ("RUNNING_TRAJECTORY", "OPEN_AFTERCARE", "OPEN_SERVICE", "COMPLETED_WITHIN_WINDOW")
MISSES = ("COMPLETED_OUTSIDE_WINDOW", "EXIT_NOT_COMPLETED", "ADMISSION_REFUSED")

Record = Mapping[str, Any]
TrajectoryKey = tuple[str, str]
"""Municipality and trajectory number."""
Identity = tuple[str, ...]
"""("bsn", number) or ("address", postcode, house number, folded addition)."""


class SignalId(NamedTuple):
    """An accepted delivery."""

    municipality: str
    partner_id: str
    signal_id: str
    received_at: str


@dataclass(frozen=True)
class Signal:
    """An accepted signal, its days and the one identity that it is looked up by."""

    id: SignalId
    record: Record
    days: tuple[date, ...]
    identity: Identity

    @property
    def reference_date(self) -> date:
        return self.days[0]

    @property
    def last_day(self) -> date:
        return self.days[-1]


@dataclass(frozen=True)
class Step:
    """What one line brought: a signal, or the events of one trajectory that began to count, or no longer do."""

    line: int
    signal: Signal | None = None
    trajectory: TrajectoryKey | None = None
    events: tuple[Record, ...] = ()
    dropped: tuple[Record, ...] = ()

    @property
    def cause(self) -> Record:
        """The event that a correction names: the one that came, or the first that was dropped."""
        return (*self.events, *self.dropped)[0]


@dataclass(frozen=True)
class Refusal:
    """A line that must become a dead letter; any of its defects may be the one that is named."""

    line: int
    topic: str
    record_id: str | None
    defects: tuple[tuple[str, str | None], ...]


@dataclass
class Ledger:
    """What became of every line."""

    steps: list[Step] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    ignored: list[int] = field(default_factory=list)
    unapplied: dict[TrajectoryKey, frozenset[str]] = field(default_factory=dict)
    """Trajectories whose application has not come, and the events that wait for it."""


@dataclass(frozen=True)
class Outcome:
    """The answer to one signal. `trajectory_id` only where the route is the counsellor's."""

    route: str
    reason: str
    trajectory_id: str | None = None
    client: int | None = None
    candidates: tuple[tuple[str, int], ...] = ()
    evidence: str | None = None
    window_ends_on: date | None = None
    debt_timing: str | None = None
    trajectory_state: str | None = None
    counsellor: tuple[str, str] | None = None
    matched_by: str | None = None
    other_clients: frozenset[int | None] = frozenset()
    """Where no rule says which, on DECEASED and OBJECTION: his positions, none where no trajectory exists yet."""

    @property
    def address_only(self) -> bool:
        return self.reason == "ADDRESS_ONLY_MATCH"

    @property
    def routing(self) -> tuple[str, str | None, bool]:
        """What a change of makes a revision (domain 8.11)."""
        return self.route, self.trajectory_id, self.address_only


@dataclass(frozen=True)
class Revision:
    """One revision: the line that brought it, what it says, and the event that caused it (none for the first)."""

    line: int
    outcome: Outcome
    caused_by: Record | None = None


@dataclass
class Period:
    """From a day to a day; None is open at that side. `reason` is why it ended."""

    begin: date | None
    end: date | None = None
    reason: str | None = None

    def until(self, day: date) -> bool:
        """Whether the day lies in it when the last day does not belong to it (running, objections)."""
        return (self.begin is None or self.begin <= day) and (self.end is None or day < self.end)

    def through(self, day: date) -> bool:
        """Whether the day lies in it when the last day belongs to it (services, addresses, membership)."""
        return (self.begin is None or self.begin <= day) and (self.end is None or day <= self.end)


def moment_of(record: Record) -> datetime:
    """The moment that a record carries."""
    moment: datetime = record["received_at"] if "received_at" in record else record["recorded_at"]
    return moment
