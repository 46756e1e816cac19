"""What a commit notes of the changelogs, and when a changelog has lost something of it."""

from __future__ import annotations

import pytest
from signaalwissel.streams.positions import (
    UNKNOWN_ID,
    Log,
    Note,
    Origin,
    Position,
    read_note,
    read_origin,
    unmet,
)

KNOWN = Position(Origin("a1", 3, losses=1), 10)


@pytest.mark.parametrize("time_ms", [None, 0, 1_700_000_000_000])
@pytest.mark.parametrize("positions", [{}, {"signals": KNOWN}, {"signals": KNOWN, "rotations": KNOWN}])
def test_a_note_is_read_as_it_was_written(time_ms: int | None, positions: dict[str, Position]) -> None:
    note = Note(time_ms, positions)
    assert read_note(note.text()) == note


def test_what_the_version_before_committed_is_a_stream_time_alone() -> None:
    assert read_note("1700000000000") == Note(1_700_000_000_000, {})


@pytest.mark.parametrize("metadata", ["", ";", "by hand", "a;b=c;d=e:f:g;h=i:1", "reset;x=y:1:2"])
def test_what_other_tools_committed_tells_nothing(metadata: str) -> None:
    assert read_note(metadata) == Note(None, {})


def test_the_notes_of_all_tables_fit_what_kafka_takes() -> None:
    position = Position(Origin("0" * 32, 10**12, 100), 10**12)
    text = Note(
        10**13, {name * 5: position for name in ("policies", "recents", "rotations", "signals")}
    ).text()
    assert len(text) < 1024


def test_an_origin_is_read_as_it_was_written() -> None:
    assert read_origin(KNOWN.origin.text()) == KNOWN.origin


@pytest.mark.parametrize(
    ("log", "holds"),
    [
        pytest.param(Log(Origin("a1", 3), 10), True, id="as it was"),
        pytest.param(Log(Origin("a1", 3), 99), True, id="it went on"),
        pytest.param(Log(Origin("a1", 0), 10), True, id="it holds more than was known"),
        pytest.param(Log(Origin("a1", 3), 9), False, id="its end was lost"),
        pytest.param(Log(Origin("a1", 4), 99), False, id="its beginning was deleted"),
        pytest.param(Log(Origin("a1", 10), 10), False, id="it was emptied"),
        pytest.param(Log(Origin("b2", 3), 10), False, id="made anew, and as long as before"),
        pytest.param(Log(Origin("b2", 0), 99), False, id="made anew, and longer than before"),
        pytest.param(Log(Origin(UNKNOWN_ID, 3), 10), True, id="a broker that tells no ids"),
        pytest.param(Log(Origin(UNKNOWN_ID, 4), 99), False, id="no ids, and its beginning was deleted"),
    ],
)
def test_a_changelog_holds_what_it_held_from_the_same_beginning_on(log: Log, holds: bool) -> None:
    assert KNOWN.still_in(log) is holds


def test_the_first_id_that_a_broker_tells_is_no_loss() -> None:
    assert Position(Origin(UNKNOWN_ID, 3), 10).still_in(Log(Origin("a1", 3), 10))


@pytest.mark.parametrize(
    ("log", "lacks"),
    [
        (Log(Origin("a1", 3), 9), True),
        (Log(Origin("a1", 3), 10), False),
        (Log(Origin("a1", 4), 9), False),
        (Log(Origin("b2", 3), 9), False),
    ],
)
def test_a_changelog_lacks_its_end_alone_where_it_begins_as_it_did(log: Log, lacks: bool) -> None:
    assert KNOWN.lacks_end_alone(log) is lacks


def test_a_changelog_that_held_nothing_has_nothing_to_lose() -> None:
    assert Position(Origin("a1", 0), 0).still_in(Log(Origin("b2", 0), 0))


def test_of_several_commits_the_one_that_knew_most_is_told() -> None:
    log = Log(Origin("a1", 3), 5)
    known = [Position(KNOWN.origin, offset) for offset in (4, 12, 7)]
    assert unmet(known, log) == known[1]
    assert unmet(known[:1], log) is None
