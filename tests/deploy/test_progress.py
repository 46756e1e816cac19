"""Progress is bars on a terminal and lines elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from signaalwissel.deploy.progress import Bars, Lines, progress_on


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_file_gets_lines_and_a_terminal_gets_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for variable in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(variable, raising=False)
    assert isinstance(progress_on(io.StringIO()), Lines)
    assert isinstance(progress_on(Terminal()), Bars)


def test_lines_tell_beginning_share_and_end() -> None:
    out = io.StringIO()
    with Lines(out, interval_s=0.0).step("Jars", 4) as advance:
        advance(1, "one.jar")
        advance(2, "two.jar")
    began, first, second, ended = out.getvalue().splitlines()
    assert began == "Jars ..."
    assert (first, second) == ("   25% one.jar", "   75% two.jar")
    assert ended.startswith("Jars: done in ")


def test_lines_are_not_more_frequent_than_their_interval() -> None:
    out = io.StringIO()
    with Lines(out, interval_s=3600.0).step("Jars", 4) as advance:
        advance(1, "one.jar")
    assert "one.jar" not in out.getvalue()


def test_lines_show_what_it_is_at_where_the_total_is_unknown() -> None:
    out = io.StringIO()
    with Lines(out, interval_s=0.0).step("Looking", None) as advance:
        advance(1, "a.pom")
    assert "  a.pom\n" in out.getvalue()


def test_bars_show_title_share_and_what_it_is_at() -> None:
    out = Terminal()
    with Bars(Console(file=out, force_terminal=True, width=120)).step("Jars", 4) as advance:
        advance(2, "two.jar")
    assert "Jars" in out.getvalue()
    assert "50%" in out.getvalue()
    assert "two.jar" in out.getvalue()


def test_a_note_on_a_terminal_is_not_taken_for_markup() -> None:
    out = Terminal()
    Bars(Console(file=out, force_terminal=True, width=120)).note("pip install 'signaalwissel[embedded]'")
    assert "signaalwissel[embedded]" in out.getvalue()
