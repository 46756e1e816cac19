"""How far long work is: told on a terminal, on standard error, and nowhere else."""

import io
import sys
from pathlib import Path

import pytest
from signaalwissel.console.progress import counted, counting, progress_of


class Screen(io.StringIO):
    """Standard error as somebody sees it."""

    def isatty(self) -> bool:
        return True


def looking(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """From here on somebody looks; in the test itself, as pytest takes standard error anew for each part of it."""
    made = Screen()
    monkeypatch.setattr(sys, "stderr", made)
    return made


def test_a_terminal_shows_what_is_counted_and_of_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = looking(monkeypatch)
    assert list(counted("abc", "letters", 3)) == ["a", "b", "c"]
    assert "letters" in screen.getvalue()
    assert "3/3" in screen.getvalue()


def test_results_go_where_they_went_without_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = looking(monkeypatch)
    with counting("records") as advance:
        print("a result")
        advance()
    assert capsys.readouterr().out == "a result\n"
    assert "a result" not in screen.getvalue()


def test_lines_of_a_file_are_counted_beforehand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    screen = looking(monkeypatch)
    (tmp_path / "month.jsonl").write_text("{}\n{}\n", "utf-8")
    with progress_of(tmp_path / "month.jsonl") as advance:
        advance()
        advance()
    assert "2/2" in screen.getvalue()


def test_who_asks_for_quiet_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = looking(monkeypatch)
    assert list(counted("abc", "letters", quiet=True)) == ["a", "b", "c"]
    assert screen.getvalue() == ""


def test_a_log_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(counted([1, 2], "records")) == [1, 2]
    assert capsys.readouterr().err == ""
