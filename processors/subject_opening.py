"""Opening what is sealed to see whether it is about one resident: for an export or an erasure, each opening logged.

In: sealed bytes and the record that they belong to. Out: who or what is inside, or None where nobody can open it any
more.
"""

from collections.abc import Callable

from signaalwissel.processors.dead_letters import open_original
from signaalwissel.processors.intake_signals import subject_belongs_to
from signaalwissel.processors.sealing import KeyDestroyed, SealBroken, SealingKey, unseal
from signaalwissel.schemas.contract import codec, record_name
from signaalwissel.schemas.errors import DoesNotFit, NotWireFormat, UnknownSchemaId
from signaalwissel.schemas.followup import TaskUpdate
from signaalwissel.schemas.internal import OriginalRecord
from signaalwissel.schemas.signal import EarlySignal, SealedSubject, Subject
from signaalwissel.schemas.trajectory import TrajectoryEvent
from signaalwissel.schemas.wire_format import schema_id_of

KeyById = Callable[[str], SealingKey]
_OPENABLE = (SealBroken, KeyDestroyed, DoesNotFit)


def subject_in(municipality: str, ref: bytes, sealed: bytes, key_by_id: KeyById) -> SealedSubject | None:
    """Who a signal is about; None where its day's key was destroyed, or the seal is none of ours.

    Raises:
        KeyUnavailable: The key cannot be had now.
    """
    try:
        body = unseal(sealed, subject_belongs_to(municipality, ref), key_by_id)
        found: SealedSubject = codec("SealedSubject").decode_body(body)
    except _OPENABLE:
        return None
    return found


def original_in(letter_id: str, sealed: bytes, key_by_id: KeyById) -> OriginalRecord | None:
    """The record behind a dead letter; None where nobody can open it any more; raises as `subject_in`."""
    try:
        return open_original(sealed, letter_id, key_by_id)
    except _OPENABLE:
        return None


Published = EarlySignal | TrajectoryEvent | TaskUpdate
_PUBLISHED = frozenset({"EarlySignal", "TrajectoryEvent", "TaskUpdate"})


def published_in(value: bytes | None) -> Published | None:
    """The signal, lifecycle event or task update in a record's value; None for whatever else it is."""
    try:
        name = record_name(schema_id_of(value or b""))
        if name not in _PUBLISHED:
            return None
        found: Published = codec(name).decode(value or b"")
    except (NotWireFormat, UnknownSchemaId, DoesNotFit):
        return None
    return found


def subjects_in(record: Published) -> tuple[Subject, ...]:
    """The people whom a published record names."""
    if isinstance(record, EarlySignal):
        return (record.subject,)
    return record.clients if isinstance(record, TrajectoryEvent) else ()
