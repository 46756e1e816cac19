"""`check`: the matching phase for a file: which signals would go to a counsellor, before any is sent."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from signaalwissel.console import accounting, environment, runtime
from signaalwissel.console.checking import Checker, checker
from signaalwissel.console.connections import database
from signaalwissel.console.failures import Exit, ServiceAway, UsageFailure
from signaalwissel.console.lines import Line, dump, reading
from signaalwissel.console.progress import progress_of
from signaalwissel.console.screen import screen
from signaalwissel.processors.dead_letters import what_may_be_shown
from signaalwissel.processors.emissions import SIGNALS
from signaalwissel.processors.followup_updates import UpdateRefused
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.simulation_lines import Refused, about_of, checked, kind_of
from signaalwissel.schemas.routing import Route
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.sinks.ledger import CONSOLE
from signaalwissel.sources.gateway_checks import Asked, ChecksAway

_TOGETHER = 1000


def check(
    file: Annotated[Path, typer.Argument(help="JSON lines with topic signals; - reads standard input.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print each answer as a JSON line.")] = False,
) -> None:
    """Tell for each signal of a file whether it would go to a counsellor or take the regular flow; send nothing.

    Answers by what the sink has stored, with the rules of the matcher. Each check is put on record in the processing
    log, and that you asked in the audit trail; the answers are kept nowhere. Ends with 1 when signals are refused.

    Example: signaalwissel check month.jsonl
    """
    settings = environment.settings()
    policies = runtime.policies(settings)
    refused = 0
    routes: Counter[str] = Counter()
    with database(settings) as engine:
        asks = checker(settings, engine, CONSOLE)
        try:
            for answer in _answers(file, asks, policies, quiet=as_json):
                route = answer.get("route")
                refused += route is None
                routes.update([route] if route is not None else [])
                if as_json:
                    print(dump(answer))
                elif route is None or route == Route.COUNSELLOR_FOLLOWUP.value:
                    _tell(answer)
        finally:
            asks.close()
    if not as_json:
        _summarise(routes, refused)
    raise typer.Exit(Exit.FINDINGS if refused else Exit.DONE)


def _answers(file: Path, asks: Checker, policies: Policies, *, quiet: bool) -> Iterator[dict[str, Any]]:
    # One trace for the file: by it the audit trail has who asked.
    trace_id = os.urandom(16)
    actor = accounting.actor()
    with reading(file) as lines, progress_of(file, quiet=quiet) as advance:
        together: list[tuple[int, EarlySignal]] = []
        for line in lines:
            advance()
            signal = _signal(file, line, policies)
            if isinstance(signal, Refused):
                yield {"line": line.number, **signal.line()["value"]}
                continue
            together.append((line.number, signal))
            if len(together) == _TOGETHER:
                yield from _told(asks, together, actor, trace_id)
                together.clear()
        yield from _told(asks, together, actor, trace_id)


def _signal(file: Path, line: Line, policies: Policies) -> EarlySignal | Refused:
    topic, value = line.content["topic"], line.content.get("value")
    if kind_of(topic) != SIGNALS:
        raise UsageFailure(f"{file}:{line.number}: {topic} is checked by nobody: give lines of {SIGNALS}")
    code = value.get("municipality") if isinstance(value, dict) else None
    if isinstance(code, str) and policies.get(code) is None:
        rule = "the municipality has no policy or no keys here"
        unknown = Rejected(RejectionCode.UNKNOWN_MUNICIPALITY, "municipality", rule)
        return Refused(topic, about_of(topic, value), unknown)
    try:
        record = checked(topic, value, policies)
    except (Rejected, UpdateRefused) as refusal:
        return Refused(topic, about_of(topic, value), refusal)
    assert isinstance(record, EarlySignal)  # noqa: S101 its topic says so
    return record


def _told(
    asks: Checker, together: list[tuple[int, EarlySignal]], actor: str, trace_id: bytes
) -> Iterator[dict[str, Any]]:
    try:
        replies = asks([Asked(signal, actor, trace_id) for _, signal in together])
    except ChecksAway as error:
        raise ServiceAway(str(error)) from error
    for (number, signal), reply in zip(together, replies, strict=True):
        if isinstance(reply, Rejected):
            refused = Refused(SIGNALS, what_may_be_shown(signal.municipality, signal.signal_id), reply)
            yield {"line": number, **refused.line()["value"]}
            continue
        yield {
            "line": number,
            "municipality": signal.municipality,
            "partner_id": signal.partner.partner_id,
            "signal_id": signal.signal_id,
            "route": reply.route,
            "reference": reply.reference,
        }


def _tell(answer: dict[str, Any]) -> None:
    if "route" not in answer:
        what = f"{answer['field'] or 'record'}: {answer['rule']}"
        print(f"line {answer['line']}: {answer['record_id'] or 'signal without id'}: refused: {what}")
        return
    signal = f"{answer['municipality']}/{answer['partner_id']}/{answer['signal_id']}"
    print(f"line {answer['line']}: {signal}: {answer['route']}, reference {answer['reference']}")


def _summarise(routes: Counter[str], refused: int) -> None:
    table = Table(title="Signals")
    table.add_column("Route")
    table.add_column("Signals", justify="right")
    for route in Route:
        table.add_row(route.value, str(routes[route.value]))
    table.add_row("refused", str(refused))
    screen().print(table)
