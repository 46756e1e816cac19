"""A routed signal whose subject is sealed as intake seals it."""

from datetime import date

from signaalwissel.processors.identifiers import routing_id, signal_ref
from signaalwissel.processors.intake_signals import subject_belongs_to
from signaalwissel.processors.sealing import KeyProvider, seal
from signaalwissel.schemas.early_signal_codec import sealed_subject_body
from signaalwissel.schemas.routing import Reason, Route, RoutedSignal
from signaalwissel.schemas.signal import Partner, PartnerKind, SealedSubject, Subject
from signaalwissel.security.nonces import fresh_nonce

RECEIVED_AT = 1_772_400_000_000
RECEIVED_ON = date(2026, 3, 1)
ANNA = SealedSubject(Subject(bsn="111222333", surname="Jansen"), "K-7")


def routed(keys: KeyProvider, municipality: str = "0344", signal_id: str = "S-1") -> RoutedSignal:
    """A signal on `regular-flow`."""
    ref = signal_ref(municipality, "energy-1", signal_id, RECEIVED_AT)
    body = sealed_subject_body(ANNA.subject, ANNA.customer_reference)
    key = keys.day_key(municipality, RECEIVED_ON)
    return RoutedSignal(
        routing_id=routing_id(ref, 0),
        signal_id=signal_id,
        municipality=municipality,
        revision=0,
        route=Route.REGULAR_FLOW,
        reason=Reason.NO_HIT,
        explanation="no hit",
        policy_version="1",
        reference_date=RECEIVED_ON,
        decided_at=RECEIVED_AT,
        partner=Partner("energy-1", PartnerKind.ENERGY),
        arrears=10_000,
        arrears_since=None,
        signalled_on=None,
        received_at=RECEIVED_AT,
        crisis=False,
        warm_transfer=False,
        sealed_subject=seal(body, key, subject_belongs_to(municipality, ref), fresh_nonce()),
    )
