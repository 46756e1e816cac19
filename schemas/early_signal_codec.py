"""Decodes EarlySignal by hand: once for every signal, in intake.

Bytes in wire format in, value object out. It gives what fastavro gives for the committed schema
(tests/schemas/test_early_signal_codec.py holds it to that) without a dict for each nested record.
"""

from signaalwissel.schemas.contract import HEADER_SIZE, Codec, codec, schema_id_of
from signaalwissel.schemas.primitives import (
    read_binary,
    read_boolean,
    read_long,
    read_optional_day,
    read_optional_long,
    read_optional_string,
    read_string,
)
from signaalwissel.schemas.signal import EarlySignal, Partner, PartnerKind, Subject
from signaalwissel.schemas.units import Cents

_KINDS = tuple(PartnerKind)
_PRECISION_LIMIT = 10**12
BROKEN = (IndexError, ValueError, OverflowError)
"""What the primitives raise for bytes that do not fit."""


def read_early_signal(data: bytes) -> EarlySignal:
    """An EarlySignal in wire format, any committed version.

    Raises:
        NotWireFormat, UnknownSchemaId, DoesNotFit: As `Codec.decode`.
    """
    generic: Codec[EarlySignal] = codec("EarlySignal")
    if schema_id_of(data) != generic.schema_id:
        return generic.decode(data)
    at = HEADER_SIZE
    try:
        signal_id, at = read_string(data, at)
        municipality, at = read_string(data, at)
        partner, at = read_partner(data, at)
        subject, at = _read_subject(data, at)
        customer_reference, at = read_optional_string(data, at)
        arrears, at = read_arrears(data, at)
        arrears_since, at = read_optional_day(data, at)
        signalled_on, at = read_optional_day(data, at)
        received_at, at = read_long(data, at)
        crisis, at = read_boolean(data, at)
        warm_transfer, at = read_boolean(data, at)
        attested, at = read_boolean(data, at)
    except BROKEN:
        # The slow way finds the field; it raises for the same bytes.
        return generic.decode(data)
    if at != len(data):
        return generic.decode(data)
    return EarlySignal(
        signal_id,
        municipality,
        partner,
        subject,
        customer_reference,
        arrears,
        arrears_since,
        signalled_on,
        received_at,
        crisis,
        warm_transfer,
        attested,
    )


def read_partner(data: bytes, at: int) -> tuple[Partner, int]:
    """A Partner at `at`, and the position after it."""
    partner_id, at = read_string(data, at)
    kind, at = read_long(data, at)
    if kind < 0:
        raise ValueError("no such symbol")
    return Partner(partner_id, _KINDS[kind]), at


def _read_subject(data: bytes, at: int) -> tuple[Subject, int]:
    bsn, at = read_optional_string(data, at)
    postcode, at = read_optional_string(data, at)
    house_number, at = read_optional_long(data, at)
    addition, at = read_optional_string(data, at)
    birth_date, at = read_optional_day(data, at)
    initials, at = read_optional_string(data, at)
    surname, at = read_optional_string(data, at)
    phone, at = read_optional_string(data, at)
    email, at = read_optional_string(data, at)
    return Subject(bsn, postcode, house_number, addition, birth_date, initials, surname, phone, email), at


def read_arrears(data: bytes, at: int) -> tuple[Cents, int]:
    """A decimal(12,2) at `at` in cents, and the position after it."""
    unscaled, at = read_binary(data, at)
    value = int.from_bytes(unscaled, "big", signed=True)
    if abs(value) >= _PRECISION_LIMIT:
        raise ValueError("more digits than the schema has")
    return value, at
