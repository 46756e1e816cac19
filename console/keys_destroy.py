"""`keys destroy`: the data key of a day of receipt, so that what it sealed is unreadable in every copy (design 7)."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import typer
from signaalwissel.console import environment, key_service, runtime
from signaalwissel.console.accounting import note
from signaalwissel.console.connections import database
from signaalwissel.console.failures import ServiceAway, UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.console.progress import counted
from signaalwissel.console.retention import checked_reason
from signaalwissel.console.settings import Settings
from signaalwissel.processors.amsterdam import add_months, amsterdam_day
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.security.vault_keys import VaultKeys
from signaalwissel.sinks.access import Database
from signaalwissel.sinks.destroyed_days import destroyed_days, held
from signaalwissel.sinks.ledger import EventKind
from signaalwissel.streams.clock import now_ms


def destroy(
    municipality: Annotated[str, typer.Argument(help="Four digits.")],
    *,
    day: Annotated[
        list[str] | None, typer.Option(help="Day of receipt, like 2025-02-28; may be given several times.")
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Every day that is on record as destroyed: after keys were restored."),
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, for the audit trail; no personal data.")],
    early: Annotated[
        bool, typer.Option("--early", help="Also a day whose retention is not over, as after a leak.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Destroy data keys of days for good: nobody can read who the signals of those days were about any more.

    Retention does this by itself when a day is over. This is for what it cannot know: a backup of the keys that was
    restored (--again), or a day that must go before its time (--early). What is decided stays; late records of such a
    day are refused. Each destruction stands in the audit trail. It may be ended at any moment and run again.

    Example: signaalwissel keys destroy 0344 --again --reason "Sleutels teruggezet uit back-up van 3 maart"
    """
    if bool(day) == again:
        raise UsageFailure("give days with --day, or --again for all that are on record as destroyed")
    checked_reason(reason)
    settings = environment.settings()
    try:
        keys = key_service.provider(settings)
        if not keys.knows(municipality):
            raise UsageFailure(f"municipality {municipality} has no keys: there is nothing to destroy")
        with database(settings) as engine:
            days = destroyed_days(engine, municipality) if again else _days(day or [])
            if not again:
                _check_over(settings, municipality, days, early=early)
                _check_holds(engine, municipality)
            if not dry_run:
                for one in counted(days, "keys", len(days)):
                    _destroy(engine, keys, municipality, one, reason)
    except KeyUnavailable as error:
        raise ServiceAway(f"{error}; run it again: what is destroyed stays destroyed") from error
    _show(municipality, days, dry_run=dry_run, as_json=as_json)


def _destroy(
    engine: Database, keys: LocalKeys | VaultKeys, municipality: str, day: date, reason: str
) -> None:
    keys.destroy_day_key(municipality, day)
    about, details = f"day {day.isoformat()}", {"reason": reason}
    note(engine, EventKind.KEY_DESTROYED, about, municipality, details=details)


def _days(texts: Sequence[str]) -> list[date]:
    try:
        return sorted({date.fromisoformat(one) for one in texts})
    except ValueError as error:
        raise UsageFailure("--day must be a day like 2025-02-28") from error


def _check_over(settings: Settings, municipality: str, days: Sequence[date], *, early: bool) -> None:
    today = amsterdam_day(now_ms())
    policies = runtime.policies(settings)
    months = (policies.get(municipality) or policies.default).retention.signal.months
    for day in days:
        if day >= today:
            raise UsageFailure(f"--day {day}: its key is in use; a day can go when it has passed")
        over = add_months(day, months)
        if over >= today and not early:
            raise UsageFailure(
                f"--day {day}: is kept until {over} by retention.signal.months; --early destroys it before that"
            )


def _check_holds(engine: Database, municipality: str) -> None:
    if held(engine, municipality, amsterdam_day(now_ms())):
        raise UsageFailure(
            f"municipality {municipality}: a hold keeps data from destruction; see `signaalwissel retention report`, and"
            " release it first"
        )


def _show(municipality: str, days: Sequence[date], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        told = {"municipality": municipality, "days": [day.isoformat() for day in days], "dry_run": dry_run}
        print(dump(told))
        return
    what = "would be destroyed" if dry_run else "is destroyed"
    for day in days:
        print(f"municipality {municipality}: the key of {day} {what}")
    if not days:
        print(f"municipality {municipality}: no day is on record as destroyed")
