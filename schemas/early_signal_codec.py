"""EarlySignal by hand: intake reads one for every signal, `publish` writes one.

Bytes in wire format to value object, and back, as fastavro has it for the committed schema
(tests/schemas/test_early_signal_codec.py holds it to that) without a dict for each nested record.
"""

from typing import Final

from signaalwissel.schemas.contract import Codec, codec
from signaalwissel.schemas.primitives import (
    FALSE,
    TRUE,
    decimal,
    long,
    optional_day,
    optional_long,
    optional_string,
    read_binary,
    read_boolean,
    read_moment,
    read_optional_day,
    read_optional_int,
    read_optional_string,
    read_string,
    read_symbol,
    string,
)
from signaalwissel.schemas.signal import EarlySignal, Partner, PartnerKind, Subject
from signaalwissel.schemas.units import Cents
from signaalwissel.schemas.wire_format import HEADER_SIZE, schema_id_of

_KINDS: Final = tuple(PartnerKind)
_KIND: Final = {kind: long(index) for index, kind in enumerate(_KINDS)}
_PRECISION_LIMIT: Final = 10**12
_FLAGS: Final = 3
"""The booleans behind received_at."""


def read_early_signal(data: bytes) -> EarlySignal:
    """An EarlySignal in wire format, any committed version.

    Raises:
        NotWireFormat, UnknownSchemaId, DoesNotFit: As `Codec.decode`.
    """
    generic: Codec[EarlySignal] = codec("EarlySignal")
    return generic.decode_by_hand(data, _read_signal)


def write_early_signal(signal: EarlySignal) -> bytes:
    """An EarlySignal in wire format."""
    return b"".join(
        (
            codec("EarlySignal").header,
            string(signal.signal_id),
            string(signal.municipality),
            partner_body(signal.partner),
            subject_body(signal.subject),
            optional_string(signal.customer_reference),
            decimal(signal.arrears),
            optional_day(signal.arrears_since),
            optional_day(signal.signalled_on),
            long(signal.received_at),
            TRUE if signal.crisis else FALSE,
            TRUE if signal.warm_transfer else FALSE,
            TRUE if signal.collection_effort_attested else FALSE,
        )
    )


def _read_signal(data: bytes, at: int) -> tuple[EarlySignal, int]:
    signal_id, at = read_string(data, at)
    municipality, at = read_string(data, at)
    partner, at = read_partner(data, at)
    subject, at = read_subject(data, at)
    customer_reference, at = read_optional_string(data, at)
    arrears, at = read_arrears(data, at)
    arrears_since, at = read_optional_day(data, at)
    signalled_on, at = read_optional_day(data, at)
    received_at, at = read_moment(data, at)
    crisis, at = read_boolean(data, at)
    warm_transfer, at = read_boolean(data, at)
    attested, at = read_boolean(data, at)
    signal = EarlySignal(
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
    return signal, at


def read_partner(data: bytes, at: int) -> tuple[Partner, int]:
    """A Partner at `at`, and the position after it."""
    partner_id, at = read_string(data, at)
    kind, at = read_symbol(data, at, _KINDS)
    return Partner(partner_id, kind), at


def read_subject(data: bytes, at: int) -> tuple[Subject, int]:
    """A Subject at `at`, and the position after it."""
    bsn, at = read_optional_string(data, at)
    postcode, at = read_optional_string(data, at)
    house_number, at = read_optional_int(data, at)
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


def content_without_moment(data: bytes, signal: EarlySignal) -> bytes:
    """What makes a delivery the same signal again: the Avro body of `signal`, read from `data`, without received_at.

    Source: domain 8.15.
    """
    generic: Codec[EarlySignal] = codec("EarlySignal")
    moment = long(signal.received_at)
    if schema_id_of(data) != generic.schema_id or data[-_FLAGS - len(moment) : -_FLAGS] != moment:
        # Another version of the schema, or a writer that pads its numbers: compare in our own encoding.
        data = generic.encode(signal)
    return data[HEADER_SIZE : -_FLAGS - len(moment)] + data[-_FLAGS:]


def partner_body(partner: Partner) -> bytes:
    """The Avro body of a Partner."""
    return string(partner.partner_id) + _KIND[partner.kind]


def subject_body(subject: Subject) -> bytes:
    """The Avro body of a Subject."""
    return b"".join(
        (
            optional_string(subject.bsn),
            optional_string(subject.postcode),
            optional_long(subject.house_number),
            optional_string(subject.house_number_addition),
            optional_day(subject.birth_date),
            optional_string(subject.initials),
            optional_string(subject.surname),
            optional_string(subject.phone),
            optional_string(subject.email),
        )
    )


def sealed_subject_body(subject: Subject, customer_reference: str | None) -> bytes:
    """The Avro body of a SealedSubject."""
    return subject_body(subject) + optional_string(customer_reference)
