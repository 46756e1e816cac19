"""`keys`: the secrets of municipalities."""

from typing import Annotated

import typer
from signaalwissel.console import environment, key_service
from signaalwissel.console.accounting import note
from signaalwissel.console.connections import database
from signaalwissel.console.failures import ServiceAway, UsageFailure
from signaalwissel.console.keys_destroy import destroy
from signaalwissel.console.keys_rotate import rotate
from signaalwissel.console.lines import dump
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.security.key_ids import MUNICIPALITY
from signaalwissel.sinks.ledger import EventKind

keys = typer.Typer(help="The secrets of municipalities.", no_args_is_help=True)


@keys.callback()
def _keys() -> None:
    """The secrets of municipalities."""


@keys.command()
def create(
    municipality: Annotated[str, typer.Argument(help="Four digits.")],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done; make nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Make the secrets of a municipality that has none; what is there already stays.

    Example: signaalwissel keys create 0344
    """
    if not MUNICIPALITY.fullmatch(municipality):
        raise UsageFailure(f"{municipality!r} is not a municipality code of four digits")
    settings = environment.settings()
    try:
        if settings.key_provider == "local":
            # Whoever asks about a code in a dry run must not make its keys, as trying out would.
            settings = settings.model_copy(update={"every_municipality": False})
        provider = key_service.provider(settings)
        there = provider.knows(municipality)
        if not dry_run:
            provider.create(municipality)
    except KeyUnavailable as error:
        raise ServiceAway(str(error)) from error
    # Keys may be made before there is a database; then only the key service's own log tells.
    if settings.database_url is not None and not dry_run:
        with database(settings) as engine:
            note(engine, EventKind.KEYS_CREATED, f"keys of municipality {municipality}", municipality)
    if as_json:
        print(dump({"municipality": municipality, "made": not there and not dry_run, "dry_run": dry_run}))
    elif dry_run and not there:
        print(f"municipality {municipality} would get its keys")
    else:
        print(f"municipality {municipality} has its keys")


keys.command()(rotate)
keys.command()(destroy)
