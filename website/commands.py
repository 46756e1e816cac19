"""The reference of commands, from the program itself."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import typer
from signaalwissel.console.main import EXIT_CODES, build

_EXAMPLE = re.compile(r"^Examples?: ", re.MULTILINE)


def page() -> str:
    """Every command: what it does, takes and shows."""
    return "\n\n".join([_HEAD, *(_section(name, command) for name, command in every())]) + "\n"


def every() -> Iterator[tuple[str, Any]]:
    """Every command by its whole name."""
    yield from _below("", typer.main.get_command(build()))


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for word, one in sorted(inner.items()):
        yield from _below(f"{name} {word}".strip(), one)


def _section(name: str, command: Any) -> str:
    told = inspect.cleandoc(command.callback.__doc__ or "")
    words, *examples = _EXAMPLE.split(told)
    parts = [f"## `{name}`", words.strip().replace("<", "&lt;")]
    if examples:
        shown = " ".join(examples[0].split()).replace("; signaalwissel", "\nsignaalwissel")
        parts.append(f"```sh\n{shown}\n```")
    rows = [_row(*record) for record in _records(name, command)]
    if rows:
        parts.append("\n".join(["| takes | what |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def _records(name: str, command: Any) -> Iterator[tuple[str, str]]:
    """Names and words of arguments and options, as the help of the command has them."""
    with command.context_class(command, info_name=name) as context:
        for parameter in command.params:
            record = None if getattr(parameter, "hidden", False) else parameter.get_help_record(context)
            if record is not None:
                yield record


def _row(name: str, what: str) -> str:
    return f"| `{name}` | {' '.join(what.split()).replace('|', '&#124;').replace('<', '&lt;')} |"


_HEAD = f"""# Commands

Made from the program: `signaalwissel COMMAND --help` says the same.

{EXIT_CODES} What 1 means for a command, its text says.

`--json` prints what programs read; without it the same is printed for people. `--dry-run` shows what would be done and
changes nothing. Work that takes long shows on a terminal how far it is; in a pipe or a log it shows nothing.

To complete names with the tab key: `signaalwissel --install-completion` in bash, zsh or fish, then open a new shell."""
