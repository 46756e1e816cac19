"""A loss that was accepted is remembered with the offsets, so that no store from before it passes for a part of the log."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata
from signaalwissel.streams.errors import ChangelogLostError
from signaalwissel.streams.losses import checked, notes_of
from signaalwissel.streams.positions import Log, Note, Origin, Position

PLACE = TopicPartition("app-counts-changelog", 0)


def app(*, accept_loss: bool) -> Any:
    return SimpleNamespace(
        settings=SimpleNamespace(accept_loss=accept_loss),
        stats=SimpleNamespace(losses_accepted=0),
        chunk_tables=[SimpleNamespace(name="counts", changelog=PLACE.topic)],
    )


def committed(*positions: Position) -> dict[int, list[Note]]:
    """The notes of one input for each position."""
    return notes_of(
        {
            TopicPartition(f"in-{number}", 0): OffsetAndMetadata(5, Note(7, {"counts": position}).text())
            for number, position in enumerate(positions)
        }
    )


def test_a_log_that_lost_its_end_and_grew_again_is_another_one_for_stores_from_before() -> None:
    before = Position(Origin("a1", 0), 9)
    logs, lost = checked(app(accept_loss=True), committed(before), {PLACE: Log(before.origin, 3)})
    assert (logs[PLACE].origin, lost) == (Origin("a1", 0, losses=1), {0})

    after = Position(logs[PLACE].origin, 3)
    again, lost = checked(app(accept_loss=False), committed(after), {PLACE: Log(Origin("a1", 0), 99)})
    assert (again[PLACE].origin, lost) == (logs[PLACE].origin, set())


def test_a_second_loss_counts_on_from_the_input_that_knows_of_most() -> None:
    known = committed(Position(Origin("a1", 0, losses=2), 9), Position(Origin("a1", 0, losses=1), 8))
    logs, _ = checked(app(accept_loss=True), known, {PLACE: Log(Origin("a1", 0), 0)})
    assert logs[PLACE].origin.losses == 3


def test_a_loss_that_is_not_accepted_names_the_place_and_what_was_there() -> None:
    known = committed(Position(Origin("a1", 0), 9))
    with pytest.raises(
        ChangelogLostError, match=r"app-counts-changelog\[0\]: .* offsets 0 up to 9, .* holds 0 up to 3"
    ):
        checked(app(accept_loss=False), known, {PLACE: Log(Origin("a1", 0), 3)})


def test_without_notes_nothing_is_checked() -> None:
    logs = {PLACE: Log(Origin("a1", 0), 3)}
    older = notes_of({TopicPartition("in", 0): OffsetAndMetadata(5, "1700000000000")})
    assert checked(app(accept_loss=False), older, logs) == (logs, set())
