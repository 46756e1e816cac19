"""Reading a record: bytes into a value object, or a refusal that says what is wrong with them."""

from collections.abc import Callable
from typing import TypeVar

from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.schemas.errors import DoesNotFit, NotWireFormat, UnknownSchemaId

Record = TypeVar("Record")

UNREADABLE = (NotWireFormat, UnknownSchemaId, DoesNotFit)
"""What decoding raises for bytes that are no record of ours."""

RECORD_SIZE_MAX = 65_536
"""Bytes of an input record: the size that CloudEvents promises to carry everywhere; ours are below a kilobyte."""


def read_record(read: Callable[[bytes], Record], value: bytes | None) -> Record:
    """The record that `read` finds in `value`; raises Rejected."""
    if value is None:
        raise Rejected(RejectionCode.NULL_VALUE, None, "has no value")
    if len(value) > RECORD_SIZE_MAX:
        raise Rejected(RejectionCode.TOO_LARGE, None, f"must have at most {RECORD_SIZE_MAX} bytes")
    try:
        return read(value)
    except UNREADABLE as error:
        raise refusal_of(error) from None


def refusal_of(error: NotWireFormat | UnknownSchemaId | DoesNotFit) -> Rejected:
    """The refusal behind a decoding error."""
    if isinstance(error, NotWireFormat):
        return Rejected(RejectionCode.NOT_WIRE_FORMAT, None, str(error))
    if isinstance(error, UnknownSchemaId):
        return Rejected(RejectionCode.UNKNOWN_SCHEMA_ID, None, str(error))
    return Rejected(RejectionCode.UNREADABLE, error.field or None, error.rule)
