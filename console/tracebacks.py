"""What may be told of an error: a text of ours as it is, of others only what cannot repeat a record.

Flows in: exceptions and log records. Flows out: text without personal data (design 7). A driver quotes the row that it
refused, a decoder the bytes that it could not read, a dictionary the key that it did not have, a Kafka client at DEBUG
whole requests. So whatever leaves this process on standard error passes through here: log lines, tracebacks of a crash,
of a thread and of what a finaliser raised, and what logging itself could not format.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, TextIO

_OURS = "signaalwissel"
_KAFKA = frozenset({"aiokafka", "kafka"})
"""Their errors tell what a broker answered: codes, topics, sizes."""
_WITHHELD = "its text is withheld, as it may repeat what stood in a record"
_CONNECTION_LOST = "OperationalError"
_MOST = 20
"""Errors in one chain that are told."""


def told(error: BaseException) -> str:
    """The text of an error as far as anybody may read it, never empty."""
    original = getattr(error, "orig", None)
    if isinstance(original, BaseException):
        return f"{type(original).__name__}: {told(original)}"
    root = type(error).__module__.partition(".")[0]
    if root == "psycopg":
        return _of_the_database(error)
    if root == _OURS or root in _KAFKA or _is_of_the_machine(error):
        return str(error) or "no text"
    return _WITHHELD if error.args else "no text"


def _is_of_the_machine(error: BaseException) -> bool:
    """Whether the text is Python's own, about the system or about a name in the code."""
    if isinstance(error, OSError):
        return error.errno is not None
    return isinstance(error, ImportError | NameError | AttributeError) and error.name is not None


def _of_the_database(error: BaseException) -> str:
    # What it said first may quote a value too, and DETAIL and CONTEXT quote rows; the names of things do not.
    diagnosis = getattr(error, "diag", None)
    if getattr(error, "sqlstate", None) is None:
        lost = type(error).__name__ == _CONNECTION_LOST
        return (str(error).strip().splitlines() or ["no text"])[0] if lost else _WITHHELD
    named = {
        "table": getattr(diagnosis, "table_name", None),
        "column": getattr(diagnosis, "column_name", None),
        "constraint": getattr(diagnosis, "constraint_name", None),
    }
    names = "".join(f", {what} {name}" for what, name in named.items() if name)
    return f"SQLSTATE {getattr(error, 'sqlstate', None)}{names}; the rest is withheld, as it may repeat a row"


def traceback_of(error: BaseException) -> str:
    """A traceback as Python prints it, with what `told` gives instead of each error's text, and no notes."""
    parts = [
        f"{''.join(traceback.format_tb(one.__traceback__))}{_name(one)}: {told(one)}" for one in _chain(error)
    ]
    return "\nfrom which followed:\n".join(f"Traceback (most recent call last):\n{part}" for part in parts)


def _chain(error: BaseException) -> list[BaseException]:
    """An error and what led to it, the first cause in front; those of a group stand before it."""
    found: list[BaseException] = []
    left = [error]
    while left and len(found) < _MOST:
        one = left.pop()
        if any(one is other for other in found):
            continue
        found.insert(0, one)
        if isinstance(one, BaseExceptionGroup):
            left += one.exceptions
        before = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        if before is not None:
            left.append(before)
    return found


def _name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def install_hooks() -> None:
    """Let a crash of this process, of a thread or of a finaliser print `traceback_of`."""
    sys.excepthook = _crashed
    threading.excepthook = lambda crash: _print("a thread", crash.exc_value)
    sys.unraisablehook = lambda crash: _print("a finaliser", crash.exc_value)


def _crashed(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    if isinstance(error, KeyboardInterrupt):
        print("signaalwissel: interrupted", file=sys.stderr)
    else:
        _print("signaalwissel", error)


def _print(where: str, error: BaseException | None) -> None:
    if error is not None and sys.stderr is not None and not isinstance(error, SystemExit):
        print(f"{where} ends with an error that is a bug of ours\n{traceback_of(error)}", file=sys.stderr)


def of_exc_info(exc_info: Any) -> str:
    """For structlog: the traceback of what `exc_info` holds."""
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    return traceback_of(error) if isinstance(error, BaseException) else ""


class SafeHandler(logging.StreamHandler[TextIO]):
    """Writes log records without what errors quote; libraries speak up from WARNING on, whatever their level is set to.

    Kafka's clients log whole requests at DEBUG, and records are in them; drivers log statements.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.addFilter(_speaks)
        self.addFilter(_without_quotes)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Tell which line could not be written; logging's own words would repeat its arguments."""
        error = sys.exc_info()[1]
        if sys.stderr is None or error is None:
            return
        # A full disk under the log leaves nowhere to tell it; the work, which needs no log, goes on.
        with suppress(OSError):
            print(
                f"a log line of {record.name}, line {record.lineno}, cannot be written\n{traceback_of(error)}",
                file=sys.stderr,
            )


def _speaks(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] == _OURS


def _without_quotes(record: logging.LogRecord) -> bool:
    errors = [*_errors_of(record)]
    if not errors:
        return True
    try:
        message = record.getMessage()
    except (TypeError, ValueError, KeyError):
        return True  # what writes the line finds the same, and says so
    for error in errors:
        for quoted in (repr(error), str(error)):
            if quoted and told(error) != quoted:
                message = message.replace(quoted, told(error))
    record.msg, record.args = message, ()
    return True


def _errors_of(record: logging.LogRecord) -> Iterator[BaseException]:
    arguments = record.args.values() if isinstance(record.args, dict) else record.args or ()
    raised = record.exc_info[1:2] if isinstance(record.exc_info, tuple) else ()
    for one in (*arguments, *raised):
        if isinstance(one, BaseException):
            yield from _chain(one)
