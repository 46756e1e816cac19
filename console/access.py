"""`access`: who may come in over HTTP, what the database shows them, and the end of their sessions."""

from pathlib import Path
from typing import Annotated, Any

import typer
from signaalwissel.console import connections, environment, runtime
from signaalwissel.console.accounting import note
from signaalwissel.console.failures import Exit, ServiceAway, UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.security.access_settings import Access, AccessUnusable, Rights, load_access
from signaalwissel.security.sessions import EndsAway, digest_of_everybody, digest_of_person
from signaalwissel.sinks.ended_sessions import EndedSessions
from signaalwissel.sinks.ledger import EventKind
from signaalwissel.sinks.row_security import READER, check_reader, grant_reader
from signaalwissel.streams.clock import now_ms

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


@access.command("end-sessions")
def end_sessions(
    subject: Annotated[
        str | None, typer.Option(help="Whose: the subject as the audit trail has it, `issuer#sub`.")
    ] = None,
    *,
    everybody: Annotated[bool, typer.Option("--everybody", help="Those of everybody.")] = False,
    as_json: _AsJson = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")
    ] = False,
) -> None:
    """End sessions of the pages at once, in every process: of somebody who left, or of everybody.

    Whoever can still log in at the identity provider gets a new session, so take the account away there first.

    Example: signaalwissel access end-sessions --subject https://login.example.nl#3f2a
    """
    if (subject is None) is not everybody:
        raise UsageFailure("give --subject or --everybody, and not both")
    settings = environment.settings()
    runtime.database_url(settings)
    digest = digest_of_everybody() if subject is None else digest_of_person(subject)
    if not dry_run:
        with connections.database(settings) as database:
            # The subject itself stays out of the trail: it is staff, and whoever has it can find the digest.
            note(database, EventKind.SESSIONS_ENDED, digest.hex())
            try:
                EndedSessions(database).end(digest, now_ms() // 1000)
            except EndsAway as away:
                raise ServiceAway(str(away)) from away
    whose = "everybody" if subject is None else subject
    done = "would end" if dry_run else "ended"
    print(dump({"whose": whose, "ended": not dry_run}) if as_json else f"{done}: every session of {whose}")


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
