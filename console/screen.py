"""What people see: tables and trees on a terminal, moments and amounts as text."""

import sys
from datetime import UTC, datetime

from rich.console import Console
from signaalwissel.processors.amsterdam import AMSTERDAM

_FILE_WIDTH = 200
_CENTS = 100


def screen() -> Console:
    """Standard output. Partners choose their ids, so nothing in a text is markup."""
    # A file or a pipe has no width that would be a reason to break lines.
    width = None if sys.stdout.isatty() else _FILE_WIDTH
    return Console(markup=False, highlight=False, emoji=False, width=width)


def moment(value: datetime | int) -> str:
    """A moment, or milliseconds since 1970, as a clock in Amsterdam shows it."""
    at = datetime.fromtimestamp(value / 1000, UTC) if isinstance(value, int) else value
    return at.astimezone(AMSTERDAM).strftime("%Y-%m-%d %H:%M:%S")


def instant(value: datetime | int) -> str:
    """A moment, or milliseconds since 1970, as JSON has it: ISO 8601 in UTC."""
    at = datetime.fromtimestamp(value / 1000, UTC) if isinstance(value, int) else value
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def euros(cents: int) -> str:
    """An amount."""
    return f"EUR {cents // _CENTS}.{cents % _CENTS:02d}"
