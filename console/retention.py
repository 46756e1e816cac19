"""`retention`: destroy what is over, see what is over and what is held, and hold what must not go yet."""

import re
from datetime import date
from typing import Annotated, Any

import typer
from signaalwissel.console import environment, key_service, runtime
from signaalwissel.console.accounting import actor
from signaalwissel.console.connections import database
from signaalwissel.console.failures import Exit, ServiceAway, UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.console.progress import counted
from signaalwissel.console.retention_shown import as_plain, hold_as_plain, tables_of
from signaalwissel.console.screen import screen
from signaalwissel.console.settings import Settings
from signaalwissel.processors.validation import is_municipality
from signaalwissel.sinks.access import Database
from signaalwissel.sinks.holds import Hold, Wanted, place
from signaalwissel.sinks.holds import release as release_hold
from signaalwissel.sinks.retention_report import Asked, Line
from signaalwissel.sinks.retention_report import report as retention_report
from signaalwissel.sinks.retention_round import Done, RetentionRound, Tools

retention = typer.Typer(help="Retention periods: what is over, destroyed or held.", no_args_is_help=True)

_REASON_MIN, _REASON_MAX = 10, 300
_LIKE_BSN = re.compile(r"\d{8,9}")

_Municipality = Annotated[str | None, typer.Option(help="Four digits; every municipality otherwise.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")]
_Reason = Annotated[str, typer.Option(help="Why, without personal data.")]


@retention.callback()
def _retention() -> None:
    """Retention periods: what is over, destroyed or held."""


@retention.command()
def run(municipality: _Municipality = None, *, dry_run: _DryRun = False, as_json: _Json = False) -> None:
    """Destroy now what is over; the sink does the same by itself every ten minutes.

    Rows go at once. Kafka's compacted topics and the tables of intake and matcher follow when intake has read its
    command. Ends with 3 when the key provider did not destroy every day key that is due; run it again.

    Example: signaalwissel retention run --dry-run
    """
    settings = environment.settings()
    asked = _asked(settings, municipality)
    with database(settings) as engine:
        if dry_run:
            done = [Done(line.municipality, line.kind, line.due) for line in _due(engine, asked)]
            failure = None
        else:
            tools = Tools(key_service.provider(settings), actor=actor())
            runner = RetentionRound(asked.settings, asked.policies, tools)
            with engine.connect() as connection:
                batches = counted(
                    runner.batches(connection, municipality), "batches destroyed", quiet=as_json
                )
                done = _added(list(batches))
            failure = runner.key_failure
    if as_json:
        lines = [
            {"municipality": one.municipality, "kind": one.kind.value, "count": one.destroyed} for one in done
        ]
        print(dump({"dry_run": dry_run, "destroyed": lines}))
    else:
        for one in done:
            what = "would be destroyed" if dry_run else "destroyed"
            print(f"{one.municipality or '-':<5} {one.kind.value:<27} {one.destroyed} {what}")
        if not done:
            print("nothing is over")
    if failure is not None:
        raise ServiceAway(f"day keys stay due: {failure}") from failure


@retention.command()
def report(municipality: _Municipality = None, *, dry_run: _DryRun = False, as_json: _Json = False) -> None:
    """Show per kind of data its period and reason, how much there is, what is over, held and was destroyed.

    Changes nothing, with --dry-run or without. Ends with 1 when something is over that the next run destroys.

    Example: signaalwissel retention report --municipality 0344
    """
    del dry_run
    settings = environment.settings()
    with database(settings) as engine:
        told = retention_report(engine, _asked(settings, municipality))
    if as_json:
        print(dump(as_plain(told)))
    else:
        for table in tables_of(told):
            screen().print(table)
    raise typer.Exit(Exit.FINDINGS if any(line.due for line in told.lines) else Exit.DONE)


@retention.command()
def hold(
    municipality: Annotated[str, typer.Option(help="Four digits.")],
    reason: _Reason,
    until: Annotated[str, typer.Option(help="The last day that it holds, like 2027-03-31.")],
    trajectory: Annotated[str | None, typer.Option(help="Only this trajectory; all data otherwise.")] = None,
    *,
    dry_run: _DryRun = False,
    as_json: _Json = False,
) -> None:
    """Keep a trajectory, or all of a municipality's data, from destruction until a day.

    A trajectory is held with its tasks, notices and signals, and the keys of the days of those signals. A municipality
    is held with everything. The same hold again is the same hold.

    Example: signaalwissel retention hold --municipality 0344 --trajectory T-17 --until 2027-03-31 --reason "Bezwaar 12"
    """
    if not is_municipality(municipality):
        raise UsageFailure("--municipality must be four digits")
    wanted = Wanted(municipality, trajectory, checked_reason(reason), _day(until))
    with database(environment.settings()) as engine:
        placed = place(engine, wanted, dry_run=dry_run)
    _show(placed, "would hold" if dry_run else "holds", as_json=as_json)


@retention.command()
def release(
    hold_id: Annotated[str, typer.Argument(metavar="ID", help="Id from `retention report`.")],
    reason: _Reason,
    *,
    dry_run: _DryRun = False,
    as_json: _Json = False,
) -> None:
    """End a hold before its day; what it kept goes with the next run.

    Example: signaalwissel retention release 4f0c8f6a1e2d3c4b --reason "Bezwaar 12 is afgedaan"
    """
    with database(environment.settings()) as engine:
        released = release_hold(engine, hold_id, checked_reason(reason), dry_run=dry_run)
    _show(released, "would be released" if dry_run else "is released", as_json=as_json)


def _asked(settings: Settings, municipality: str | None) -> Asked:
    if municipality is not None and not is_municipality(municipality):
        raise UsageFailure("--municipality must be four digits")
    return Asked(runtime.sink_settings(settings), runtime.policies(settings), municipality=municipality)


def _due(engine: Database, asked: Asked) -> list[Line]:
    return [line for line in retention_report(engine, asked).lines if line.due]


def _added(batches: list[Done]) -> list[Done]:
    counts: dict[tuple[str, Any], int] = {}
    for municipality, kind, count in batches:
        counts[municipality, kind] = counts.get((municipality, kind), 0) + count
    return [Done(municipality, kind, count) for (municipality, kind), count in counts.items()]


def checked_reason(text: str) -> str:
    """What somebody gives as their reason; UsageFailure where it is no text or may hold a BSN."""
    if not _REASON_MIN <= len(text) <= _REASON_MAX or not text.isprintable():
        raise UsageFailure(f"--reason must have {_REASON_MIN} to {_REASON_MAX} printable characters")
    if _LIKE_BSN.search(text):
        raise UsageFailure(
            "--reason must not hold a BSN, or a number that could be one: name the case instead"
        )
    return text


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageFailure("--until must be a day like 2027-03-31") from error


def _show(held: Hold, what: str, *, as_json: bool) -> None:
    if as_json:
        print(dump(hold_as_plain(held)))
    else:
        whose = (
            held.municipality if held.trajectory_id is None else f"{held.municipality}/{held.trajectory_id}"
        )
        print(f"hold {held.hold_id} on {whose} until {held.until}: {what}")
