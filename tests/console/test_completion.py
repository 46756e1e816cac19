"""Completion in the three shells that the program can be installed in."""

import os
import subprocess
import sys

import pytest

PROGRAM = [
    sys.executable,
    "-c",
    "import sys; sys.argv[0] = 'signaalwissel'; from signaalwissel.console.main import main; main()",
]
TYPED = "signaalwissel dead-letters re"
ASKED = {
    "bash": {"COMP_WORDS": TYPED, "COMP_CWORD": "2"},
    "zsh": {"_TYPER_COMPLETE_ARGS": TYPED},
    "fish": {"_TYPER_COMPLETE_ARGS": TYPED, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
}


def said(arguments: list[str], **variables: str) -> str:
    environment = {**os.environ, **variables}
    ended = subprocess.run(
        [*PROGRAM, *arguments], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return ended.stdout


@pytest.mark.parametrize("shell", ASKED)
def test_half_a_command_is_completed(shell: str) -> None:
    found = said([], _SIGNAALWISSEL_COMPLETE=f"complete_{shell}", **ASKED[shell])
    assert "replay" in found
    assert "reopen" in found
    assert "show" not in found


@pytest.mark.parametrize("shell", ASKED)
def test_the_program_gives_the_script_that_a_shell_loads(shell: str) -> None:
    script = said(["--show-completion", shell], _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert "_SIGNAALWISSEL_COMPLETE=complete_" in script
    assert "signaalwissel" in script
