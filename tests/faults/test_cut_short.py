"""A fault run that is cut before its end says so in its last line, and nobody takes it for one that passed."""

import json
import signal
from typing import Any

import pytest

from tests.faults import __main__ as program
from tests.faults.run import Gate


def cut_by(number: int) -> Any:
    """A walk through one row that ends, and then the signal comes."""

    def walk(rows: Any, settings: Any, told: Any, *, trials: bool) -> None:
        told.gate(Gate(rows[0].number, rows[0].fault, passed=True, signals=800, kills=2), None)
        signal.raise_signal(number)

    return walk


@pytest.fixture(autouse=True)
def _signals_as_they_were() -> Any:
    kept = {number: signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGTERM)}
    yield
    signal.alarm(0)
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGALRM, signal.SIGTERM])
def test_the_last_line_of_a_run_that_was_cut_tells_what_ended_and_what_did_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    monkeypatch.setattr(program, "walk_all", cut_by(number))
    monkeypatch.setattr("sys.argv", ["tests.faults", "--rows", "20,4", "--bound", "600"])
    assert program.main() == 128 + number
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["cut_short"], told["passed"]) == (number.name, False)
    assert told["rows"] == {"20": True, "4": "not ended"}
    assert (told["signals"], told["kills"]) == (800, 2)


def test_a_run_that_ends_is_not_said_to_be_cut(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "walk_all", lambda rows, *_, **__: None)
    monkeypatch.setattr("sys.argv", ["tests.faults", "--rows", "20"])
    assert program.main() == 0
    assert "cut_short" not in json.loads(capsys.readouterr().out.splitlines()[-1])
