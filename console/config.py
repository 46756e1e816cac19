"""`config show`: every setting, its value and where it comes from; secrets stay hidden."""

import os
import re
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from pydantic import SecretStr
from rich.table import Table
from signaalwissel.console import environment
from signaalwissel.console.lines import dump
from signaalwissel.console.screen import screen
from signaalwissel.console.settings import Settings

_PREFIX = "SIGNAALWISSEL_"
_HIDDEN = "********"
# Only a text of exactly this form is known to hold its password in one place; any other is hidden whole.
_URL = re.compile(
    r"(?P<scheme>[a-z0-9+]+://)(?:(?P<user>[^:/?#@\s]*)(?P<password>:[^/?#@\s]*)?@)?"
    r"(?P<place>(?:[^/?#@:\s]*|\[[0-9a-fA-F:.]+\])(?::\d+)?(?:/[^/?#@\s]*)?)(?P<query>\?[^#@\s]*)?"
)
_SECRET_PARAMETER = re.compile(r"(?i)([?&][^=&]*pass[^=&]*=)[^&]*")

config = typer.Typer(help="The settings of this installation.", no_args_is_help=True)


class Shown(NamedTuple):
    """A setting as it may be shown; `source` is env, file or default."""

    name: str
    value: str | None
    source: str


@config.callback()
def _config() -> None:
    """The settings of this installation."""


@config.command()
def show(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False) -> None:
    """Show every setting, its value and where it comes from: environment, file or default. Passwords are hidden.

    A file is named by SIGNAALWISSEL_CONFIG; the environment goes before it.

    Example: signaalwissel config show
    """
    shown = settings_shown(environment.settings(), frozenset(name.upper() for name in os.environ))
    if as_json:
        print(dump([setting._asdict() for setting in shown]))
        return
    table = Table("Setting", "Value", "From")
    for setting in shown:
        table.add_row(setting.name, setting.value or "", setting.source)
    screen().print(table)


def settings_shown(settings: Settings, variables: frozenset[str]) -> list[Shown]:
    """Every setting in order of its name.

    Args:
        settings: What was read.
        variables: Names of the environment's variables, in capitals.
    """
    shown = []
    for field in sorted(Settings.model_fields):
        name = _PREFIX + field.upper()
        value = getattr(settings, field)
        elsewhere = "file" if field in settings.model_fields_set else "default"
        source = "env" if name in variables else elsewhere
        shown.append(Shown(name, None if value is None else _text(field, value), source))
    return shown


def url_without_password(url: str) -> str:
    """A database URL as it may be shown: without any password, or hidden whole where it has an unusual form."""
    found = _URL.fullmatch(url)
    if found is None:
        return _HIDDEN
    user = ""
    if found["user"] is not None:
        user = found["user"] + (f":{_HIDDEN}" if found["password"] else "") + "@"
    query = _SECRET_PARAMETER.sub(rf"\1{_HIDDEN}", found["query"] or "")
    return f"{found['scheme']}{user}{found['place']}{query}"


def _text(field: str, value: bool | float | str | Path | SecretStr) -> str:
    if field == "database_url" and isinstance(value, SecretStr):
        return url_without_password(value.get_secret_value())
    if isinstance(value, SecretStr):
        return _HIDDEN
    if field in {"open_klant_url", "processing_log_url"} and "@" in str(value):
        # No password may stand in it; one that does all the same is not shown.
        return _HIDDEN
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
