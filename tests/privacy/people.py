"""The residents of the canary run and what partners and case systems publish about them."""

from collections.abc import Iterator
from typing import Any

from signaalwissel.processors.simulation_lines import Line

from tests.privacy.needles import Canary, resident, subject_of
from tests.system.lines import event, signal

Person = tuple[Canary, ...]

_BSNS = {
    "hit": "045298415",
    "regular": "839042486",
    "address": "034419792",
    "late": "750431039",
    "broken": "892551732",
    "waiting": "786928414",
    "foreign": "837153542",
    "crashing": "704870125",
    "moved": "037151204",
    "gateway": "554725216",
    "imported": "365933673",
    "erased": "224890062",
}
PEOPLE: dict[str, Person] = {
    name: resident(number, bsn, f"9{700 - number}ZX", f"1913-0{2 + number // 9}-2{number % 9}")
    for number, (name, bsn) in enumerate(_BSNS.items(), start=1)
}
EVERYBODY = tuple(canary for person in PEOPLE.values() for canary in person)

PUBLISHER_TOPIC = "signals.woonstichting"


def value_of(person: Person, field: str) -> str:
    """A value of a resident as it is published."""
    (found,) = [one.texts[0] for one in person if one.name.partition(".")[2] == field]
    return found


def told(name: str, signal_id: str, *fields: str, day: str = "2026-10-20", **changes: Any) -> Line:
    """A signal about a resident with the named fields of the subject, or with all."""
    person = PEOPLE[name]
    about = {
        "subject": subject_of(person, *fields),
        "customer_reference": value_of(person, "customer_reference"),
    }
    return signal(signal_id, day, **{**about, **changes})


def applied(name: str, recorded_at: str = "2026-09-01T12:00:00Z", **changes: Any) -> Line:
    """An application of a resident, everything about him in it."""
    fields = {"trajectory_id": f"T-{name}", "event_id": f"e-{name}", "recorded_at": recorded_at, **changes}
    return event("APPLIED", 1, "2026-09-01", clients=[subject_of(PEOPLE[name])], **fields)


def known() -> list[Line]:
    """What the case system publishes before any signal; one resident's APPLIED never comes, so his event waits."""
    waits = event(
        "CLIENT_CHANGED", 2, "2026-09-02", trajectory_id="T-waiting", clients=[subject_of(PEOPLE["waiting"])]
    )
    changed = event(
        "CLIENT_CHANGED", 2, "2026-09-02", trajectory_id="T-hit", clients=[subject_of(PEOPLE["hit"])]
    )
    return [applied("hit"), changed, applied("address"), applied("crashing"), applied("erased"), waits]


def good() -> list[Line]:
    """Signals that are routed: found by BSN, not found, found by address alone, found too late, of a publisher."""
    by_address = ("postcode", "addition", "phone", "email", "initials")
    return [
        told("hit", "S-hit"),
        told("hit", "S-hit"),
        told("hit", "S-crisis", crisis=True),
        told("regular", "S-regular"),
        told("address", "S-address", *by_address),
        told("late", "S-late"),
        told("erased", "S-erased"),
        {**told("foreign", "S-foreign"), "topic": PUBLISHER_TOPIC},
    ]


def refused() -> dict[str, Line]:
    """Lines that fit the schema and are refused, by the code of the dead letter and what is wrong."""
    other = {"partner": {"partner_id": "waterbedrijf", "kind": "WATER"}}
    bad_bsn = {**subject_of(PEOPLE["broken"]), "bsn": value_of(PEOPLE["broken"], "bsn")[:-1] + "9"}
    return {
        "INVALID_FIELD bsn": told("broken", "S-bad-bsn", subject=bad_bsn),
        "INVALID_FIELD postcode": told(
            "broken", "S-postcode", subject={**subject_of(PEOPLE["broken"]), "postcode": "12345"}
        ),
        "INVALID_FIELD arrears": told("broken", "S-nothing", arrears="0.00"),
        "INVALID_FIELD signalled_on": told("broken", "S-future", signalled_on="2026-10-21"),
        "MISSING_FIELD subject": told("broken", "S-nobody", "surname", "phone", "email"),
        "MISSING_FIELD clients": event("CLIENT_CHANGED", 3, "2026-09-03", trajectory_id="T-hit"),
        "INVALID_FIELD clients": event(
            "APPLIED", 1, "2026-09-01", trajectory_id="T-many", clients=[subject_of(PEOPLE["broken"])] * 3
        ),
        "UNKNOWN_MUNICIPALITY": told("broken", "S-elsewhere", municipality="0999"),
        "CONFLICTING_RESEND": told("hit", "S-hit", arrears="999.00"),
        "PUBLISHER_NOT_ALLOWED": {**told("foreign", "S-other", **other), "topic": PUBLISHER_TOPIC},
    }


def broken(encoded: bytes) -> dict[str, bytes]:
    """Bytes that cannot be read and are full of a resident, by the code of their dead letter."""
    person = "|".join(text for canary in PEOPLE["broken"] for text in canary.texts).encode()
    return {
        "NOT_WIRE_FORMAT": b"\x01" + person,
        "UNKNOWN_SCHEMA_ID": b"\x00\x00\x00\xff\xff" + person,
        "UNREADABLE": encoded[:-5],
        "TOO_LARGE": b"\x00" + (person * (1 + 1_000_000 // len(person)))[:1_000_000],
    }


def crowd(count: int) -> Iterator[Line]:
    """Many signals, while processes are killed."""
    for number in range(count):
        name = ("hit", "regular", "late")[number % 3]
        yield told(name, f"S-crowd-{number}")
