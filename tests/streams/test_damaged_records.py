"""Records damaged at random: whatever still decodes meets the rules as they run, compiled or not, and ends nothing.

Compiled code checks types at run time (docs/adr/0009), so a value that no rule expected would end the process where
plain Python goes on. Each seed damages a few thousand records, the same ones on every machine.
"""

from __future__ import annotations

from random import Random

import pytest
from signaalwissel.schemas.internal import IntakeCommandKind

from tests.streams.handler_support import DAY, PREFIX, Arrived, Sent, home_of, on_topic
from tests.streams.intake_support import IntakeStand, command_record, event_record, signal_record
from tests.streams.test_matcher_handler import MatcherStand, ended, erased, running, signal

RECORDS = 2_500
ENVELOPE = 5
"""Magic byte and schema id: damage starts behind them, so that most records reach a reader of their own."""
ODD = (
    b"\xff" * 9 + b"\x01",  # a number of 64 bits
    b"\x80" * 9 + b"\x01",  # another one, the least
    b"\xfe\xff\xff\xff\x0f",  # a length of 2^31 - 1
    b"\xed\xa0\x80",  # half a surrogate pair
    b"\x00",
)
HEADERS = ((), (("traceparent", None),), (("traceparent", b"\xff"),), (("ce_id", b"x"), ("ce_id", b"y")))


def damaged(value: bytes, chance: Random) -> bytes:
    """The bytes with one to five of them changed, put in, taken out or cut off."""
    body = bytearray(value[ENVELOPE:])
    for _ in range(chance.choice([1, 1, 1, 2, 3, 5])):
        at = chance.randrange(len(body)) if body else 0
        way = chance.random()
        if way < 0.6 and body:
            body[at] = chance.randrange(256)
        elif way < 0.75:
            body[at:at] = chance.randbytes(chance.choice([1, 2, 4, 9]))
        elif way < 0.85:
            del body[at : at + chance.choice([1, 2, 4])]
        elif way < 0.9:
            del body[at:]
        else:
            body[at : at + 1] = chance.choice(ODD)
    return value[:ENVELOPE] + bytes(body)


def inputs() -> list[Arrived]:
    """A record of each kind that intake reads."""
    return [
        signal_record(),
        event_record(),
        event_record(kind="EXITED", fields={"exit_reason": "COMPLETED"}),
        event_record(kind="OBJECTION_LODGED"),
        event_record(kind="SERVICE_OPENED", fields={"service": "BUDGET_COACHING"}),
        command_record(IntakeCommandKind.OBJECT),
    ]


def again(record: Arrived, value: bytes, offset: int, chance: Random) -> Arrived:
    """The record with other bytes, at another moment, with headers of somebody's own."""
    return Arrived(
        record.topic.removeprefix(PREFIX),
        value,
        record.key,
        home_of(record.key) if record.key else record.partition,
        offset,
        record.timestamp + chance.choice([0, DAY, 40 * DAY]),
        chance.choice(HEADERS),
    )


def letters(sent: list[Sent]) -> int:
    """How many dead letters there are; each can be read and says why."""
    refused = on_topic(sent, "dead-letters")
    assert all(one.letter.code for one in refused)
    return len(refused)


@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_input_is_refused_or_routed_and_never_ends_a_process(seed: int) -> None:
    chance, intake, matcher = Random(seed), IntakeStand(), MatcherStand()
    good = inputs()
    refused = passed = 0
    for offset in range(RECORDS):
        base = chance.choice(good)
        sent = intake.take(again(base, damaged(base.value or b"", chance), offset, chance))
        refused += letters(sent)
        for event in on_topic(sent, "resident-events"):
            assert event.key is not None
            passed += 1
            matcher.take(Arrived("resident-events", event.value, event.key, home_of(event.key), offset))
    assert refused > RECORDS // 5
    assert passed > RECORDS // 20


@pytest.mark.parametrize("seed", [3, 4])
def test_damaged_internal_records_are_refused_or_told_and_never_end_the_matcher(seed: int) -> None:
    chance, matcher = Random(seed), MatcherStand()
    good = [signal(), running(), ended(), erased()]
    refused = told = 0
    for offset in range(RECORDS):
        base = chance.choice(good)
        value = damaged(base.value or b"", chance) if chance.random() < 0.8 else base.value or b""
        sent = matcher.take(again(base, value, offset, chance))
        refused += letters(sent)
        told += len(on_topic(sent, "decisions"))
    assert refused > RECORDS // 5
    assert told > RECORDS // 100
