"""What is refused as bad input (domain 8.16): one function per kind of record, each rule with its field.

In: a decoded record. Out: nothing, or Rejected with the first rule that it breaks.
"""

import re
from datetime import date, timedelta
from typing import Final

from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.schemas.internal import IntakeCommand
from signaalwissel.schemas.signal import EarlySignal, Subject
from signaalwissel.schemas.trajectory import ExitReason, TrajectoryEvent, TrajectoryEventKind
from signaalwissel.schemas.units import Millis

_EARLIEST: Final = date(1900, 1, 1)
_LATEST: Final = date(2999, 12, 31)
# The same bounds as instants.
_EARLIEST_MS: Final = -2_208_988_800_000
_LATEST_MS: Final = 32_503_679_999_999
_DAY_MS: Final = timedelta(days=1) // timedelta(milliseconds=1)
_MUNICIPALITY: Final = re.compile(r"[0-9]{4}")
_BSN: Final = re.compile(r"[0-9]{9}")
_NO_BSN: Final = "0" * 9
_BSN_WEIGHTS: Final = (9, 8, 7, 6, 5, 4, 3, 2, -1)
_POSTCODE: Final = re.compile(r"[1-9][0-9]{3}[A-Z]{2}")
_SEPARATORS: Final = re.compile(r"[\W_]+")
_ID_LENGTH_MAX: Final = 200
_HOUSE_NUMBER_MAX: Final = 99_999
_CLIENTS_MAX: Final = 2
_SEQUENCE_LIMIT: Final = 2**62

_Kind = TrajectoryEventKind
_NEEDS_CLIENTS: Final = frozenset({_Kind.APPLIED, _Kind.CLIENT_CHANGED})
_CONCERNS_ONE_CLIENT: Final = frozenset({_Kind.OBJECTION_LODGED, _Kind.OBJECTION_WITHDRAWN})


def check_signal(signal: EarlySignal, policy: Policy) -> date:
    """Refuse a signal that breaks a rule of domain 8.16.

    Returns:
        The day of receipt, which every later step needs.

    Raises:
        Rejected: The first rule that the signal breaks.
    """
    check_id(signal.signal_id, "signal_id")
    check_municipality(signal.municipality)
    check_id(signal.partner.partner_id, "partner.partner_id")
    check_moment(signal.received_at, "received_at")
    received_on = amsterdam_day(signal.received_at)
    check_subject(signal.subject, "subject")
    if signal.arrears <= 0:
        raise _invalid("arrears", "must be more than zero euro")
    if signal.arrears_since is not None:
        check_day(signal.arrears_since, "arrears_since")
    if signal.signalled_on is not None:
        _check_signalled_on(signal.signalled_on, received_on, policy)
    return received_on


def check_event(event: TrajectoryEvent) -> None:
    """Refuse a lifecycle event that breaks a rule of domain 8.16; raises Rejected."""
    check_id(event.event_id, "event_id")
    check_id(event.trajectory_id, "trajectory_id")
    check_municipality(event.municipality)
    check_day(event.occurred_on, "occurred_on")
    check_moment(event.recorded_at, "recorded_at")
    if not 0 <= event.sequence < _SEQUENCE_LIMIT:
        raise _invalid("sequence", "must lie between 0 and 2^62")
    if event.counsellor is not None:
        check_id(event.counsellor.counsellor_id, "counsellor.counsellor_id")
        check_id(event.counsellor.team, "counsellor.team")
    if len(event.clients) > _CLIENTS_MAX:
        raise _invalid("clients", "a trajectory has one or two clients")
    for index, client in enumerate(event.clients):
        check_subject(client, f"clients[{index}]")
    _check_what_its_kind_requires(event)


def check_command(command: IntakeCommand) -> None:
    """Refuse a command whose ids or dates have the wrong form; raises Rejected."""
    check_id(command.command_id, "command_id")
    check_id(command.trajectory_id, "trajectory_id")
    check_municipality(command.municipality)
    check_day(command.occurred_on, "occurred_on")
    check_moment(command.issued_at, "issued_at")
    if command.client is not None and not 0 <= command.client < _CLIENTS_MAX:
        raise _invalid("client", "must be the position of a client, 0 or 1")


def check_published(moment: Millis, published: Millis, field: str) -> None:
    """Refuse a moment that lies more than a day after Kafka took the record; raises Rejected.

    A clock that runs that far ahead would let facts count, and signals repeat, at days that are not there yet.
    """
    if moment - published > _DAY_MS:
        raise _invalid(field, "must not lie more than a day after the record was published")


def concerns_one_client(kind: TrajectoryEventKind, exit_reason: ExitReason | None) -> bool:
    """Whether an event must name its client where the trajectory has two (design 2)."""
    return kind in _CONCERNS_ONE_CLIENT or (kind is _Kind.EXITED and exit_reason is ExitReason.DECEASED)


def must_name_its_client() -> Rejected:
    """The refusal of an event that does not name its client where the trajectory has two."""
    return _missing("clients", "must name the client concerned: the trajectory has two")


def check_municipality(municipality: str) -> None:
    """Refuse a municipality code of the wrong form; raises Rejected."""
    if not is_municipality(municipality):
        raise _invalid("municipality", "must be four digits")


def is_municipality(text: str | None) -> bool:
    """Whether a text has the form of a municipality code."""
    return text is not None and _MUNICIPALITY.fullmatch(text) is not None


def is_plausible(moment: Millis) -> bool:
    """Whether an instant lies between 1900 and 2999: beyond, dates of the calendar run out."""
    return _EARLIEST_MS <= moment <= _LATEST_MS


def passes_eleven_test(bsn: str) -> bool:
    """Whether a BSN has nine digits, not all zero, and passes the 11-proof."""
    if not _BSN.fullmatch(bsn):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_BSN_WEIGHTS, bsn, strict=True))
    return total % 11 == 0 and bsn != _NO_BSN


def plain(text: str) -> str:
    """Text without spaces and punctuation, upper case: how postcodes and additions compare (domain 8.8)."""
    return _SEPARATORS.sub("", text).upper()


def _check_what_its_kind_requires(event: TrajectoryEvent) -> None:
    kind = event.kind
    if kind in _NEEDS_CLIENTS and not event.clients:
        raise _missing("clients", f"{kind} must list the clients")
    if kind is _Kind.EXITED and event.exit_reason is None:
        raise _missing("exit_reason", "EXITED must say why")
    if kind in {_Kind.SERVICE_OPENED, _Kind.SERVICE_CLOSED} and event.service is None:
        raise _missing("service", f"{kind} must name the service")
    if kind is _Kind.COUNSELLOR_ASSIGNED and event.counsellor is None:
        raise _missing("counsellor", "COUNSELLOR_ASSIGNED must name the counsellor")


def check_subject(subject: Subject, where: str) -> None:
    """Refuse a person whom nobody could find, or whose fields have the wrong form; raises Rejected."""
    if subject.bsn is None and (subject.postcode is None or subject.house_number is None):
        raise _missing(where, "must have a BSN, or a postcode and house number")
    if subject.bsn is not None and not passes_eleven_test(subject.bsn):
        raise _invalid(f"{where}.bsn", "must have nine digits and pass the 11-proof")
    if subject.postcode is not None and not _POSTCODE.fullmatch(plain(subject.postcode)):
        raise _invalid(f"{where}.postcode", "must be four digits and two letters")
    if subject.house_number is not None and not 1 <= subject.house_number <= _HOUSE_NUMBER_MAX:
        raise _invalid(f"{where}.house_number", f"must lie between 1 and {_HOUSE_NUMBER_MAX}")
    if subject.birth_date is not None:
        check_day(subject.birth_date, f"{where}.birth_date")


def _check_signalled_on(signalled_on: date, received_on: date, policy: Policy) -> None:
    check_day(signalled_on, "signalled_on")
    if signalled_on > received_on:
        raise _invalid("signalled_on", "must not lie after the day of receipt")
    oldest = policy.intake.signal_age_days_max
    if (received_on - signalled_on).days > oldest:
        raise _invalid("signalled_on", f"must not lie more than {oldest} days before the day of receipt")


def check_id(value: str, field: str) -> None:
    """Refuse an id that outputs, tables and screens cannot hold; raises Rejected."""
    if not 0 < len(value) <= _ID_LENGTH_MAX or not value.isprintable():
        raise _invalid(field, f"must have 1 to {_ID_LENGTH_MAX} printable characters")


def check_day(day: date, field: str) -> None:
    """Refuse a day with which the calendar cannot reckon on; raises Rejected."""
    if not _EARLIEST <= day <= _LATEST:
        raise _invalid(field, "must lie between 1900 and 2999")


def check_moment(moment: Millis, field: str) -> None:
    """Refuse an instant with which the calendar cannot reckon on; raises Rejected."""
    if not is_plausible(moment):
        raise _invalid(field, "must lie between 1900 and 2999")


def _invalid(field: str, rule: str) -> Rejected:
    return Rejected(RejectionCode.INVALID_FIELD, field, rule)


def _missing(field: str, rule: str) -> Rejected:
    return Rejected(RejectionCode.MISSING_FIELD, field, rule)
