"""Moved records: handled in the partition of their prescribed key, and known by the place that the publisher knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from signaalwissel.processors.reading import RECORD_SIZE_MAX
from signaalwissel.processors.rejection import RejectionCode
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.early_signal_codec import read_early_signal
from signaalwissel.schemas.internal import Header
from signaalwissel.streams.moved import Mover
from signaalwissel.streams.outputs import ChunkOutputs

from tests.streams.handler_support import (
    NAMES,
    PARTITIONS,
    TRACE,
    Arrived,
    CollectedOutputs,
    Sent,
    away_from,
    home_of,
)
from tests.streams.intake_support import SIGNAL_KEY, TRAJECTORY_KEY, IntakeStand, event_record, signal_record

THEIRS = (TRACE, ("ce_id", b"theirs"))
PLACE = (
    ("moved-from-topic", b"signals"),
    ("moved-from-partition", b"3"),
    ("moved-from-offset", b"1042"),
)


def moved(mover: Mover, record: Arrived) -> list[Sent]:
    """What the mover sends of a record."""
    outputs = CollectedOutputs()
    if "signals" in record.topic:
        was_moved = mover.move_signal(record, read_early_signal(record.value or b""), outputs)
    else:
        event = codec("TrajectoryEvent").decode(record.value or b"")
        was_moved = mover.move_event(record, event, outputs)
    assert was_moved == bool(outputs.sent)
    return outputs.sent


def as_read(sent: Sent, key: bytes) -> Arrived:
    """A sent record as its reader gets it."""
    return Arrived(sent.topic, sent.value, sent.key, home_of(key), offset=7, headers=sent.headers)


@pytest.mark.parametrize(
    ("record", "topic", "key"),
    [
        (signal_record(partition=away_from(SIGNAL_KEY), headers=THEIRS), "signals-moved", SIGNAL_KEY),
        (
            signal_record("signals.woonstad", partition=away_from(SIGNAL_KEY)),
            "signals-moved",
            SIGNAL_KEY,
        ),
        (event_record(partition=away_from(TRAJECTORY_KEY)), "trajectories-moved", TRAJECTORY_KEY),
        (
            event_record("trajectories.stratech", partition=away_from(TRAJECTORY_KEY)),
            "trajectories-moved",
            TRAJECTORY_KEY,
        ),
    ],
)
def test_a_record_elsewhere_goes_on_unchanged_under_its_prescribed_key(
    record: Arrived, topic: str, key: bytes
) -> None:
    (sent,) = moved(Mover(NAMES), record)
    assert (sent.topic, sent.key, sent.value) == (topic, key, record.value)
    assert sent.headers[: len(record.headers)] == tuple(record.headers)


@pytest.mark.parametrize("key", [None, SIGNAL_KEY, b"another"])
def test_a_record_that_lies_where_it_belongs_stays_whatever_its_key(key: bytes | None) -> None:
    assert moved(Mover(NAMES), signal_record(key=key)) == []


@pytest.mark.parametrize("partition", range(PARTITIONS))
def test_the_moved_topic_never_moves_a_record_again(partition: int) -> None:
    mover = Mover(NAMES)
    assert moved(mover, signal_record("signals-moved", partition=partition)) == []
    assert moved(mover, event_record("trajectories-moved", partition=partition)) == []
    assert mover.moved == {}


def test_a_moved_record_is_known_by_its_original_place_and_headers() -> None:
    mover = Mover(NAMES)
    record = signal_record(
        "signals.woonstad", partition=away_from(SIGNAL_KEY), offset=1042, key=b"odd", headers=THEIRS
    )
    (sent,) = moved(mover, record)
    source = mover.source_of(as_read(sent, SIGNAL_KEY))
    assert (source.topic, source.partition, source.offset) == ("signals.woonstad", record.partition, 1042)
    assert source.value == record.value
    assert source.headers == tuple(Header(*header) for header in THEIRS)


def test_headers_that_look_like_ours_are_replaced_not_repeated() -> None:
    mover = Mover(NAMES)
    (sent,) = moved(
        mover, signal_record(partition=away_from(SIGNAL_KEY), offset=5, headers=(*PLACE, *THEIRS))
    )
    assert sent.named["moved-from-offset"] == b"5"
    assert sent.named["moved-from-topic"] == b"signals"
    assert mover.source_of(as_read(sent, SIGNAL_KEY)).offset == 5


@pytest.mark.parametrize("topic", ["signals", "trajectories", "trajectories.long-moved"])
def test_a_publisher_cannot_claim_another_place_for_its_record(topic: str) -> None:
    source = Mover(NAMES).source_of(Arrived(topic, b"", partition=1, offset=2, headers=PLACE))
    assert (source.topic, source.partition, source.offset) == (topic, 1, 2)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param((), id="none"),
        pytest.param(PLACE[:2], id="not all"),
        pytest.param((*PLACE[:2], ("moved-from-offset", b"far")), id="no number"),
        pytest.param((*PLACE[:2], ("moved-from-offset", b"9" * 19)), id="a number that is too large"),
        pytest.param((PLACE[0], ("moved-from-partition", b"9" * 10), PLACE[2]), id="so is a partition"),
        pytest.param((*PLACE[:2], ("moved-from-offset", None)), id="no value"),
        pytest.param((("moved-from-topic", None), *PLACE[1:]), id="no topic"),
        pytest.param((("moved-from-topic", b"a\x00b"), *PLACE[1:]), id="no name of a topic"),
        pytest.param((("moved-from-topic", b"t" * 250), *PLACE[1:]), id="an endless name"),
    ],
)
def test_what_somebody_else_wrote_to_the_moved_topic_stands_where_it_stands(
    headers: Sequence[tuple[str, Any]],
) -> None:
    source = Mover(NAMES).source_of(Arrived("signals-moved", b"x", partition=1, offset=2, headers=headers))
    assert (source.topic, source.partition, source.offset) == ("signals-moved", 1, 2)


def test_a_record_that_was_not_moved_is_known_by_its_own_place_without_prefix() -> None:
    record = Arrived("signals.woonstad", b"x", b"key", 3, 9, headers=THEIRS)
    source = Mover(NAMES).source_of(record)
    assert (source.topic, source.partition, source.offset) == ("signals.woonstad", 3, 9)
    assert (source.key, source.value, source.timestamp) == (b"key", b"x", record.timestamp)


def test_moves_are_counted_by_topic() -> None:
    mover = Mover(NAMES)
    for _ in range(2):
        moved(mover, signal_record(partition=away_from(SIGNAL_KEY)))
    moved(mover, event_record("trajectories.stratech", partition=away_from(TRAJECTORY_KEY)))
    assert mover.moved == {"signals": 2, "trajectories.stratech": 1}


def test_a_header_without_value_fits_into_the_batch_of_a_moved_record() -> None:
    built = BatchBuilder(1 << 20, 0)
    outputs = ChunkOutputs(
        0, dict.fromkeys([NAMES("signals"), NAMES("signals-moved")], PARTITIONS), lambda: built
    )
    record = signal_record(partition=away_from(SIGNAL_KEY), headers=(("empty", None), TRACE))
    assert Mover(NAMES).move_signal(record, read_early_signal(record.value or b""), outputs)
    assert built.record_count() == 1


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([("big", b"x" * RECORD_SIZE_MAX)], id="a large value"),
        pytest.param([("x" * RECORD_SIZE_MAX, None)], id="a large name"),
        pytest.param([("", b"")] * RECORD_SIZE_MAX, id="very many that are empty"),
    ],
)
@pytest.mark.parametrize("made", [signal_record, event_record])
def test_a_record_whose_headers_are_too_large_to_go_on_is_refused_and_kept_whole(
    made: Callable[..., Arrived], headers: list[tuple[str, bytes | None]]
) -> None:
    stand = IntakeStand()
    key = SIGNAL_KEY if made is signal_record else TRAJECTORY_KEY
    record = made(partition=away_from(key), headers=headers)
    (letter,) = stand.take(record)
    assert letter.letter.code == RejectionCode.TOO_LARGE
    assert stand.original(letter).headers == tuple(Header(*header) for header in headers)


def test_large_headers_do_not_matter_where_a_record_lies_well() -> None:
    assert moved(Mover(NAMES), signal_record(headers=[("big", b"x" * RECORD_SIZE_MAX)])) == []
