"""A refused record as a form: its fields as text, personal data masked, and the record that a filled-in form makes.

In: the original bytes; what somebody filled in. Out: fields; the JSON form of the mended record. A mask that is left as
it is keeps the value behind it, so whoever mends an amount never sees whose it is. The field that was refused is shown.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from signaalwissel.console.replaying import NotReplayable, record_name
from signaalwissel.processors.reading import UNREADABLE
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import OriginalRecord
from signaalwissel.sinks.dead_letters import DeadLetterRow

MASK = "\N{BULLET}" * 5
_PERSONAL = ("subject", "clients", "customer_reference")
_YES, _NO = "true", "false"


class Field(NamedTuple):
    """A field of a record.

    Attributes:
        name: Its path, such as `subject.bsn` or `clients.0.surname`.
        text: Its value, or MASK; empty where it has none.
        masked: Whether the text stands for a value that is not shown.
        refused: Whether this is the field that was refused.
    """

    name: str
    text: str
    masked: bool
    refused: bool


def readable(letter: DeadLetterRow, topic: str, original: OriginalRecord) -> dict[str, Any]:
    """The original in the JSON form of its schema.

    Raises:
        NotReplayable: It cannot be read, so no form can hold it.
    """
    name = record_name(letter, topic)
    try:
        record = codec(name).decode(original.value or b"")
        plain: dict[str, Any] = codec(name).to_json(record)
    except UNREADABLE:
        raise NotReplayable(
            f"dead letter {letter.dead_letter_id}: the record cannot be read, so no form can hold it; "
            "mend it with `dead-letters replay --mended FILE`"
        ) from None
    return plain


def fields_of(record: Mapping[str, Any], refused: str | None) -> list[Field]:
    """Every field of a record, in its order, personal data masked but for what was refused."""
    # A finding writes `clients[1].bsn`, or `clients.bsn` where it means any of them.
    named = None if refused is None else refused.replace("[", ".").replace("]", "")
    found = []
    for name, value in _leaves(record):
        is_refused = named in {name, _bare(name)}
        text = _text(value)
        masked = bool(text) and name.split(".", 1)[0] in _PERSONAL and not is_refused
        found.append(Field(name, MASK if masked else text, masked, is_refused))
    return found


def mended(record: Mapping[str, Any], filled: Mapping[str, str]) -> dict[str, Any]:
    """The record with what somebody filled in; what is not in the form, or still masked, stays as it was.

    Values that the schema wants as a number or as yes or no become so; what cannot stays text, which the schema then
    refuses by the field's name.
    """
    return _filled(record, filled, "")  # type: ignore[no-any-return]


def _filled(value: Any, filled: Mapping[str, str], path: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(one, filled, _join(path, key)) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, filled, _join(path, str(position))) for position, one in enumerate(value)]
    text = filled.get(path)
    if text is None or text == MASK or text == _text(value):
        return value
    if not text:
        return None
    if isinstance(value, bool):
        return {_YES: True, _NO: False}.get(text, text)
    # Nothing tells the type of what was empty: the two whole numbers of our records are known by name.
    number = isinstance(value, int) or path.rpartition(".")[2] in {"house_number", "sequence"}
    return int(text) if number and text.isascii() and text.isdigit() else text


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _leaves(one, _join(path, key))
    elif isinstance(value, list):
        for position, one in enumerate(value):
            yield from _leaves(one, _join(path, str(position)))
    else:
        yield path, value


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _bare(name: str) -> str:
    """Without positions."""
    return ".".join(part for part in name.split(".") if not part.isdigit())


def _text(value: Any) -> str:
    if value is None:
        return ""
    return {True: _YES, False: _NO}[value] if isinstance(value, bool) else str(value)
