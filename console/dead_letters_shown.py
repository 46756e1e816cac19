"""Dead letters as an operator may see them: what is wrong and where, never what is in them."""

from collections.abc import Iterable
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from signaalwissel.console.screen import instant, moment
from signaalwissel.sinks.dead_letters import DeadLetterRow

_ID_WIDTH = 32


def as_plain(letter: DeadLetterRow) -> dict[str, Any]:
    """A dead letter as JSON has it."""
    plain: dict[str, Any] = {name: getattr(letter, name) for name in DeadLetterRow.__slots__}
    return plain | {"timestamp": instant(letter.timestamp), "status": letter.status.value}


def table_of(letters: Iterable[DeadLetterRow]) -> RenderableType:
    """Dead letters, one to a line."""
    table = Table()
    # An id that is cut off cannot be replayed.
    table.add_column("Id", min_width=_ID_WIDTH, no_wrap=True)
    for heading in ("Refused", "Place", "Code", "Field", "Rule", "Municipality", "Record", "Status"):
        table.add_column(heading)
    for letter in letters:
        table.add_row(
            letter.dead_letter_id,
            moment(letter.timestamp),
            _place(letter),
            letter.code,
            letter.field or "",
            letter.rule,
            letter.municipality or "",
            letter.record_id or "",
            letter.status,
        )
    return table


def details_of(letter: DeadLetterRow) -> RenderableType:
    """One dead letter, one property to a line."""
    table = Table("Property", "Value", title=f"Dead letter {letter.dead_letter_id}")
    for name, value in (
        ("refused by", letter.stage),
        ("place", _place(letter)),
        ("on the topic since", moment(letter.timestamp)),
        ("code", letter.code),
        ("field", letter.field or "the whole record"),
        ("rule", letter.rule),
        ("municipality", letter.municipality or "could not be read"),
        ("record", letter.record_id or "could not be read"),
        ("status", letter.status),
        ("original", "sealed; `dead-letters replay` sends it without showing it"),
    ):
        table.add_row(name, value)
    return table


def _place(letter: DeadLetterRow) -> str:
    return f"{letter.topic}[{letter.partition}]@{letter.offset}"
