"""The program `signaalwissel`: every command by its name, and what its failures end with."""

import sys
from importlib import import_module

import typer
from signaalwissel.console.failures import CommandFailure
from signaalwissel.console.tracebacks import install_hooks

_COMMANDS = (
    "worker",
    "sink",
    "gateway",
    "web",
    "up",
    "demo",
    "publish",
    "import",
    "export",
    "simulate",
    "validate",
    "conformance",
    "check",
    "generate",
    "rebuild",
    "doctor",
    "open-sealed",
    "privacy-statement",
)
_GROUPS = {
    "access": "access",
    "topics": "topics",
    "keys": "keys",
    "database": "database",
    "signal": "journey",
    "dead-letters": "dead_letters",
    "config": "config",
    "report": "report",
    "audit": "audit",
    "retention": "retention",
    "subject": "subject",
    "schemas": "schemas",
    "profiles": "profiles",
}
"""Groups of commands, by the module that has them."""
_ELSEWHERE = {"import": ("importing", "import_")}
"""Commands whose name is no module's: `import` is a word of the language."""
_BROKEN_PIPE = 141
EXIT_CODES = "Exit codes: 0 done, 1 findings, 2 usage, 3 a service is away, 4 stuck."
"""Stands under the help of every command; what 1 means for it, its help says."""


def build(only: str | None = None) -> typer.Typer:
    """The program with all its commands.

    Args:
        only: The one that is asked for, where that is known: what the others need takes longer to import than most
            commands run.
    """
    program = typer.Typer(
        name="signaalwissel",
        help="Tests early-warning signals against debt-help trajectories and routes each one, exactly once.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        # With it a program of one command still takes that command's name.
        callback=lambda: None,
    )
    every = only not in {*_COMMANDS, *_GROUPS}
    for name in _COMMANDS:
        if every or name == only:
            plain = name.replace("-", "_")
            module, function = _ELSEWHERE.get(name, (plain, plain))
            program.command(name)(getattr(import_module(f"signaalwissel.console.{module}"), function))
    for name, module in _GROUPS.items():
        if every or name == only:
            group = getattr(import_module(f"signaalwissel.console.{module}"), name.replace("-", "_"))
            program.add_typer(group, name=name)
    _tell_exit_codes(program)
    return program


def _tell_exit_codes(program: typer.Typer) -> None:
    for command in program.registered_commands:
        command.epilog = EXIT_CODES
    for group in program.registered_groups:
        if group.typer_instance is not None:
            _tell_exit_codes(group.typer_instance)


def main() -> None:
    """Run a command; a failure that we know ends with one line and its exit code."""
    install_hooks()
    try:
        # Typer's own way to run a program would put its excepthook in the place of ours.
        typer.main.get_command(build(sys.argv[1] if len(sys.argv) > 1 else None))()
    except CommandFailure as failure:
        print(f"signaalwissel: {failure}", file=sys.stderr)
        sys.exit(failure.exit_code)
    except BrokenPipeError:
        # The reader of a pipe has seen enough; the interpreter must not complain again while it closes.
        sys.stderr.close()
        sys.exit(_BROKEN_PIPE)
