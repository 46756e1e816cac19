"""What anybody sees who only asks for help, and what every command has."""

import inspect
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from signaalwissel.console.main import EXIT_CODES, build

DESIGNED = """
worker sink gateway web up publish validate generate import simulate rebuild privacy-statement doctor
topics_plan topics_apply schemas_check schemas_register schemas_asyncapi dead-letters_list dead-letters_show
dead-letters_replay dead-letters_park signal_show keys_rotate keys_destroy retention_run retention_report
subject_export subject_erase subject_object report_ddas config_show
""".replace("_", "~").split()
"""Those of section 8 of the design; `~` stands between a group and its command."""
PRINTS_NOTHING = {"worker", "sink"}
"""They write JSON lines to the log and nothing else."""
READS_ONLY = {
    *PRINTS_NOTHING,
    "gateway",
    "web",
    "up",
    "demo",
    "simulate",
    "validate",
    "conformance",
    "generate",
    "doctor",
    "open-sealed",
    "privacy-statement",
    "access check",
    "check",
    "database show",
    "topics catalogue",
    "topics plan",
    "signal show",
    "dead-letters list",
    "dead-letters show",
    "config show",
    "profiles list",
    "report new-arrears",
    "report figures",
    "audit verify",
    "subject requests",
    "subject ledger export",
    "schemas asyncapi",
    "schemas openapi",
    "schemas check",
}
"""Commands that change nothing of an installation by themselves, or are a process of it."""


def commands() -> Iterator[tuple[str, Any]]:
    """Every command by its whole name."""

    def below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield name, command
            return
        for word, one in inner.items():
            yield from below(f"{name} {word}".strip(), one)

    yield from below("", typer.main.get_command(build()))


COMMANDS = dict(commands())
EVERY = pytest.mark.parametrize("name", COMMANDS)


def options_of(name: str) -> set[str]:
    return {option for parameter in COMMANDS[name].params for option in parameter.opts}


def examples_of(name: str) -> list[str]:
    """The command lines of the help, without what stands before and after them in a shell."""
    told = " ".join(inspect.getdoc(COMMANDS[name].callback).split())
    _, _, shown = re.sub(r"Examples:", "Example:", told).partition("Example: ")
    lines = re.split(r" \| | > |; ", shown)
    return [line[line.index("signaalwissel ") :] for line in lines if "signaalwissel " in line]


def test_help_says_nothing_beside_the_help() -> None:
    command = [sys.executable, "-m", "signaalwissel.console", "--help"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert ended.stderr == ""
    assert "simulate" in ended.stdout


@pytest.mark.parametrize("name", DESIGNED)
def test_every_designed_command_is_there(name: str) -> None:
    assert name.replace("~", " ") in COMMANDS


@EVERY
def test_help_has_an_example_of_this_command_that_the_program_takes(name: str) -> None:
    own = [line for line in examples_of(name) if line.startswith(f"signaalwissel {name}")]
    assert own
    for line in own:
        given = shlex.split(line.removeprefix(f"signaalwissel {name}"))
        # Parses and runs nothing; what the program would not take ends the test.
        COMMANDS[name].make_context(name, given)


@EVERY
def test_help_tells_what_each_option_does(name: str) -> None:
    hidden = {one.name for one in COMMANDS[name].params if getattr(one, "hidden", False)}
    told = {one.name for one in COMMANDS[name].params if getattr(one, "help", None)}
    undocumented = {one.name for one in COMMANDS[name].params} - told - hidden
    assert undocumented == set()


@EVERY
def test_help_tells_the_exit_codes(name: str) -> None:
    assert COMMANDS[name].epilog == EXIT_CODES


@EVERY
def test_a_command_that_prints_prints_json_when_asked(name: str) -> None:
    assert ("--json" in options_of(name)) is (name not in PRINTS_NOTHING)


@EVERY
def test_a_command_that_changes_something_can_be_tried_dry(name: str) -> None:
    assert ("--dry-run" in options_of(name)) or (name in READS_ONLY)
