"""Hand-made input lines for the oracle's own tests: short words in, JSON lines out."""

from datetime import date, timedelta
from typing import Any

from tests.oracle import Outcome, final_outcomes
from tests.oracle.intake import Line
from tests.oracle.wording import bsn_is_valid

ANNA, BRAM, CARLA = [str(n) for n in range(100000000, 100000200) if bsn_is_valid(str(n))][:3]
HOME = {"postcode": "1011AB", "house_number": 7}
AWAY = {"postcode": "1012CD", "house_number": 9}
BORN, BORN_TOO = "1980-05-17", "1990-11-02"
ANNA_AT_HOME = {"bsn": ANNA, **HOME, "birth_date": BORN, "surname": "Jansen"}
BRAM_AT_HOME = {"bsn": BRAM, **HOME, "birth_date": BORN_TOO, "surname": "de Vries"}
HIT, MISS = "COUNSELLOR_FOLLOWUP", "REGULAR_FLOW"


def person(number: int) -> dict[str, Any]:
    """A resident at home without BSN, each with a birth date of his own."""
    return {**HOME, "birth_date": (date(1950, 1, 1) + timedelta(days=number)).isoformat()}


def event(kind: str, on: str, sequence: int, **more: Any) -> Line:
    """An event recorded on the day it happened, of trajectory T1 in 0344, unless told otherwise."""
    value = {
        "event_id": f"e{sequence}",
        "trajectory_id": "T1",
        "municipality": "0344",
        "sequence": sequence,
        "occurred_on": on,
        "recorded_at": f"{on}T12:00:00Z",
        "kind": kind,
        **more,
    }
    return {"topic": "trajectories", "value": value}


def applied(on: str = "2025-01-10", *clients: dict[str, Any], **more: Any) -> Line:
    """An application; Anna at home unless others are named."""
    return event("APPLIED", on, more.pop("sequence", 1), clients=list(clients) or [ANNA_AT_HOME], **more)


def exited(on: str, sequence: int = 50, reason: str = "COMPLETED", **more: Any) -> Line:
    return event("EXITED", on, sequence, exit_reason=reason, **more)


def signal(received: str = "2025-06-02", subject: dict[str, Any] | None = None, **more: Any) -> Line:
    """A signal received at noon on that day (or at that moment), about Anna by BSN, sent the same day."""
    value = {
        "signal_id": "S1",
        "municipality": "0344",
        "partner": {"partner_id": "P1", "kind": "RENT"},
        "subject": {"bsn": ANNA} if subject is None else subject,
        "arrears": "250.00",
        "received_at": received if "T" in received else f"{received}T12:00:00Z",
        **more,
    }
    return {"topic": "signals", "value": value}


def outcome(*lines: Line) -> Outcome:
    """The final answer to the only signal among the lines."""
    (only,) = final_outcomes(list(lines)).values()
    return only


def reason(*lines: Line) -> str:
    return outcome(*lines).reason
