"""Internal records: pseudonymous, on topics and in tables that only our own processes read."""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from signaalwissel.schemas.routing import Candidate, Route
from signaalwissel.schemas.trajectory import Counsellor, ExitReason, Service, TrajectoryEventKind
from signaalwissel.schemas.units import Millis


class ClientPseudonym(NamedTuple):
    """A person as keyed hashes under the municipality's hashing key; each is None where not known."""

    bsn: bytes | None = None
    birth_date: bytes | None = None
    surname: bytes | None = None
    address: bytes | None = None


class Fact(NamedTuple):
    """A lifecycle event without the person: what the trajectory's fold works on.

    `client` is the position that a command of our own is about; an event of a case system names its clients instead.
    """

    event_id: str
    sequence: int
    occurred_on: date
    recorded_at: Millis
    kind: TrajectoryEventKind
    clients: tuple[ClientPseudonym, ...] = ()
    counsellor: Counsellor | None = None
    exit_reason: ExitReason | None = None
    service: Service | None = None
    entrepreneur: bool | None = None
    client: int | None = None


class KeyedTrajectory(NamedTuple):
    """On `resident-events`: a whole trajectory under one of its match keys."""

    municipality: str
    trajectory_id: str
    version: int
    erased: bool
    caused_by_event_id: str
    facts: tuple[Fact, ...]


class TrajectoryState(NamedTuple):
    """On `trajectory-states`: a whole trajectory with all its match keys."""

    municipality: str
    trajectory_id: str
    version: int
    erased: bool
    caused_by_event_id: str
    facts: tuple[Fact, ...]
    match_keys: tuple[bytes, ...]


class SealedIdentity(NamedTuple):
    """The clients of one event, sealed under the municipality's identity key."""

    event_id: str
    sealed: bytes


class WaitingEvent(NamedTuple):
    """A record that waits for its APPLIED or for the client that it names, ready to become a dead letter."""

    event_id: str
    topic: str
    partition: int
    offset: int
    timestamp: Millis
    sealed: bytes


class IntakeTrajectory(NamedTuple):
    """Intake's table: a trajectory as published, the sealed identities behind it, and what waits."""

    municipality: str
    trajectory_id: str
    version: int
    erased: bool
    caused_by_event_id: str
    facts: tuple[Fact, ...]
    match_keys: tuple[bytes, ...]
    identities: tuple[SealedIdentity, ...]
    waiting: tuple[WaitingEvent, ...]


class Delivery(NamedTuple):
    """One accepted delivery of a signal."""

    received_at: Millis
    digest: bytes
    match_key: bytes


class IntakeSignal(NamedTuple):
    """Intake's table: the deliveries that decide what is the same signal again (domain 8.15)."""

    deliveries: tuple[Delivery, ...]


class KeyedSignal(NamedTuple):
    """On `resident-events`: a signal under its one match key.

    `carried` is the Avro encoding of the fields from `partner` to `sealed_subject`, which RoutedSignal and
    Decision hold in the same order: the matcher passes the bytes on without opening them.
    """

    signal_ref: bytes
    reference_date: date
    last_day: date
    pseudonym: ClientPseudonym
    signal_id: str
    municipality: str
    partner_id: str
    carried: bytes


class RecentSignal(NamedTuple):
    """Matcher's table: a signal that can still be corrected; `signal` is the KeyedSignal in wire format.

    `policy_version` names the policy under which it was first decided: every later answer comes from it too.
    """

    match_key: bytes
    written_at: Millis
    revision: int
    policy_version: str
    route: Route
    trajectory_id: str | None
    address_only: bool
    regular_holds: bool
    offered: bool
    confirmed: Candidate | None
    refuted: tuple[Candidate, ...]
    commands: tuple[str, ...]
    signal: bytes


class ResidentCommandKind(StrEnum):
    """What a person or a clock asks of the matcher."""

    CONFIRM_IDENTITY = "CONFIRM_IDENTITY"
    REFUTE_IDENTITY = "REFUTE_IDENTITY"
    OFFER_TO_REGULAR = "OFFER_TO_REGULAR"
    ERASE_SIGNAL = "ERASE_SIGNAL"
    ERASE_RESIDENT = "ERASE_RESIDENT"


class ResidentCommand(NamedTuple):
    """On `resident-events`: a command about one accepted signal, or to erase a resident at its record's match key.

    ERASE_RESIDENT has an empty `signal_ref` and says who it is by `person`; where a person confirmed signals to be
    those of a client, by trajectory and position too.
    """

    command_id: str
    kind: ResidentCommandKind
    municipality: str
    signal_ref: bytes
    trajectory_id: str | None
    client: int | None
    issued_at: Millis
    person: ClientPseudonym | None = None


class IntakeCommandKind(StrEnum):
    """What the sink asks of intake about a trajectory."""

    ERASE = "ERASE"
    OBJECT = "OBJECT"
    WITHDRAW_OBJECTION = "WITHDRAW_OBJECTION"
    DECEASED = "DECEASED"


class IntakeCommand(NamedTuple):
    """On `intake-commands`: for one client of two, only that client.

    ERASE with a client erases that resident: his signals go with him. Without one it erases the trajectory, and its
    signals go on as any regular ones.
    """

    command_id: str
    kind: IntakeCommandKind
    municipality: str
    trajectory_id: str
    client: int | None
    occurred_on: date
    issued_at: Millis


class DeadLetter(NamedTuple):
    """On `dead-letters`: a record that could not be handled, sealed; never a value in the clear."""

    dead_letter_id: str
    stage: str
    topic: str
    partition: int
    offset: int
    timestamp: Millis
    code: str
    field: str | None
    rule: str
    municipality: str | None
    record_id: str | None
    sealed: bytes


class Header(NamedTuple):
    """A Kafka header."""

    name: str
    value: bytes | None


class OriginalRecord(NamedTuple):
    """What stands inside a dead letter's seal."""

    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]
