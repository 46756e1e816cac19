"""A stand-in for the product in the oracle's own tests: output lines that are all right, and random input lines."""

import random
from datetime import date, timedelta
from typing import Any

from tests.oracle import intake
from tests.oracle.answers import history_of
from tests.oracle.check import expected_corrections
from tests.oracle.intake import Line
from tests.oracle.model import COUNSELLOR, Outcome, Revision, Signal
from tests.oracle.scenario import applied, event, exited, signal
from tests.oracle.wording import bsn_is_valid

REGULAR_TEXT = "Geen lopend of recent traject gevonden."
_SERVICES = ("BUDGET_COACHING", "BUDGET_MANAGEMENT")
_KINDS = (
    *(
        "AFTERCARE_STARTED",
        "AFTERCARE_ENDED",
        "MONITORING_STARTED",
        "MONITORING_ENDED",
        "ADMITTED",
        "REFUSED",
    ),
    *("REOPENED", "CLIENT_CHANGED", "COUNSELLOR_ASSIGNED", "OBJECTION_LODGED", "OBJECTION_WITHDRAWN"),
    *("SERVICE_OPENED", "SERVICE_CLOSED", "EXITED", "EXITED", "WITHDRAWN_IN_ERROR", "ERASED", "APPLIED"),
)
_EXITS = ("COMPLETED", "COMPLETED", "NO_SHOW", "DECEASED")


def faultless(lines: list[Line]) -> list[Line]:
    """What a product without faults prints for these lines."""
    ledger = intake.run(lines)
    told = history_of(ledger)
    signals = {step.signal.id: step.signal for step in ledger.steps if step.signal is not None}
    outputs: list[Line] = []
    for name, revisions in told.items():
        for number in range(len(revisions)):
            outputs += _revision(signals[name], revisions, number)
    for refusal in ledger.refusals:
        code, field = refusal.defects[0]
        letter = {
            "topic": refusal.topic,
            "record_id": refusal.record_id,
            "code": code,
            "field": field,
            "rule": "?",
        }
        outputs.append({"topic": "dead-letters", "value": letter})
    return outputs


def _routing_id(of: Signal, number: int) -> str:
    return "/".join((*of.id, str(number)))


def _revision(of: Signal, revisions: list[Revision], number: int) -> list[Line]:
    outcome, cause = revisions[number].outcome, revisions[number].caused_by
    previous = revisions[number - 1].outcome if number else None
    record = _routed(of, outcome, number)
    changes = expected_corrections(previous.routing, outcome.routing) if previous else []
    decision = {
        **record,
        "reason": outcome.reason,
        "client": outcome.client,
        "last_day": of.last_day.isoformat(),
        "match_key": "",
        "candidates": [{"trajectory_id": t, "client": c} for t, c in outcome.candidates],
        "evidence": outcome.evidence,
        "matched_by": outcome.matched_by,
        "action": "MOVED" if changes else None,
        "cause": "LIFECYCLE" if cause else None,
        "caused_by_event_id": cause["event_id"] if cause else None,
        "previous_routing_id": _routing_id(of, number - 1) if number else None,
    }
    lines: list[Line] = [{"topic": "decisions", "value": decision}]
    if previous is None:
        topic = "counsellor-followup" if outcome.route == COUNSELLOR else "regular-flow"
        lines.append({"topic": topic, "value": record})
    for topic, action in changes:
        correction = {
            "correction_id": f"{record['routing_id']}/{action}",
            **{name: record[name] for name in ("municipality", "partner", "signal_id", "revision")},
            "from_routing_id": _routing_id(of, number - 1),
            "action": action,
            "cause": "LIFECYCLE" if topic == "counsellor-corrections" else None,
            "to": record if action == "MOVED" else None,
        }
        lines.append({"topic": topic, "value": correction})
    return lines


def _routed(of: Signal, outcome: Outcome, number: int) -> dict[str, Any]:
    told, hit = of.record, outcome.route == COUNSELLOR
    counsellor = outcome.counsellor
    window = outcome.window_ends_on
    return {
        "routing_id": _routing_id(of, number),
        "signal_id": of.id.signal_id,
        "municipality": of.id.municipality,
        "revision": number,
        "route": outcome.route,
        "reason": outcome.reason if hit else "NO_HIT",
        "explanation": f"Traject: {outcome.reason}." if hit else REGULAR_TEXT,
        "policy_version": "default",
        "decided_at": of.id.received_at,
        "sealed_subject": "",
        "reference_date": of.reference_date.isoformat(),
        "partner": told["partner"],
        "arrears": str(told["arrears"]),
        "arrears_since": told["arrears_since"].isoformat() if told["arrears_since"] else None,
        "signalled_on": told["signalled_on"].isoformat() if told["signalled_on"] else None,
        "received_at": of.id.received_at,
        "crisis": told["crisis"],
        "warm_transfer": told["warm_transfer"],
        "trajectory_id": outcome.trajectory_id,
        "trajectory_state": outcome.trajectory_state,
        "client": outcome.client if hit else None,
        "counsellor": {"counsellor_id": counsellor[0], "team": counsellor[1]} if counsellor else None,
        "team": "team" if hit else None,
        "window_ends_on": window.isoformat() if window else None,
        "debt_timing": outcome.debt_timing,
    }


def random_lines(count: int, seed: int, residents: int) -> list[Line]:
    """Lines of every kind over some two years, in an order that is nearly that of their moments."""
    dice = random.Random(seed)
    bsns = [str(n) for n in range(200000000, 200000000 + 12 * residents) if bsn_is_valid(str(n))]
    people = [_resident(dice, bsn, residents) for bsn in bsns[:residents]]
    couples = [dice.sample(people, dice.choice((1, 1, 2))) for _ in range(residents)]
    lines: list[tuple[float, Line]] = []
    for which, clients in enumerate(couples):
        names = {"trajectory_id": f"T{which}", "event_id": f"a{which}", "sequence": 0}
        offset = dice.random() * 300
        day = (date(2023, 7, 1) + timedelta(days=int(offset))).isoformat()
        lines.append((offset - 183 + dice.choice((0, 0, 20)), applied(day, *clients, **names)))
    for number in range(count - len(lines)):
        offset = dice.random() * 700
        day = (date(2024, 1, 1) + timedelta(days=int(offset))).isoformat()
        if number % 3:
            line = _random_signal(dice, day, number, dice.choice(people))
        else:
            line = _random_event(dice, day, number, couples)
        lines.append((offset + dice.choice((0, 0, 0, 20, 60)), line))
    return [line for _, line in sorted(lines, key=lambda pair: pair[0])]


def _resident(dice: random.Random, bsn: str, residents: int) -> dict[str, Any]:
    place = {
        "postcode": f"10{dice.randrange(10, 99)}AB",
        "house_number": dice.randrange(1, 2 + residents // 100),
    }
    born = (
        {"birth_date": f"19{dice.randrange(50, 99)}-0{dice.randrange(1, 9)}-11"}
        if dice.random() < 0.8
        else {}
    )
    return {"bsn": bsn, **place, **born, "surname": dice.choice(("Jansen", "de Vries", "Bakker"))}


def _random_signal(dice: random.Random, day: str, number: int, who: dict[str, Any]) -> Line:
    by_bsn = dice.random() < 0.5
    fields = (
        ("bsn",)
        if by_bsn
        else ("postcode", "house_number", *dice.choice(((), ("birth_date",), ("surname",))))
    )
    subject = {name: who[name] for name in fields if name in who}
    sent = (date.fromisoformat(day) - timedelta(days=dice.choice((0, 3, 20)))).isoformat()
    return signal(day, subject, signal_id=f"S{number}", signalled_on=sent, arrears_since=sent)


def _random_event(dice: random.Random, day: str, number: int, couples: list[list[dict[str, Any]]]) -> Line:
    which = dice.randrange(len(couples))
    clients = couples[which]
    common = {"trajectory_id": f"T{which}", "event_id": f"e{number}", "sequence": number}
    kind = dice.choice(_KINDS)
    if kind in ("ERASED", "WITHDRAWN_IN_ERROR", "APPLIED") and dice.random() < 0.7:
        kind = "EXITED"
    if kind == "APPLIED":
        return applied(day, *clients, **common)
    if kind == "EXITED":
        return exited(day, reason=dice.choice(_EXITS), clients=[dice.choice(clients)], **common)
    more: dict[str, Any] = {}
    if kind == "CLIENT_CHANGED":
        moved = {**clients[0], "house_number": dice.randrange(1, 4)}
        more["clients"] = [moved, *clients[1:]][: dice.choice((1, 2))]
    elif kind.startswith("SERVICE"):
        more["service"] = dice.choice(_SERVICES)
    elif kind.startswith("OBJECTION"):
        more["clients"] = [dice.choice(clients)]
    elif kind == "COUNSELLOR_ASSIGNED":
        more["counsellor"] = {"counsellor_id": f"c{dice.randrange(9)}", "team": "noord"}
    return event(kind, day, **common, **more)
