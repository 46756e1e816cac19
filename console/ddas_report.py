"""`report ddas`: the delivery to CBS in the DDAS exchange models, and what it leaves out."""

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from signaalwissel.console import environment, key_service, runtime
from signaalwissel.console.connections import database
from signaalwissel.console.ddas_signals import SignalReport
from signaalwissel.console.failures import CommandFailure, Exit, UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.console.progress import counted
from signaalwissel.console.settings import Settings
from signaalwissel.processors.ddas_terms import NOT_HELD
from signaalwissel.processors.ddas_trajectories import trajectory_entries
from signaalwissel.processors.periods import Days
from signaalwissel.sinks import ddas as reading
from signaalwissel.sinks.access import Database
from signaalwissel.sources.ddas_messages import SIGNALS, SIGNALS_MAX, TRAJECTORIES, MessageInvalid, Pages
from signaalwissel.streams.clock import now_ms

_Folder = Annotated[
    Path, typer.Argument(help="An empty folder, or one that is made; only its owner may read.")
]
_From = Annotated[str, typer.Option("--from", help="First day of the delivery, like 2026-01-01.")]
_To = Annotated[str, typer.Option("--to", help="Last day of the delivery.")]
_Supplier = Annotated[str, typer.Option(help="Your code as the supplier of data (codeGegevensleverancier).")]
_Organisation = Annotated[str, typer.Option(help="Name of the organisation that delivers.")]
_Municipality = Annotated[str | None, typer.Option(help="Four digits; every municipality otherwise.")]
_PageSize = Annotated[
    int, typer.Option(min=1, max=SIGNALS_MAX, help="Records of a message; trajectories 25,000 at most.")
]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Count; open nothing and write nothing.")]


class DeliveryInvalid(CommandFailure):
    """What would be delivered does not fit the schema."""

    exit_code = Exit.FINDINGS


class _Asked(NamedTuple):
    period: reading.Period
    supplier: str
    organisation: str
    page_size: int

    def head(self) -> dict[str, str]:
        at = datetime.fromtimestamp(now_ms() // 1000, UTC)
        return {
            "startdatumLevering": self.period.first.isoformat(),
            "einddatumLevering": self.period.last.isoformat(),
            "aanleverdatumEnTijd": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "codeGegevensleverancier": self.supplier,
        }


def ddas(
    folder: _Folder,
    first: _From,
    last: _To,
    supplier: _Supplier,
    organisation: _Organisation,
    *,
    municipality: _Municipality = None,
    page_size: _PageSize = SIGNALS_MAX,
    as_json: _Json = False,
    dry_run: _DryRun = False,
) -> None:
    """Write the signals received in a period, and the trajectories that ran in it, as messages of DDAS.

    Vroegsignalering 1.2 and Schuldhulpverlening 1.0, each page checked against its schema first. A signal needs its
    resident: `privacy.ddas_clients` in the policy says whether the address or the BSN goes, and without it no signal
    does. Every opening is on record first. Ends with 1 when a signal was left out.

    Example: signaalwissel report ddas --from 2026-01-01 --to 2026-06-30 --supplier SOFT-1 --organisation Utrecht uit
    """
    period = reading.Period(_day("--from", first), _day("--to", last), municipality)
    if period.last < period.first:
        raise UsageFailure("--to must not lie before --from")
    asked = _Asked(period, supplier, organisation, page_size)
    settings = environment.settings()
    with database(settings) as engine:
        if dry_run:
            told = _counted(engine, period)
        else:
            _check_empty(folder)
            told = _written(engine, settings, folder, asked)
    print(dump(told) if as_json else _lines(told))
    raise typer.Exit(Exit.FINDINGS if told["left_out"] else Exit.DONE)


def _counted(engine: Database, period: reading.Period) -> dict[str, Any]:
    wanted = Days(period.first, period.last)
    counted = sum(len(batch) for batch in reading.signals(engine, period))
    states = reading.states(engine, period.municipality)
    return {
        "dry_run": True,
        "signals": counted,
        "trajectories": sum(len(trajectory_entries(state, wanted)) for state in states),
        "files": [],
        "left_out": {},
        "not_held": NOT_HELD,
    }


def _written(engine: Database, settings: Settings, folder: Path, asked: _Asked) -> dict[str, Any]:
    left_out: Counter[str] = Counter()
    wanted = Days(asked.period.first, asked.period.last)
    keys = key_service.provider(settings)
    try:
        with (
            Pages(SIGNALS, folder, asked.head(), _of_signals(asked), asked.page_size) as signals,
            Pages(TRAJECTORIES, folder, asked.head(), _of_trajectories(asked), asked.page_size) as tracks,
        ):
            SignalReport(engine, settings, keys, left_out).write(asked.period, signals)
            for state in counted(reading.states(engine, asked.period.municipality), "trajectories"):
                for entry in trajectory_entries(state, wanted):
                    tracks.add(state.municipality, entry)
    except MessageInvalid as error:
        raise DeliveryInvalid(f"{error}; nothing is written") from error
    except OSError as error:
        raise UsageFailure(f"{folder}: cannot be written: {error.strerror}") from error
    told = {
        "dry_run": False,
        "signals": signals.total,
        "trajectories": tracks.total,
        "files": [str(file) for file in (*signals.files, *tracks.files)],
        "left_out": dict(left_out),
        "not_held": NOT_HELD,
    }
    (folder / "ddas-verslag.json").write_text(dump(told) + "\n", "utf-8")
    return told


def _of_signals(asked: _Asked) -> Any:
    return lambda code: {"gemeentecode": code, "aanleverende_organisatie": {"naam": asked.organisation}}


def _of_trajectories(asked: _Asked) -> Any:
    return lambda code: {
        "aanleverende_organisatie": {"(Statutaire) Naam": asked.organisation, "gemeentecode": code}
    }


def _check_empty(folder: Path) -> None:
    runtime.log_to("report")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageFailure(f"{folder}: is not empty: pages of another delivery must not get among these")
    except OSError as error:
        raise UsageFailure(f"{folder}: cannot be used: {error.strerror}") from error


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageFailure(f"{option} must be a day like 2026-01-01") from error


def _lines(told: dict[str, Any]) -> str:
    lines = [f"{told['signals']} signals, {told['trajectories']} trajectories", *told["files"]]
    lines += [f"left out: {count} signals: {why}" for why, count in told["left_out"].items()]
    lines += [f"not held: {model}: {what}" for model, every in told["not_held"].items() for what in every]
    return "\n".join(lines)
