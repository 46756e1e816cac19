"""IntakeSignal by hand: intake writes one for every signal it accepts."""

from signaalwissel.schemas.contract import Codec, codec
from signaalwissel.schemas.internal import Delivery, IntakeSignal
from signaalwissel.schemas.primitives import array, binary, long, read_array, read_binary, read_moment


def write_intake_signal(signal: IntakeSignal) -> bytes:
    """An IntakeSignal in wire format."""
    return codec("IntakeSignal").header + array([_delivery(delivery) for delivery in signal.deliveries])


def read_intake_signal(data: bytes) -> IntakeSignal:
    """An IntakeSignal in wire format; raises NotWireFormat, UnknownSchemaId or DoesNotFit."""
    generic: Codec[IntakeSignal] = codec("IntakeSignal")
    return generic.decode_by_hand(data, _read)


def _delivery(delivery: Delivery) -> bytes:
    return long(delivery.received_at) + binary(delivery.digest) + binary(delivery.match_key)


def _read(data: bytes, at: int) -> tuple[IntakeSignal, int]:
    deliveries, at = read_array(data, at, _read_delivery)
    return IntakeSignal(deliveries), at


def _read_delivery(data: bytes, at: int) -> tuple[Delivery, int]:
    received_at, at = read_moment(data, at)
    digest, at = read_binary(data, at)
    match_key, at = read_binary(data, at)
    return Delivery(received_at, digest, match_key), at
