"""Dead letters of the sink's own: a record that cannot be read or applied, sealed.

Flows in: a record and what is wrong with it. Flows out: a DeadLetter whose original nobody reads without the key.
"""

from collections.abc import Callable
from typing import NamedTuple

from signaalwissel.processors.followup_updates import UpdateRefused
from signaalwissel.processors.identifiers import dead_letter_id
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.schemas.errors import DoesNotFit, NotWireFormat, UnknownSchemaId
from signaalwissel.schemas.internal import DeadLetter, Header, OriginalRecord
from signaalwissel.sinks.records import KafkaRecord

STAGE = "sink"


class Unsealed(NamedTuple):
    """A record on its way into a dead letter: what to seal, and what the seal belongs to."""

    dead_letter_id: str
    municipality: str | None
    original: OriginalRecord


Seal = Callable[[Unsealed], bytes]
"""Seals the original of a dead letter. Where a key cannot be had it raises, which ends the sink with nothing of the
batch stored."""


class NullValue(ValueError):
    """A record without a value, where none belongs."""


Refusable = DoesNotFit | NotWireFormat | UnknownSchemaId | NullValue | Rejected | UpdateRefused
REFUSABLE = (DoesNotFit, NotWireFormat, UnknownSchemaId, NullValue, Rejected, UpdateRefused)
"""What makes a record a dead letter; anything else is a defect and ends the sink."""


def dead_letter_of(
    record: KafkaRecord,
    reason: Refusable,
    seal: Seal,
    *,
    municipality: str | None = None,
    record_id: str | None = None,
) -> DeadLetter:
    """The dead letter of a record.

    Args:
        record: The record as it came.
        reason: Why it is refused.
        seal: Seals its key, value and headers.
        municipality: Whose it is, where that is known.
        record_id: Its own id, where that is known and safe to show.
    """
    code, field, rule = _reason(reason)
    letter_id = dead_letter_id(record.topic, record.partition, record.offset)
    headers = tuple(Header(name, value) for name, value in record.headers)
    original = OriginalRecord(record.key, record.value, headers)
    return DeadLetter(
        dead_letter_id=letter_id,
        stage=STAGE,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp,
        code=code,
        field=field,
        rule=rule,
        municipality=municipality,
        record_id=record_id,
        sealed=seal(Unsealed(letter_id, municipality, original)),
    )


def _reason(reason: Refusable) -> tuple[str, str | None, str]:
    if isinstance(reason, Rejected | UpdateRefused):
        return reason.code, reason.field, reason.rule
    if isinstance(reason, DoesNotFit):
        return RejectionCode.UNREADABLE, reason.field or None, reason.rule
    if isinstance(reason, UnknownSchemaId):
        return RejectionCode.UNKNOWN_SCHEMA_ID, None, "must have a schema of its topic"
    if isinstance(reason, NotWireFormat):
        return RejectionCode.NOT_WIRE_FORMAT, None, "must begin with magic byte 0 and a schema id"
    return RejectionCode.NULL_VALUE, None, "must have a value"
