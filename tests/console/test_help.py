"""What anybody sees who only asks for help."""

import subprocess
import sys


def test_help_says_nothing_beside_the_help() -> None:
    command = [sys.executable, "-m", "signaalwissel.console", "--help"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert ended.stderr == ""
    assert "simulate" in ended.stdout
