"""One output record against what the oracle knows of its signal and revision: what is wrong with it, in words."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.oracle.calendar import moment_text
from tests.oracle.model import COUNSELLOR, Outcome, Revision, Signal, SignalId
from tests.oracle.reading import schema

Output = dict[str, Any]
ONLY_ON_FOLLOW_UP = (
    "trajectory_id",
    "trajectory_state",
    "client",
    "counsellor",
    "team",
    "window_ends_on",
    "debt_timing",
)
SCHEMA_OF = {
    "decisions": "Decision",
    "counsellor-corrections": "RouteCorrection",
    "regular-corrections": "RouteCorrection",
}


def lacking(topic: str, record: Output) -> list[str]:
    """The fields without which the record does not fit its schema."""
    fields = schema(SCHEMA_OF.get(topic, "RoutedSignal"))["fields"]
    return [field["name"] for field in fields if "default" not in field and field["name"] not in record]


def sid_of(record: Output) -> SignalId:
    """The accepted delivery that an output record is about."""
    received_at = moment_text(datetime.fromisoformat(record["received_at"]))
    return SignalId(record["municipality"], record["partner"]["partner_id"], record["signal_id"], received_at)


def decision_problems(
    signal: Signal, revision: Revision, decision: Output, previous: Output | None
) -> Iterator[str]:
    """A record of `decisions`; route, trajectory and address-only are known to be right."""
    outcome = revision.outcome
    yield from passed_on_problems(signal, decision)
    yield from _differ(decision, {"reason": outcome.reason})
    if decision.get("client") not in outcome.other_clients:
        yield from _differ(decision, {"client": outcome.client})
    yield from _differ(decision, {"last_day": signal.last_day.isoformat(), "evidence": outcome.evidence})
    candidates = tuple((one["trajectory_id"], one["client"]) for one in decision["candidates"])
    if candidates != outcome.candidates:
        yield f"candidates are {candidates}, must be {outcome.candidates}"
    if outcome.matched_by is not None:
        yield from _differ(decision, {"matched_by": outcome.matched_by})
    if outcome.route == COUNSELLOR:
        yield from follow_up_problems(outcome, decision)
    else:
        hidden = [name for name in ONLY_ON_FOLLOW_UP if name not in ("trajectory_id", "client")]
        yield from _differ(decision, dict.fromkeys(hidden))
    yield from _history_problems(revision, decision, previous)


def _history_problems(revision: Revision, decision: Output, previous: Output | None) -> Iterator[str]:
    if previous is None or revision.caused_by is None:
        yield from _differ(
            decision, dict.fromkeys(("action", "cause", "caused_by_event_id", "previous_routing_id"))
        )
        return
    yield from _differ(decision, {"caused_by_event_id": revision.caused_by["event_id"]})
    yield from _differ(decision, {"previous_routing_id": previous["routing_id"]})
    causes = ("LIFECYCLE", "ERASED") if revision.caused_by["kind"] == "ERASED" else ("LIFECYCLE",)
    if decision.get("cause") not in causes:
        yield f"cause is {decision.get('cause')!r}, must be one of {causes}"
    moves = decision["route"] == COUNSELLOR or previous["route"] == COUNSELLOR
    if moves and decision.get("action") not in ("MOVED", "WITHDRAWN"):
        yield f"action is {decision.get('action')!r} though the route or trajectory differs"
    if not moves:
        yield from _differ(decision, {"action": None})


def follow_up_problems(outcome: Outcome, record: Output) -> Iterator[str]:
    """What the counsellor is told."""
    window = outcome.window_ends_on
    counsellor = outcome.counsellor
    yield from _differ(
        record,
        {
            "route": outcome.route,
            "reason": outcome.reason,
            "trajectory_id": outcome.trajectory_id,
            "trajectory_state": outcome.trajectory_state,
            "client": outcome.client,
            "window_ends_on": window.isoformat() if window is not None else None,
            "debt_timing": outcome.debt_timing,
            "counsellor": {"counsellor_id": counsellor[0], "team": counsellor[1]} if counsellor else None,
        },
    )
    if not record.get("team"):
        yield "no team answers for it"


def regular_problems(record: Output) -> Iterator[str]:
    """What the regular side is told: nothing of any trajectory."""
    yield from _differ(record, {"route": "REGULAR_FLOW", "reason": "NO_HIT"})
    yield from _differ(record, dict.fromkeys(ONLY_ON_FOLLOW_UP))


def passed_on_problems(signal: Signal, record: Output) -> Iterator[str]:
    """What a routed record repeats of its signal."""
    told = signal.record
    yield from _differ(
        record,
        {
            "partner": told["partner"],
            "reference_date": signal.reference_date.isoformat(),
            "crisis": told["crisis"],
            "warm_transfer": told["warm_transfer"],
            "arrears_since": told["arrears_since"].isoformat() if told["arrears_since"] else None,
            "signalled_on": told["signalled_on"].isoformat() if told["signalled_on"] else None,
        },
    )
    if Decimal(record["arrears"]) != told["arrears"]:
        yield f"arrears are {record['arrears']}, must be {told['arrears']}"


def _differ(record: Output, wanted: dict[str, Any]) -> Iterator[str]:
    for name, value in wanted.items():
        if record.get(name) != value:
            yield f"{name} is {record.get(name)!r}, must be {value!r}"
