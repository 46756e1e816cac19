"""The row about truth that comes late: every pair of events in every order around a signal (13)."""

import itertools
from collections.abc import Mapping
from typing import Any

from tests.faults.load import PATIENCE, Load, load_of, nobodys_numbers, ref_of
from tests.faults.run import GateFailed, Row, Run, Settings
from tests.oracle import intake
from tests.oracle.answers import history_of
from tests.oracle.check import expected_corrections
from tests.oracle.intake import Line

_MOMENTS = ("2026-02-01T09:00:00Z", "2026-02-03T09:00:00Z", "2026-02-05T09:00:00Z")
_LATER_EVENTS: tuple[dict[str, Any], ...] = (
    {"kind": "EXITED", "exit_reason": "COMPLETED"},
    {"kind": "EXITED", "exit_reason": "NO_SHOW"},
    {"kind": "EXITED", "exit_reason": "DECEASED"},
    {"kind": "EXITED", "exit_reason": "WITHDRAWN"},
    {"kind": "REFUSED"},
    {"kind": "ADMITTED"},
    {"kind": "OBJECTION_LODGED"},
    {"kind": "WITHDRAWN_IN_ERROR"},
    {"kind": "COUNSELLOR_ASSIGNED", "counsellor": {"counsellor_id": "c-9", "team": "team-west"}},
    {"kind": "ERASED"},
)


_ORDERS = ((3, 0, 1, 2), (0, 3, 1, 2), (0, 1, 3, 2), (2, 3, 0, 1), (1, 2, 0, 3))
"""Of application, first and second event, and signal: in which order they come."""


def late_cases(municipality: str) -> list[list[Line]]:
    """Every pair of two later events and every order in which application, both events and a signal may come."""
    cases: list[list[Line]] = []
    numbers = nobodys_numbers()
    for first, second in itertools.permutations(_LATER_EVENTS, 2):
        for order in _ORDERS:
            lines = _late_lines(municipality, len(cases), next(numbers), first, second)
            cases.append([lines[at] for at in order])
    return cases


def _late_lines(
    municipality: str, number: int, bsn: str, first: Mapping[str, Any], second: Mapping[str, Any]
) -> list[Line]:
    def event(sequence: int, **fields: Any) -> Line:
        moment = _MOMENTS[sequence]
        return {
            "topic": "trajectories",
            "value": {
                "event_id": f"late-{number}-{sequence}",
                "trajectory_id": f"L-{number}",
                "municipality": municipality,
                "sequence": sequence + 1,
                "occurred_on": moment[:10],
                "recorded_at": moment,
                **fields,
            },
        }

    signal = {
        "signal_id": f"late-{number}",
        "municipality": municipality,
        "partner": {"partner_id": "woonstichting", "kind": "RENT"},
        "subject": {"bsn": bsn},
        "arrears": "250.00",
        "received_at": "2026-02-10T10:00:00Z",
    }
    return [
        event(0, kind="APPLIED", clients=[{"bsn": bsn}]),
        event(1, **first),
        event(2, **second),
        {"topic": "signals", "value": signal},
    ]


def late_load(_settings: Settings, _seed: int, municipality: str) -> Load:
    """The cases, wave by wave: a line of every case, then the next of every case."""
    cases = late_cases(municipality)
    return load_of([line for wave in zip(*cases, strict=True) for line in wave])


def late_truth(run: Run, load: Load) -> Mapping[str, Any]:
    """Closure before opening, after the route, withdrawn, objected, erased: exactly the corrections that the oracle names."""
    waves = 4
    size = len(load.lines) // waves
    for number in range(waves):
        run.product.publish(load.lines[number * size : (number + 1) * size])
        run.product.settle(60.0)
    run.books.read_on()
    wrong, corrections = [], 0
    for name, told in history_of(intake.run(load.lines, PATIENCE)).items():
        delivery = run.books.deliveries.get(ref_of(name))
        if delivery is None or len(delivery.revisions) != len(told):
            wrong.append(
                f"{name.signal_id}: {delivery and len(delivery.revisions)} revisions for {len(told)}"
            )
        for before, after in itertools.pairwise(told):
            corrections += len(expected_corrections(before.outcome.routing, after.outcome.routing))
    given = sum(
        1
        for (kind, name) in run.books.ids
        if kind == "correction" and bytes.fromhex(name.split("-")[0]) in load.expected
    )
    if wrong or given != corrections:
        raise GateFailed(
            f"{given} corrections for {corrections}; {len(wrong)} signals differ, such as {wrong[:3]}"
        )
    return {"cases": len(load.expected), "corrections": given}


ROWS = [Row(13, "late truth: every pair of events in every order", late_truth, load=late_load)]
