"""What a request to the gateway is told: one answer for one record, one for a batch, and problems with every finding.

In: what came of each record. Out: status and body; never a value that was sent.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fastapi import Response
from signaalwissel.security.http_problems import Problem
from signaalwissel.sources.gateway_keys import Answer
from signaalwissel.sources.gateway_records import Refusal

LATER = {"retry-after": "5"}
"""When to try again."""


class Told(NamedTuple):
    """What is told of a record that was taken, or asked about, in order."""

    answer: Mapping[str, Any]


def to_one(outcome: Told | Refusal, status: int = 202) -> Answer:
    """The answer for a single record; raises Problem where it was refused.

    Args:
        outcome: What came of it.
        status: HTTP's, where nothing is wrong.
    """
    if isinstance(outcome, Refusal):
        raise _problem(outcome.status, _findings(outcome))
    return _text(status, {"status": status, **outcome.answer})


def to_batch(outcomes: Sequence[Told | Refusal], status: int = 202) -> Answer:
    """One answer for a batch: `status` where all is well, a problem where all were refused alike, otherwise 207."""
    statuses = {outcome.status if isinstance(outcome, Refusal) else status for outcome in outcomes}
    if len(statuses) == 1 and status not in statuses:
        findings = [
            {"index": index, **finding}
            for index, outcome in enumerate(outcomes)
            for finding in _findings(outcome)
        ]
        raise _problem(statuses.pop(), findings)
    results = [
        {"index": index, "status": outcome.status, "errors": _findings(outcome)}
        if isinstance(outcome, Refusal)
        else {"index": index, "status": status, **outcome.answer}
        for index, outcome in enumerate(outcomes)
    ]
    return _text(status if statuses == {status} else 207, {"results": results})


def _findings(outcome: Told | Refusal) -> list[dict[str, Any]]:
    return [finding._asdict() for finding in outcome.findings] if isinstance(outcome, Refusal) else []


def _problem(status: int, findings: Sequence[Mapping[str, Any]]) -> Problem:
    if status == 503:
        return Problem(503, "Kafka neemt nu niets aan. Stuur het later opnieuw.", headers=LATER)
    texts = {
        400: "Het bericht voldoet niet aan de regels.",
        403: "U mag niet namens deze gemeente of partner sturen.",
        404: "De taak is er niet.",
    }
    return Problem(status, texts[status], errors=findings)


def _text(status: int, content: Mapping[str, Any]) -> Answer:
    return Answer(status, json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode())


def response(answer: Answer) -> Response:
    """An answer as HTTP sends it."""
    return Response(answer.body, answer.status, media_type="application/json")
