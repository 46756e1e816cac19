"""Which records are refused as bad input, and for which fields (domain 8.16)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.oracle.calendar import amsterdam_day
from tests.oracle.model import Record
from tests.oracle.wording import bsn_is_valid, postcode_is_valid

Defect = tuple[str, str | None]
OLDEST_SIGNAL_DAYS = 62
LISTING_KINDS = ("APPLIED", "CLIENT_CHANGED")
OBJECTION_KINDS = ("OBJECTION_LODGED", "OBJECTION_WITHDRAWN")
_FIRST, _BEYOND = date(1900, 1, 1), date(3000, 1, 1)
_FIRST_MOMENT, _BEYOND_MOMENT = datetime(1900, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
_NEEDS = {
    "EXITED": "exit_reason",
    "SERVICE_OPENED": "service",
    "SERVICE_CLOSED": "service",
    "COUNSELLOR_ASSIGNED": "counsellor",
}


def moment_is_sane(moment: datetime) -> bool:
    return _FIRST_MOMENT <= moment < _BEYOND_MOMENT


def signal_defects(record: Record) -> list[Defect]:
    """Everything that is wrong with a signal that fits the schema."""
    defects = [("INVALID_FIELD", path) for path in _common(record, "signal_id", "received_at")]
    defects += [("INVALID_FIELD", "partner.partner_id")] * (not _is_id(record["partner"]["partner_id"]))
    defects += list(_subject("subject", record["subject"]))
    if record["arrears"] <= 0:
        defects.append(("INVALID_FIELD", "arrears"))
    if record["arrears_since"] is not None and not _is_sane_date(record["arrears_since"]):
        defects.append(("INVALID_FIELD", "arrears_since"))
    signalled, received = record["signalled_on"], record["received_at"]
    if signalled is not None and not (_is_sane_date(signalled) and _is_recent(signalled, received)):
        defects.append(("INVALID_FIELD", "signalled_on"))
    return defects


def event_defects(record: Record) -> list[Defect]:
    """Everything that is wrong with an event that fits the schema, whatever else is known of its trajectory."""
    defects: list[Defect] = [
        ("INVALID_FIELD", path) for path in _common(record, "event_id", "recorded_at", "trajectory_id")
    ]
    if not _is_sane_date(record["occurred_on"]):
        defects.append(("INVALID_FIELD", "occurred_on"))
    for number, client in enumerate(record["clients"]):
        defects += list(_subject(f"clients[{number}]", client))
    if len(record["clients"]) > 2:
        defects.append(("INVALID_FIELD", "clients"))
    if record["kind"] in LISTING_KINDS and not record["clients"]:
        defects.append(("MISSING_FIELD", "clients"))
    needed = _NEEDS.get(record["kind"])
    if needed is not None and record[needed] is None:
        defects.append(("MISSING_FIELD", needed))
    return defects


def must_name_its_client(record: Record) -> bool:
    """Whether the event is refused in a trajectory of two clients: it concerns one of them and does not say which."""
    deceased = record["kind"] == "EXITED" and record["exit_reason"] == "DECEASED"
    return not record["clients"] and (deceased or record["kind"] in OBJECTION_KINDS)


def _common(record: Record, own_id: str, own_moment: str, *more_ids: str) -> Iterator[str]:
    for name in (own_id, *more_ids):
        if not _is_id(record[name]):
            yield name
    code = record["municipality"]
    if not (len(code) == 4 and code.isascii() and code.isdigit()):
        yield "municipality"
    if not moment_is_sane(record[own_moment]):
        yield own_moment


def _subject(path: str, subject: dict[str, Any]) -> Iterator[Defect]:
    if subject["bsn"] is None and (subject["postcode"] is None or subject["house_number"] is None):
        yield "MISSING_FIELD", path
    if subject["bsn"] is not None and not bsn_is_valid(subject["bsn"]):
        yield "INVALID_FIELD", f"{path}.bsn"
    if subject["postcode"] is not None and not postcode_is_valid(subject["postcode"]):
        yield "INVALID_FIELD", f"{path}.postcode"
    if subject["house_number"] is not None and not 1 <= subject["house_number"] <= 99999:
        yield "INVALID_FIELD", f"{path}.house_number"
    if subject["birth_date"] is not None and not _is_sane_date(subject["birth_date"]):
        yield "INVALID_FIELD", f"{path}.birth_date"


def _is_id(text: str) -> bool:
    return 0 < len(text) <= 200


def _is_sane_date(day: date) -> bool:
    return _FIRST <= day < _BEYOND


def _is_recent(signalled: date, received: datetime) -> bool:
    if not moment_is_sane(received):
        return True  # nothing to compare with; the moment itself is the defect
    received_on = amsterdam_day(received)
    return received_on - timedelta(days=OLDEST_SIGNAL_DAYS) <= signalled <= received_on
