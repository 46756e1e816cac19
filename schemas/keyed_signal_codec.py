"""KeyedSignal by hand, and the block of fields that it carries unopened to RoutedSignal and Decision.

Intake writes it, the matcher reads it: once each for every signal. The fields from `partner` to `sealed_subject`
stand in the same order in KeyedSignal, RoutedSignal and Decision, and Avro writes a record as its fields one after
the other, so the matcher passes the block on as it came.
"""

from datetime import date
from typing import Final, NamedTuple

from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.diagnosis import first_unreadable
from signaalwissel.schemas.early_signal_codec import partner_body, read_arrears, read_partner
from signaalwissel.schemas.errors import DoesNotFit, UnknownSchemaId
from signaalwissel.schemas.internal import ClientPseudonym, KeyedSignal
from signaalwissel.schemas.primitives import (
    BROKEN,
    FALSE,
    TRUE,
    binary,
    day,
    decimal,
    long,
    optional_binary,
    optional_day,
    read_binary,
    read_boolean,
    read_day,
    read_is_some,
    read_long,
    read_moment,
    read_optional_binary,
    read_optional_day,
    read_string,
    string,
)
from signaalwissel.schemas.signal import EarlySignal, Partner, PartnerKind
from signaalwissel.schemas.units import Cents, Millis
from signaalwissel.schemas.wire_format import HEADER_SIZE, schema_id_of

_AMOUNT_SIZE_MAX: Final = 6
_PARTNER_KINDS: Final = len(PartnerKind)
_OPTIONAL_DAYS: Final = 2
_BOOLEANS: Final = 2


def carried_block(signal: EarlySignal, sealed_subject: bytes) -> bytes:
    """The bytes that KeyedSignal, RoutedSignal and Decision share: `partner` to `sealed_subject`."""
    return b"".join(
        (
            partner_body(signal.partner),
            decimal(signal.arrears),
            optional_day(signal.arrears_since),
            optional_day(signal.signalled_on),
            long(signal.received_at),
            TRUE if signal.crisis else FALSE,
            TRUE if signal.warm_transfer else FALSE,
            binary(sealed_subject),
        )
    )


class Carried(NamedTuple):
    """The carried block, opened: for debt timing and for whoever shows a signal."""

    partner: Partner
    arrears: Cents
    arrears_since: date | None
    signalled_on: date | None
    received_at: Millis
    crisis: bool
    warm_transfer: bool
    sealed_subject: bytes


def open_carried(carried: bytes) -> Carried:
    """The fields of a carried block, which only this module writes."""
    partner, at = read_partner(carried, 0)
    arrears, at = read_arrears(carried, at)
    arrears_since, at = read_optional_day(carried, at)
    signalled_on, at = read_optional_day(carried, at)
    received_at, at = read_long(carried, at)
    crisis, at = read_boolean(carried, at)
    warm_transfer, at = read_boolean(carried, at)
    sealed_subject, _ = read_binary(carried, at)
    return Carried(
        partner, arrears, arrears_since, signalled_on, received_at, crisis, warm_transfer, sealed_subject
    )


def check_carried(carried: bytes) -> None:
    """Look whether a block is whole, without opening it: it is passed on to readers who could not read it otherwise.

    Raises:
        DoesNotFit: It is not what `carried_block` writes.
    """
    try:
        size, at = read_long(carried, 0)
        kind, at = read_long(carried, at + size)
        size, at = read_long(carried, at)
        at += size
        fits = 0 <= kind < _PARTNER_KINDS and 0 < size <= _AMOUNT_SIZE_MAX
        for _ in range(_OPTIONAL_DAYS):
            if read_is_some(carried, at):
                _, at = read_day(carried, at + 1)
            else:
                at += 1
        _, at = read_moment(carried, at)
        fits = fits and carried[at] <= 1 and carried[at + 1] <= 1
        size, at = read_long(carried, at + _BOOLEANS)
    except BROKEN:
        fits = False
    if not fits or size < 0 or at + size != len(carried):
        raise DoesNotFit("sealed_subject", "must be the end of a block that begins with the partner")


def without_subject(carried: bytes) -> bytes:
    """The block of an erased resident's signal: nothing is sealed in it any more."""
    sealed = open_carried(carried).sealed_subject
    return carried[: len(carried) - len(binary(sealed))] + binary(b"")


def write_keyed_signal(signal: KeyedSignal) -> bytes:
    """A KeyedSignal in wire format."""
    pseudonym = signal.pseudonym
    return b"".join(
        (
            codec("KeyedSignal").header,
            binary(signal.signal_ref),
            day(signal.reference_date),
            day(signal.last_day),
            optional_binary(pseudonym.bsn),
            optional_binary(pseudonym.birth_date),
            optional_binary(pseudonym.surname),
            optional_binary(pseudonym.address),
            string(signal.signal_id),
            string(signal.municipality),
            signal.carried,
        )
    )


def read_keyed_signal(data: bytes) -> KeyedSignal:
    """A KeyedSignal in wire format.

    Raises:
        NotWireFormat, UnknownSchemaId, DoesNotFit: Never for what intake wrote.
    """
    schema_id = schema_id_of(data)
    if schema_id != codec("KeyedSignal").schema_id:
        raise UnknownSchemaId(schema_id, "KeyedSignal")
    try:
        return _read_keyed_signal(data)
    except BROKEN:
        finding = first_unreadable(data, HEADER_SIZE, codec("KeyedSignal").parsed)
        raise finding or DoesNotFit("", "is not an Avro body of KeyedSignal") from None


def _read_keyed_signal(data: bytes) -> KeyedSignal:
    signal_ref, at = read_binary(data, HEADER_SIZE)
    reference_date, at = read_day(data, at)
    last_day, at = read_day(data, at)
    bsn, at = read_optional_binary(data, at)
    birth_date, at = read_optional_binary(data, at)
    surname, at = read_optional_binary(data, at)
    address, at = read_optional_binary(data, at)
    signal_id, at = read_string(data, at)
    municipality, at = read_string(data, at)
    partner_id, _ = read_string(data, at)
    return KeyedSignal(
        signal_ref,
        reference_date,
        last_day,
        ClientPseudonym(bsn, birth_date, surname, address),
        signal_id,
        municipality,
        partner_id,
        data[at:],
    )
