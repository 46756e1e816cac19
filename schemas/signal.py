"""EarlySignal: what a signal partner publishes on `signals`."""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from signaalwissel.schemas.units import Cents, Millis


class PartnerKind(StrEnum):
    """Kind of signal partner (signaalpartner.type in DDAS)."""

    ENERGY = "ENERGY"
    RENT = "RENT"
    MORTGAGE = "MORTGAGE"
    HEALTH_INSURANCE = "HEALTH_INSURANCE"
    WATER = "WATER"
    CAK_HEALTH = "CAK_HEALTH"
    CAK_CONTRIBUTION = "CAK_CONTRIBUTION"
    DUO = "DUO"
    TAX = "TAX"
    BENEFITS = "BENEFITS"
    OTHER = "OTHER"


class Partner(NamedTuple):
    """A signal partner (signaalpartner, vastelastenpartner)."""

    partner_id: str
    kind: PartnerKind


class Subject(NamedTuple):
    """A person as the sender knows them, in the clear: never outside `signals`, `trajectories` and intake."""

    bsn: str | None = None
    postcode: str | None = None
    house_number: int | None = None
    house_number_addition: str | None = None
    birth_date: date | None = None
    initials: str | None = None
    surname: str | None = None
    phone: str | None = None
    email: str | None = None

    def __repr__(self) -> str:
        """Tell nothing: a subject in a traceback or an assertion must not show the person."""
        return "Subject(...)"


class EarlySignal(NamedTuple):
    """An early-warning signal (vroegsignaal). `arrears` is in euro cents."""

    signal_id: str
    municipality: str
    partner: Partner
    subject: Subject
    customer_reference: str | None
    arrears: Cents
    arrears_since: date | None
    signalled_on: date | None
    received_at: Millis
    crisis: bool
    warm_transfer: bool
    collection_effort_attested: bool

    def __repr__(self) -> str:
        """Tell which signal, and nothing of the resident."""
        return f"EarlySignal({self.municipality}/{self.partner.partner_id}/{self.signal_id})"


class SealedSubject(NamedTuple):
    """What stands inside `sealed_subject`: for whoever must call or verify."""

    subject: Subject
    customer_reference: str | None

    def __repr__(self) -> str:
        """Tell nothing: it holds what must stay sealed."""
        return "SealedSubject(...)"
