"""TrajectoryEvent by hand: intake reads one for every lifecycle event, `publish` writes one.

Bytes in wire format to value object, and back, as fastavro has it for the committed schema
(tests/schemas/test_trajectory_event_codec.py holds it to that).
"""

from signaalwissel.schemas.contract import Codec, codec
from signaalwissel.schemas.counsellor_codec import optional_counsellor, read_optional_counsellor
from signaalwissel.schemas.early_signal_codec import read_subject, subject_body
from signaalwissel.schemas.primitives import (
    FALSE,
    NULL,
    SOME,
    TRUE,
    array,
    day,
    long,
    read_array,
    read_day,
    read_long,
    read_moment,
    read_optional_boolean,
    read_optional_symbol,
    read_string,
    read_symbol,
    string,
)
from signaalwissel.schemas.trajectory import (
    ExitReason,
    Service,
    Solution,
    TrajectoryEvent,
    TrajectoryEventKind,
)

_KINDS = tuple(TrajectoryEventKind)
_EXITS = tuple(ExitReason)
_SERVICES = tuple(Service)
_SOLUTIONS = tuple(Solution)
_KIND = {member: long(index) for index, member in enumerate(_KINDS)}
_EXIT = {member: SOME + long(index) for index, member in enumerate(_EXITS)}
_SERVICE = {member: SOME + long(index) for index, member in enumerate(_SERVICES)}
_SOLUTION = {member: SOME + long(index) for index, member in enumerate(_SOLUTIONS)}
_BOOLEAN = {None: NULL, True: SOME + TRUE, False: SOME + FALSE}


def write_trajectory_event(event: TrajectoryEvent) -> bytes:
    """A TrajectoryEvent in wire format."""
    return b"".join(
        (
            codec("TrajectoryEvent").header,
            string(event.event_id),
            string(event.trajectory_id),
            string(event.municipality),
            long(event.sequence),
            day(event.occurred_on),
            long(event.recorded_at),
            _KIND[event.kind],
            array([subject_body(client) for client in event.clients]),
            optional_counsellor(event.counsellor),
            NULL if event.exit_reason is None else _EXIT[event.exit_reason],
            NULL if event.service is None else _SERVICE[event.service],
            NULL if event.solution is None else _SOLUTION[event.solution],
            _BOOLEAN[event.entrepreneur],
        )
    )


def read_trajectory_event(data: bytes) -> TrajectoryEvent:
    """A TrajectoryEvent in wire format, any committed version.

    Raises:
        NotWireFormat, UnknownSchemaId, DoesNotFit: As `Codec.decode`.
    """
    generic: Codec[TrajectoryEvent] = codec("TrajectoryEvent")
    return generic.decode_by_hand(data, _read)


def _read(data: bytes, at: int) -> tuple[TrajectoryEvent, int]:
    event_id, at = read_string(data, at)
    trajectory_id, at = read_string(data, at)
    municipality, at = read_string(data, at)
    sequence, at = read_long(data, at)
    occurred_on, at = read_day(data, at)
    recorded_at, at = read_moment(data, at)
    kind, at = read_symbol(data, at, _KINDS)
    clients, at = read_array(data, at, read_subject)
    counsellor, at = read_optional_counsellor(data, at)
    exit_reason, at = read_optional_symbol(data, at, _EXITS)
    service, at = read_optional_symbol(data, at, _SERVICES)
    solution, at = read_optional_symbol(data, at, _SOLUTIONS)
    entrepreneur, at = read_optional_boolean(data, at)
    event = TrajectoryEvent(
        event_id,
        trajectory_id,
        municipality,
        sequence,
        occurred_on,
        recorded_at,
        kind,
        clients,
        counsellor,
        exit_reason,
        service,
        solution,
        entrepreneur,
    )
    return event, at
