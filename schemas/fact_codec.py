"""Facts and the three records around them by hand: every lifecycle event rewrites a whole trajectory.

KeyedTrajectory, TrajectoryState and IntakeTrajectory begin with the same fields, so one encoding of head and facts
serves all three; what is behind differs.
"""

from typing import Final, NamedTuple

from signaalwissel.schemas.contract import Codec, codec
from signaalwissel.schemas.counsellor_codec import optional_counsellor, read_optional_counsellor
from signaalwissel.schemas.internal import (
    ClientPseudonym,
    Fact,
    IntakeTrajectory,
    KeyedTrajectory,
    SealedIdentity,
    TrajectoryState,
    WaitingEvent,
)
from signaalwissel.schemas.primitives import (
    BROKEN,
    FALSE,
    NULL,
    SOME,
    TRUE,
    array,
    binary,
    day,
    long,
    optional_binary,
    optional_long,
    read_array,
    read_binary,
    read_boolean,
    read_day,
    read_int,
    read_long,
    read_moment,
    read_optional_binary,
    read_optional_boolean,
    read_optional_int,
    read_optional_symbol,
    read_string,
    read_symbol,
    string,
)
from signaalwissel.schemas.trajectory import ExitReason, Service, TrajectoryEventKind
from signaalwissel.schemas.wire_format import HEADER_SIZE, schema_id_of

_KINDS: Final = tuple(TrajectoryEventKind)
_EXITS: Final = tuple(ExitReason)
_SERVICES: Final = tuple(Service)
_KIND: Final = {member: long(index) for index, member in enumerate(_KINDS)}
_EXIT: Final = {member: SOME + long(index) for index, member in enumerate(_EXITS)}
_SERVICE: Final = {member: SOME + long(index) for index, member in enumerate(_SERVICES)}
_BOOLEAN: Final = {None: NULL, True: SOME + TRUE, False: SOME + FALSE}

_Trajectory = KeyedTrajectory | TrajectoryState | IntakeTrajectory


def trajectory_body(trajectory: _Trajectory) -> bytes:
    """Head and facts, as all three records begin."""
    return b"".join(
        (
            string(trajectory.municipality),
            string(trajectory.trajectory_id),
            long(trajectory.version),
            TRUE if trajectory.erased else FALSE,
            string(trajectory.caused_by_event_id),
            array([_fact(fact) for fact in trajectory.facts]),
        )
    )


def write_keyed_trajectory(body: bytes) -> bytes:
    """A KeyedTrajectory in wire format, from its `trajectory_body`."""
    return codec("KeyedTrajectory").header + body


def write_trajectory_state(body: bytes, match_keys: tuple[bytes, ...]) -> bytes:
    """A TrajectoryState in wire format, from its `trajectory_body`."""
    return codec("TrajectoryState").header + body + array([binary(key) for key in match_keys])


def write_intake_trajectory(trajectory: IntakeTrajectory, body: bytes) -> bytes:
    """An IntakeTrajectory in wire format; `body` is its `trajectory_body`."""
    return b"".join(
        (
            codec("IntakeTrajectory").header,
            body,
            array([binary(key) for key in trajectory.match_keys]),
            array([string(item.event_id) + binary(item.sealed) for item in trajectory.identities]),
            array([_waiting(event) for event in trajectory.waiting]),
        )
    )


def read_keyed_trajectory(data: bytes) -> KeyedTrajectory:
    """A KeyedTrajectory in wire format; raises NotWireFormat, UnknownSchemaId or DoesNotFit."""
    generic: Codec[KeyedTrajectory] = codec("KeyedTrajectory")
    return generic.decode_by_hand(data, _read_keyed)


def read_trajectory_state(data: bytes) -> TrajectoryState:
    """A TrajectoryState in wire format; raises NotWireFormat, UnknownSchemaId or DoesNotFit."""
    generic: Codec[TrajectoryState] = codec("TrajectoryState")
    return generic.decode_by_hand(data, _read_state)


def read_intake_trajectory(data: bytes) -> IntakeTrajectory:
    """An IntakeTrajectory in wire format; raises NotWireFormat, UnknownSchemaId or DoesNotFit."""
    generic: Codec[IntakeTrajectory] = codec("IntakeTrajectory")
    return generic.decode_by_hand(data, _read_intake)


class TrajectoryHead(NamedTuple):
    """What stands before the facts of a KeyedTrajectory."""

    municipality: str
    trajectory_id: str
    version: int


def read_trajectory_head(data: bytes) -> TrajectoryHead:
    """The head of a KeyedTrajectory, without its facts; raises as its reader."""
    if schema_id_of(data) == codec("KeyedTrajectory").schema_id:
        try:
            return _read_head(data)
        except BROKEN:
            pass
    whole = read_keyed_trajectory(data)
    return TrajectoryHead(whole.municipality, whole.trajectory_id, whole.version)


def _fact(fact: Fact) -> bytes:
    return b"".join(
        (
            string(fact.event_id),
            long(fact.sequence),
            day(fact.occurred_on),
            long(fact.recorded_at),
            _KIND[fact.kind],
            array([_client(client) for client in fact.clients]) if fact.clients else NULL,
            optional_counsellor(fact.counsellor),
            NULL if fact.exit_reason is None else _EXIT[fact.exit_reason],
            NULL if fact.service is None else _SERVICE[fact.service],
            _BOOLEAN[fact.entrepreneur],
            optional_long(fact.client),
        )
    )


def _waiting(event: WaitingEvent) -> bytes:
    return b"".join(
        (
            string(event.event_id),
            string(event.topic),
            long(event.partition),
            long(event.offset),
            long(event.timestamp),
            binary(event.sealed),
        )
    )


def _client(client: ClientPseudonym) -> bytes:
    return b"".join([optional_binary(value) for value in client])


def _read_head(data: bytes) -> TrajectoryHead:
    municipality, at = read_string(data, HEADER_SIZE)
    trajectory_id, at = read_string(data, at)
    version, _ = read_long(data, at)
    return TrajectoryHead(municipality, trajectory_id, version)


def _read_keyed(data: bytes, at: int) -> tuple[KeyedTrajectory, int]:
    fields, at = _read_body(data, at)
    return KeyedTrajectory(*fields), at


def _read_state(data: bytes, at: int) -> tuple[TrajectoryState, int]:
    fields, at = _read_body(data, at)
    match_keys, at = read_array(data, at, read_binary)
    return TrajectoryState(*fields, match_keys), at


def _read_intake(data: bytes, at: int) -> tuple[IntakeTrajectory, int]:
    fields, at = _read_body(data, at)
    match_keys, at = read_array(data, at, read_binary)
    identities, at = read_array(data, at, _read_identity)
    waiting, at = read_array(data, at, _read_waiting)
    return IntakeTrajectory(*fields, match_keys, identities, waiting), at


def _read_body(data: bytes, at: int) -> tuple[tuple[str, str, int, bool, str, tuple[Fact, ...]], int]:
    municipality, at = read_string(data, at)
    trajectory_id, at = read_string(data, at)
    version, at = read_long(data, at)
    erased, at = read_boolean(data, at)
    caused_by, at = read_string(data, at)
    facts, at = read_array(data, at, _read_fact)
    return (municipality, trajectory_id, version, erased, caused_by, facts), at


def _read_fact(data: bytes, at: int) -> tuple[Fact, int]:
    event_id, at = read_string(data, at)
    sequence, at = read_long(data, at)
    occurred_on, at = read_day(data, at)
    recorded_at, at = read_moment(data, at)
    kind, at = read_symbol(data, at, _KINDS)
    clients, at = read_array(data, at, _read_client)
    counsellor, at = read_optional_counsellor(data, at)
    exit_reason, at = read_optional_symbol(data, at, _EXITS)
    service, at = read_optional_symbol(data, at, _SERVICES)
    entrepreneur, at = read_optional_boolean(data, at)
    client, at = read_optional_int(data, at)
    fact = Fact(
        event_id,
        sequence,
        occurred_on,
        recorded_at,
        kind,
        clients,
        counsellor,
        exit_reason,
        service,
        entrepreneur,
        client,
    )
    return fact, at


def _read_client(data: bytes, at: int) -> tuple[ClientPseudonym, int]:
    bsn, at = read_optional_binary(data, at)
    birth_date, at = read_optional_binary(data, at)
    surname, at = read_optional_binary(data, at)
    address, at = read_optional_binary(data, at)
    return ClientPseudonym(bsn, birth_date, surname, address), at


def _read_identity(data: bytes, at: int) -> tuple[SealedIdentity, int]:
    event_id, at = read_string(data, at)
    sealed, at = read_binary(data, at)
    return SealedIdentity(event_id, sealed), at


def _read_waiting(data: bytes, at: int) -> tuple[WaitingEvent, int]:
    event_id, at = read_string(data, at)
    topic, at = read_string(data, at)
    partition, at = read_int(data, at)
    offset, at = read_long(data, at)
    timestamp, at = read_moment(data, at)
    sealed, at = read_binary(data, at)
    return WaitingEvent(event_id, topic, partition, offset, timestamp, sealed), at
