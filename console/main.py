"""The program `signaalwissel`: every command by its name, and what its failures end with."""

import sys

import typer
from signaalwissel.console.config import config
from signaalwissel.console.dead_letters import dead_letters
from signaalwissel.console.demo import demo
from signaalwissel.console.doctor import doctor
from signaalwissel.console.failures import CommandFailure
from signaalwissel.console.generate import generate
from signaalwissel.console.journey import signal
from signaalwissel.console.keys import keys
from signaalwissel.console.publish import publish
from signaalwissel.console.rebuild import rebuild
from signaalwissel.console.simulate import simulate
from signaalwissel.console.topics import topics
from signaalwissel.console.up import up
from signaalwissel.console.validate import validate
from signaalwissel.console.worker import sink, worker

_BROKEN_PIPE = 141


def build() -> typer.Typer:
    """The program with all its commands."""
    program = typer.Typer(
        name="signaalwissel",
        help="Tests early-warning signals against debt-help trajectories and routes each one, exactly once.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    for command in (worker, sink, up, demo, publish, simulate, validate, generate, rebuild, doctor):
        program.command()(command)
    program.add_typer(topics, name="topics")
    program.add_typer(keys, name="keys")
    program.add_typer(signal, name="signal")
    program.add_typer(dead_letters, name="dead-letters")
    program.add_typer(config, name="config")
    return program


def main() -> None:
    """Run a command; a failure that we know ends with one line and its exit code."""
    try:
        build()()
    except CommandFailure as failure:
        print(f"signaalwissel: {failure}", file=sys.stderr)
        sys.exit(failure.exit_code)
    except BrokenPipeError:
        # The reader of a pipe has seen enough; the interpreter must not complain again while it closes.
        sys.stderr.close()
        sys.exit(_BROKEN_PIPE)
