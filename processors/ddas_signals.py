"""A signal and its follow-up as DDAS Vroegsignalering 1.2 wants them (domain 3).

In: what the database holds, and the opened subject. Out: objects of the model, whose values fit its schema.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from signaalwissel.processors.ddas_terms import CHANNELS, DECEASED, KNOWN_TO_DEBT_HELP, PARTNERS, RESULTS
from signaalwissel.schemas.followup import ContactChannel, ContactOutcome
from signaalwissel.schemas.routing import Route, TrueReason
from signaalwissel.schemas.signal import PartnerKind, Subject
from signaalwissel.schemas.units import Cents

Clients = Literal["withheld", "address", "bsn"]

_AMSTERDAM = ZoneInfo("Europe/Amsterdam")
_POSTCODE = re.compile(r"[1-9][0-9]{3}[A-Z]{2}")
_BSN_DIGITS = 9
_NUMBER_MAX = 99_999
_ADDITION_MAX = 4
_NOON, _EVENING = 12, 18
_CENTS = 100


class SignalFacts(NamedTuple):
    """What is held of one accepted delivery of a signal, the resident aside."""

    ref: bytes
    partner_kind: PartnerKind
    arrears: Cents
    arrears_since: date | None
    signalled_on: date | None
    crisis: bool
    warm_transfer: bool
    route: Route
    reason: TrueReason


class Contact(NamedTuple):
    """One attempt to reach the resident."""

    at: datetime
    channel: ContactChannel | None
    reached: bool | None


class CaseFacts(NamedTuple):
    """The follow-up of signals by a counsellor."""

    refs: Sequence[bytes]
    outcome: ContactOutcome | None
    contacts: Sequence[Contact]


def client_entry(subject: Subject, clients: Clients) -> dict[str, str] | None:
    """The resident as the schema takes one: a BSN and nothing else, or an address; None where neither fits."""
    if clients == "bsn" and subject.bsn:
        bsn = subject.bsn.zfill(_BSN_DIGITS)
        return {"burgerservicenummer": bsn} if bsn.isdigit() and len(bsn) == _BSN_DIGITS else None
    if clients == "withheld":
        return None
    postcode = (subject.postcode or "").replace(" ", "").upper()
    number, addition = subject.house_number, (subject.house_number_addition or "").strip()
    if not _POSTCODE.fullmatch(postcode) or number is None or not 0 <= number <= _NUMBER_MAX:
        return None
    if len(addition) > _ADDITION_MAX:
        # Cut short it would be another address.
        return None
    entry = {"postcode": postcode, "huisnummer": str(number)}
    if addition:
        entry["huisnummertoevoeging"] = addition
    if subject.birth_date is not None:
        entry["geboortedatum"] = subject.birth_date.isoformat()
    return entry


def signal_entry(signal: SignalFacts, client: dict[str, str]) -> dict[str, Any]:
    """A `vroegsignaal`; its ID is the reference of the delivery, so that it is unique whatever partners number."""
    entry: dict[str, Any] = {
        "ID": signal.ref.hex(),
        "signaalpartner": {"type": PARTNERS[signal.partner_kind]},
        "client": client,
        "crisissignaal": signal.crisis,
        "warmeOverdracht": signal.warm_transfer,
        # Whole euros, half a euro up.
        "bedrag": (signal.arrears + _CENTS // 2) // _CENTS,
    }
    if signal.arrears_since is not None:
        entry["ontstaansdatum"] = signal.arrears_since.isoformat()
    if signal.signalled_on is not None:
        entry["signaaldatum"] = signal.signalled_on.isoformat()
    if signal.route is Route.COUNSELLOR_FOLLOWUP:
        entry["status"] = KNOWN_TO_DEBT_HELP
    elif signal.reason is TrueReason.DECEASED:
        entry["status"] = DECEASED
    return entry


def case_entry(case: CaseFacts) -> dict[str, Any]:
    """A `vroegsignaalzaak` of the signals that are in the delivery."""
    entry: dict[str, Any] = {"vroegsignalen": [{"ID": ref.hex()} for ref in case.refs]}
    if case.outcome is not None:
        entry["resultaat"] = RESULTS[case.outcome]
    if case.contacts:
        entry["datumOpgepakt"] = _day_of(min(contact.at for contact in case.contacts)).isoformat()
        entry["contactpogingen"] = [_contact_entry(contact) for contact in case.contacts]
    return entry


def _contact_entry(contact: Contact) -> dict[str, Any]:
    hour = contact.at.astimezone(_AMSTERDAM).hour
    entry: dict[str, Any] = {
        "soort": CHANNELS[contact.channel or ContactChannel.UNKNOWN],
        "datum": _day_of(contact.at).isoformat(),
        "dagdeel": "Ochtend" if hour < _NOON else "Middag" if hour < _EVENING else "Avond",
    }
    if contact.reached is not None:
        entry["bereikt"] = contact.reached
    return entry


def _day_of(moment: datetime) -> date:
    return moment.astimezone(_AMSTERDAM).date()
