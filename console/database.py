"""`database migrate|show|grant`: the schema of the database, brought up to date or looked at, and who may do what in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from signaalwissel.console import environment, runtime
from signaalwissel.console.failures import Exit, ServiceAway, UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.sinks.access import schema_version
from signaalwissel.sinks.database import database_away, migrate, open_engine
from signaalwissel.sinks.database_grants import grant_roles, granted_roles, keep_longer
from signaalwissel.sinks.database_roles import RIGHTS
from signaalwissel.sinks.schema_upgrade import Upgraded
from signaalwissel.sinks.settings import ServiceAway as SinkServiceAway
from signaalwissel.sinks.settings import SinkError

_Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]

database = typer.Typer(help="The schema of the database and the roles in it.", no_args_is_help=True)


@database.command("migrate")
def migrate_(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, as `show` does; change nothing.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Bring the database to this version's schema, while programs of the version before go on working.

    A sink does the same when it starts as the owner of the tables; this does it beforehand, and alone. Roles that
    `grant` made get their rights on what is new. With POLICY_DIR the database also keeps the audit trail from everybody
    for at least the longest period of any policy: a policy that cannot be read ends it when the schema is there. A database
    that a newer version has migrated stays as it is.

    Example: SIGNAALWISSEL_DATABASE_URL=postgresql://app@db/app signaalwissel database migrate
    """
    if dry_run:
        # Ends with 1 when there is something to do.
        show(as_json=as_json)
        return
    settings = environment.settings()
    url = runtime.database_url(settings)
    with _told():
        done = migrate(url)
        if not done.newer:
            _grant_anew(url)
    if not as_json:
        print(_migrated(done))
    # After the schema: programs that wait for it must not wait for somebody to mend a policy.
    kept_days = None if done.newer else runtime.audit_kept_days(settings)
    longer = kept_days is not None and _kept_longer(url, kept_days)
    if as_json:
        print(dump({**done._asdict(), "audit_kept_days": kept_days}))
    elif longer:
        print(f"the audit trail is kept from everybody for {kept_days} days")


@database.command()
def show(*, as_json: _Json = False) -> None:
    """Show the version that the database has and the one that this program makes; ends with 1 when they differ.

    Example: signaalwissel database show
    """
    settings = environment.settings()
    try:
        engine = open_engine(runtime.database_url(settings), name="signaalwissel-database")
        with database_away():
            found = schema_version(engine)
    except SinkServiceAway as error:
        raise ServiceAway(str(error)) from error
    except SinkError as error:
        raise UsageFailure(str(error)) from error
    told = {"present": found.present, "newest": found.newest}
    print(
        dump(told)
        if as_json
        else f"the database has {found.present or 'no tables'}; this program {found.newest}"
    )
    raise typer.Exit(Exit.DONE if found.present == found.newest else Exit.FINDINGS)


@database.command()
def grant(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the rights that would be granted; change nothing.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Make the roles of sink, pages, gateway and commands, and give each what it needs and no more.

    Run it as the owner of the tables, after `database migrate`; it needs CREATEROLE. With POLICY_DIR the database also
    keeps the audit trail from everybody for the longest period of any policy: run it again when that changes. Then give
    each role a login, or make a login a member of it, and let each program use its own: only `database migrate` still
    needs the owner.

    Example: SIGNAALWISSEL_DATABASE_URL=postgresql://owner@db/app signaalwissel database grant
    """
    settings = environment.settings()
    url = runtime.database_url(settings)
    kept_days = runtime.audit_kept_days(settings)
    if not dry_run:
        _grant(url, kept_days)
    for role, rights in RIGHTS.items():
        told = {table: right.told() for table, right in sorted(rights.items())}
        if as_json:
            print(dump({"role": role, "granted": not dry_run, "rights": told}))
            continue
        print(f"{role} {'would be' if dry_run else 'is'} granted:")
        for table, what in told.items():
            print(f"  {table}: {what}")
    if kept_days is not None and not as_json:
        print(f"the audit trail {'would be' if dry_run else 'is'} kept from everybody for {kept_days} days")


def _migrated(done: Upgraded) -> str:
    if done.newer:
        return f"version {done.now}, of a newer program: left as it is"
    if done.before == done.now:
        return f"version {done.now} already"
    return f"from {'nothing' if done.before is None else f'version {done.before}'} to version {done.now}"


def _grant(url: str, kept_days: int | None) -> None:
    with _told(), database_away():
        grant_roles(open_engine(url, name="signaalwissel-database"), kept_days)


def _grant_anew(url: str) -> None:
    """Bring the rights of roles that are there along."""
    engine = open_engine(url, name="signaalwissel-database")
    with database_away():
        if granted_roles(engine):
            grant_roles(engine)


def _kept_longer(url: str, kept_days: int) -> bool:
    with _told(), database_away():
        return keep_longer(open_engine(url, name="signaalwissel-database"), kept_days)


@contextmanager
def _told() -> Iterator[None]:
    """Errors of the database, as a command tells them."""
    try:
        yield
    except SinkServiceAway as error:
        raise ServiceAway(str(error)) from error
    except SinkError as error:
        raise UsageFailure(str(error)) from error
