"""`check`: the matching phase for a file: which signals would go to a counsellor, before any is sent."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.table import Table
from signaalwissel.console import accounting, environment, key_service, runtime
from signaalwissel.console.check_inputs import Item, Rules, items_of_lines, items_of_rows, signals_profile
from signaalwissel.console.checking import Checker, checker
from signaalwissel.console.connections import database
from signaalwissel.console.failures import Exit, ServiceAway, UsageFailure
from signaalwissel.console.importing import moment_of
from signaalwissel.console.lines import dump
from signaalwissel.console.screen import screen
from signaalwissel.console.settings import Settings
from signaalwissel.processors.dead_letters import what_may_be_shown
from signaalwissel.processors.emissions import SIGNALS
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.processors.simulation_lines import Refused
from signaalwissel.schemas.routing import Route
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.sinks.ledger import CONSOLE
from signaalwissel.sources.gateway_checks import Asked, ChecksAway
from signaalwissel.streams.clock import now_ms

_TOGETHER = 1000


class Asking(NamedTuple):
    """Who asks, and the trace of it."""

    actor: str
    trace_id: bytes


_Given = Annotated[
    str,
    typer.Argument(
        metavar="SYSTEM|FILE", help="A profile, such as vps; or JSON lines, - for standard input."
    ),
]
_File = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="After a profile: the system's export.")]
_Municipality = Annotated[str | None, typer.Option(help="Four digits, where the export names none.")]
_ReceivedAt = Annotated[
    str | None, typer.Option(help="When the rows came in, where they do not say; now otherwise.")
]


def check(
    given: _Given,
    file: _File = None,
    *,
    municipality: _Municipality = None,
    received_at: _ReceivedAt = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each answer as a JSON line.")] = False,
) -> None:
    """Tell for each signal of a file whether it would go to a counsellor or take the regular flow; send nothing.

    Reads JSON lines, or after the name of a profile an export as `import` reads it. Answers by what the sink has
    stored, with the rules of the matcher. Each check is put on record in the processing log, and that you asked in the
    audit trail; the answers are kept nowhere. Ends with 1 when signals are refused.

    Examples: signaalwissel check month.jsonl; signaalwissel check vps signalen.csv
    """
    if file is None and (municipality is not None or received_at is not None):
        raise UsageFailure("--municipality and --received-at go with a profile: signaalwissel check vps FILE")
    settings = environment.settings()
    if file is None:
        items = items_of_lines(Path(given), runtime.policies(settings), quiet=as_json)
        unit = "line"
    else:
        loaded = signals_profile(given, municipality)
        moment = moment_of(received_at)
        keys = key_service.answering(settings)
        rules = Rules(runtime.policies(settings), keys, municipality, now_ms() if moment is None else moment)
        items, unit = items_of_rows(file, loaded, rules), "row"
    refused = 0
    routes: Counter[str] = Counter()
    for answer in _every_answer(settings, items, unit):
        route = answer.get("route")
        refused += route is None
        routes.update([route] if route is not None else [])
        if as_json:
            print(dump(answer))
        elif route is None or route == Route.COUNSELLOR_FOLLOWUP.value:
            _tell(answer, unit)
    if not as_json:
        _summarise(routes, refused)
    raise typer.Exit(Exit.FINDINGS if refused else Exit.DONE)


def _every_answer(settings: Settings, items: Iterator[Item], unit: str) -> Iterator[dict[str, Any]]:
    with database(settings) as engine:
        asks = checker(settings, engine, CONSOLE)
        try:
            yield from _answers(items, unit, asks)
        except KeyUnavailable as error:
            raise ServiceAway(str(error)) from error
        finally:
            asks.close()


def _answers(items: Iterator[Item], unit: str, asks: Checker) -> Iterator[dict[str, Any]]:
    # One trace for the file: by it the audit trail has who asked.
    trace_id = os.urandom(16)
    actor = accounting.actor()
    together: list[tuple[int, EarlySignal]] = []
    for item in items:
        if isinstance(item.signal, Refused):
            columns = {} if unit == "line" else {"columns": list(item.columns)}
            yield {unit: item.number, **columns, **item.signal.line()["value"]}
            continue
        assert item.number is not None  # noqa: S101 only a whole file has none
        together.append((item.number, item.signal))
        if len(together) == _TOGETHER:
            yield from _told(asks, together, unit, Asking(actor, trace_id))
            together.clear()
    yield from _told(asks, together, unit, Asking(actor, trace_id))


def _told(
    asks: Checker, together: list[tuple[int, EarlySignal]], unit: str, asking: Asking
) -> Iterator[dict[str, Any]]:
    try:
        replies = asks([Asked(signal, *asking) for _, signal in together])
    except ChecksAway as error:
        raise ServiceAway(str(error)) from error
    for (number, signal), reply in zip(together, replies, strict=True):
        if isinstance(reply, Rejected):
            refused = Refused(SIGNALS, what_may_be_shown(signal.municipality, signal.signal_id), reply)
            yield {unit: number, **refused.line()["value"]}
            continue
        yield {
            unit: number,
            "municipality": signal.municipality,
            "partner_id": signal.partner.partner_id,
            "signal_id": signal.signal_id,
            "route": reply.route,
            "reference": reply.reference,
        }


def _tell(answer: dict[str, Any], unit: str) -> None:
    where = "file" if answer[unit] is None else f"{unit} {answer[unit]}"
    if "route" not in answer:
        field = ", ".join(answer.get("columns", ())) or answer["field"] or "record"
        print(f"{where}: {answer['record_id'] or 'signal without id'}: refused: {field}: {answer['rule']}")
        return
    signal = f"{answer['municipality']}/{answer['partner_id']}/{answer['signal_id']}"
    print(f"{where}: {signal}: {answer['route']}, reference {answer['reference']}")


def _summarise(routes: Counter[str], refused: int) -> None:
    table = Table(title="Signals")
    table.add_column("Route")
    table.add_column("Signals", justify="right")
    for route in Route:
        table.add_row(route.value, str(routes[route.value]))
    table.add_row("refused", str(refused))
    screen().print(table)
