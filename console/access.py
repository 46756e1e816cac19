"""`access check` and `access grant-reader`: who may come in over HTTP, and what the database shows them."""

from pathlib import Path
from typing import Annotated, Any

import typer
from signaalwissel.console import connections, environment, runtime
from signaalwissel.console.failures import Exit, UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.security.access_settings import Access, AccessUnusable, Rights, load_access
from signaalwissel.sinks.row_security import READER, check_reader, grant_reader

access = typer.Typer(help="Who may come in over HTTP.", no_args_is_help=True)
_AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@access.callback()
def _access() -> None:
    """Who may come in over HTTP."""


@access.command()
def check(
    file: Annotated[
        Path | None, typer.Argument(help="An access file; the one of the settings otherwise.")
    ] = None,
    *,
    as_json: _AsJson = False,
) -> None:
    """Read an access file and show who is recognised and for what; ends with 1 where it cannot be used.

    Example: signaalwissel access check access.toml
    """
    path = file or environment.settings().access_file
    if path is None:
        raise UsageFailure("SIGNAALWISSEL_ACCESS_FILE is not set: give a file")
    try:
        lines = _recognised(load_access(path))
    except AccessUnusable as error:
        print(dump({"usable": False, "finding": str(error)}) if as_json else str(error))
        raise typer.Exit(Exit.FINDINGS) from error
    if as_json:
        print(dump({"usable": True, "recognised": lines}))
        return
    for line in lines:
        print(f"{line['who']}: {line['roles']} for {line['municipalities']} {line['partners']}".rstrip())


@access.command("grant-reader")
def grant(
    role: Annotated[str, typer.Option(help="The database role under which pages read.")] = READER,
    *,
    as_json: _AsJson = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")
    ] = False,
) -> None:
    """Make the database role for pages and interfaces, and let it read what row-level security shows it.

    Run it as the owner of the tables, once and again after each upgrade. Making the role needs CREATEROLE.

    Example: signaalwissel access grant-reader
    """
    settings = environment.settings()
    runtime.database_url(settings)
    if not dry_run:
        with connections.database(settings) as database:
            grant_reader(database, role)
            check_reader(database, role)
    done = "would read" if dry_run else "reads"
    print(
        dump({"role": role, "granted": not dry_run}) if as_json else f"{role} {done} under row-level security"
    )


def _recognised(read: Access) -> list[dict[str, Any]]:
    found = []
    for issuer in read.issuers:
        roles = frozenset(issuer.roles.values())
        people = Rights(roles=roles, municipalities=issuer.municipalities)
        found.append(_line(f"people of {issuer.issuer}", people))
        found += [
            _line(f"program {name} of {issuer.issuer}", rights)
            for name, rights in sorted(issuer.clients.items())
        ]
    found += [
        _line(f"certificate {subject}", rights) for subject, rights in sorted(read.certificates.items())
    ]
    return found


def _line(who: str, rights: Rights) -> dict[str, Any]:
    return {
        "who": who,
        "roles": ", ".join(sorted(rights.roles)) or "no role",
        "municipalities": ", ".join(sorted(rights.municipalities)) or "no municipality",
        "partners": ", ".join(sorted(rights.partners)),
    }
