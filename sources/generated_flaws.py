"""Bad records of generated data. In: a sound record as JSON, and what is to be wrong. Out: the record spoiled.

Each flaw is a kind of bad input of domain 8.16 that JSON can express; every one makes the record a dead letter.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from signaalwissel.sources.generated_clock import days

# An event whose trajectory never gets an application; nothing is wrong with the record itself.
NEVER_APPLIED = "NEVER_APPLIED"
BAD_BSN = "999999999"
BAD_POSTCODE = "0123 AB"
BEFORE_1900 = "1899-12-31"
Value = dict[str, Any]


def spoil(value: Value, flaw: str) -> None:
    """Put a flaw of SIGNAL_FLAWS or EVENT_FLAWS into a record."""
    {**SIGNAL_FLAWS, **EVENT_FLAWS}[flaw](value)


def _sent(value: Value, offset: int) -> None:
    value["signalled_on"] = (date.fromisoformat(value["received_at"][:10]) + days(offset)).isoformat()


def _nameless(subject: Value) -> None:
    subject.update(bsn=None, postcode=None)


def _as_kind(value: Value, kind: str) -> None:
    """Make an application some other event that lacks what its kind requires."""
    value.update(kind=kind, clients=[], counsellor=None)


SIGNAL_FLAWS: dict[str, Callable[[Value], None]] = {
    "SIGNAL_BSN_FAILS_PROOF": lambda value: value["subject"].update(bsn=BAD_BSN),
    "SIGNAL_BSN_TOO_SHORT": lambda value: value["subject"].update(bsn=BAD_BSN[1:]),
    "SIGNAL_POSTCODE": lambda value: value["subject"].update(bsn=None, postcode=BAD_POSTCODE, house_number=1),
    "SIGNAL_MUNICIPALITY": lambda value: value.update(municipality=f"GM{value['municipality']}"),
    "SIGNAL_NO_IDENTITY": lambda value: _nameless(value["subject"]),
    "SIGNAL_ARREARS_ZERO": lambda value: value.update(arrears="0.00"),
    "SIGNAL_ARREARS_NEGATIVE": lambda value: value.update(arrears=f"-{value['arrears']}"),
    "SIGNAL_SENT_IN_FUTURE": lambda value: _sent(value, 3),
    "SIGNAL_SENT_TOO_LONG_AGO": lambda value: _sent(value, -64),
    "SIGNAL_DATE_BEFORE_1900": lambda value: value.update(arrears_since=BEFORE_1900),
    "SIGNAL_UNKNOWN_KIND": lambda value: value["partner"].update(kind="TELECOM"),
    "SIGNAL_FIELD_MISSING": lambda value: value.pop("arrears"),
}
# All of these start from an application, which lists its clients.
EVENT_FLAWS: dict[str, Callable[[Value], None]] = {
    "EVENT_EXIT_WITHOUT_REASON": lambda value: _as_kind(value, "EXITED"),
    "EVENT_APPLIED_WITHOUT_CLIENTS": lambda value: value.update(clients=[]),
    "EVENT_CHANGED_WITHOUT_CLIENTS": lambda value: _as_kind(value, "CLIENT_CHANGED"),
    "EVENT_SERVICE_UNNAMED": lambda value: _as_kind(value, "SERVICE_OPENED"),
    "EVENT_COUNSELLOR_UNNAMED": lambda value: _as_kind(value, "COUNSELLOR_ASSIGNED"),
    "EVENT_THREE_CLIENTS": lambda value: value.update(clients=(value["clients"] * 3)[:3]),
    "EVENT_CLIENT_NO_IDENTITY": lambda value: _nameless(value["clients"][0]),
    "EVENT_BSN_FAILS_PROOF": lambda value: value["clients"][0].update(bsn=BAD_BSN),
    "EVENT_POSTCODE": lambda value: value["clients"][0].update(postcode=BAD_POSTCODE),
    "EVENT_MUNICIPALITY": lambda value: value.update(municipality=f"GM{value['municipality']}"),
    "EVENT_DATE_BEFORE_1900": lambda value: value.update(occurred_on=BEFORE_1900),
    "EVENT_UNKNOWN_KIND": lambda value: value.update(kind="PAUSED"),
    "EVENT_FIELD_MISSING": lambda value: value.pop("trajectory_id"),
    NEVER_APPLIED: lambda value: None,
}
