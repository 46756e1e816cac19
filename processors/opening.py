"""Opening what is sealed: for whoever must call or verify, one record at a time, and never unseen (design 7).

In: a record with a sealed subject, and keys that the reader has. Out: who it is about. Every opening is told first.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from signaalwissel.processors.identifiers import signal_ref
from signaalwissel.processors.intake_signals import subject_belongs_to
from signaalwissel.processors.sealing import SealBroken, SealingKey, key_id_of, unseal
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.signal import Partner, SealedSubject
from signaalwissel.schemas.units import Millis


class Opening(NamedTuple):
    """What is opened. Names the record, not the resident."""

    routing_id: str
    signal_id: str
    municipality: str
    key_id: str


class Sealed(Protocol):
    """What has a sealed subject: a RoutedSignal, a Decision, or as much of one as a database keeps."""

    @property
    def routing_id(self) -> str: ...
    @property
    def signal_id(self) -> str: ...
    @property
    def municipality(self) -> str: ...
    @property
    def partner(self) -> Partner: ...
    @property
    def received_at(self) -> Millis: ...
    @property
    def sealed_subject(self) -> bytes: ...


class Opened(Protocol):
    """Is told of every opening before it happens: opening is a processing, and processings are logged."""

    def __call__(self, opening: Opening) -> None:
        """Put an opening on record. What it raises goes to the caller, and nothing is opened."""


def open_subject(record: Sealed, key_by_id: Callable[[str], SealingKey], opened: Opened) -> SealedSubject:
    """Who a routed signal is about.

    Args:
        record: A record of `regular-flow`, `counsellor-followup` or `decisions`, or the `to` of a correction.
        key_by_id: Gives the key that the seal names, such as `by_id` of a key provider.
        opened: Is told first.

    Raises:
        SealBroken: The seal is that of another record, or was changed.
        KeyUnavailable: The reader cannot have the key now; KeyDestroyed: nobody ever can.
    """
    key_id = key_id_of(record.sealed_subject)
    # Before it is opened: a processing that is not on record must not happen.
    opened(Opening(record.routing_id, record.signal_id, record.municipality, key_id))
    ref = signal_ref(record.municipality, record.partner.partner_id, record.signal_id, record.received_at)
    return unsealed_subject(record.sealed_subject, record.municipality, ref, key_by_id)


def unsealed_subject(
    sealed: bytes, municipality: str, ref: bytes, key_by_id: Callable[[str], SealingKey]
) -> SealedSubject:
    """Who a sealed subject is; the caller has put the opening on record. Raises what `open_subject` does."""
    content = unseal(sealed, subject_belongs_to(municipality, ref), key_by_id)
    try:
        subject: SealedSubject = codec("SealedSubject").decode_body(content)
    except DoesNotFit:
        raise SealBroken(f"the seal under key {key_id_of(sealed)} opens, but holds no subject") from None
    return subject
