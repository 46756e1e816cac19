"""`keys`: the secrets of municipalities."""

from typing import Annotated

import typer
from signaalwissel.console import environment, key_service
from signaalwissel.console.accounting import note
from signaalwissel.console.connections import database
from signaalwissel.console.failures import ServiceAway
from signaalwissel.console.keys_rotate import rotate
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.sinks.ledger import EventKind

keys = typer.Typer(help="The secrets of municipalities.", no_args_is_help=True)


@keys.callback()
def _keys() -> None:
    """The secrets of municipalities."""


@keys.command()
def create(municipality: Annotated[str, typer.Argument(help="Four digits.")]) -> None:
    """Make the secrets of a municipality that has none; what is there already stays.

    Example: signaalwissel keys create 0344
    """
    settings = environment.settings()
    try:
        key_service.provider(settings).create(municipality)
    except KeyUnavailable as error:
        raise ServiceAway(str(error)) from error
    # Keys may be made before there is a database; then only the key service's own log tells.
    if settings.database_url is not None:
        with database(settings) as engine:
            note(engine, EventKind.KEYS_CREATED, f"keys of municipality {municipality}", municipality)
    print(f"municipality {municipality} has its keys")


keys.command()(rotate)
