import pytest
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import DeadLetter, Header, OriginalRecord
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.dead_letters import (
    REPLAYS_HEADER,
    REPLAYS_MAX,
    DeadLetterFilter,
    DeadLetterRow,
    DeadLetterStatus,
    ReplayRefused,
    list_dead_letters,
    mark_dead_letters,
    record,
    replay_dead_letter,
    show_dead_letter,
)
from signaalwissel.sinks.settings import DEAD_LETTERS
from sqlalchemy import Engine

from tests.sinks.sink_support import SinkBench

ORIGINAL = OriginalRecord(b"key", b"value", (Header("ce_id", b"1"),))


def letter(number: int = 1, code: str = "UNREADABLE", original: OriginalRecord = ORIGINAL) -> DeadLetter:
    sealed = codec("OriginalRecord").encode_body(original)
    return DeadLetter(
        f"d-{number}",
        "intake",
        "signals",
        0,
        number,
        1000 * number,
        code,
        "bsn",
        "r",
        "0344",
        f"s-{number}",
        sealed,
    )


def unseal(_: DeadLetterRow, sealed: bytes) -> OriginalRecord:
    original: OriginalRecord = codec("OriginalRecord").decode_body(sealed)
    return original


@pytest.fixture
def engine(database_url: str) -> Engine:
    migrate(database_url)
    engine = open_engine(database_url, name="test")
    with engine.begin() as connection:
        record(connection, [letter(1), letter(2, "INVALID_FIELD"), letter(1)])
    return engine


def test_dead_letters_of_the_topic_are_kept_once(bench: SinkBench) -> None:
    for _ in range(2):
        bench.publish(DEAD_LETTERS, b"k", codec("DeadLetter").encode(letter()))
    bench.drain()
    (row,) = list_dead_letters(bench.engine, DeadLetterFilter())
    assert (row.dead_letter_id, row.stage, row.code, row.record_id) == ("d-1", "intake", "UNREADABLE", "s-1")


def test_a_list_is_newest_first_and_filtered(engine: Engine) -> None:
    def ids(**wanted: object) -> list[str]:
        return [row.dead_letter_id for row in list_dead_letters(engine, DeadLetterFilter(**wanted))]  # type: ignore[arg-type]

    assert ids() == ["d-2", "d-1"]
    assert ids(limit=1) == ["d-2"]
    assert ids(code="UNREADABLE") == ["d-1"]
    assert ids(record_id="s-2") == ["d-2"]
    assert ids(municipality="0000") == []
    assert ids(status=DeadLetterStatus.PARKED) == []


def test_a_parked_dead_letter_is_listed_apart(engine: Engine) -> None:
    assert mark_dead_letters(engine, ["d-1", "none"], DeadLetterStatus.PARKED) == 1
    row = show_dead_letter(engine, "d-1")
    assert row is not None
    assert row.status is DeadLetterStatus.PARKED
    assert [row.dead_letter_id for row in list_dead_letters(engine, DeadLetterFilter())] == ["d-2"]
    assert show_dead_letter(engine, "none") is None


def test_a_replay_publishes_the_original_and_counts(engine: Engine) -> None:
    published: list[tuple[str, OriginalRecord]] = []
    replay_dead_letter(engine, "d-1", unseal, lambda topic, original: published.append((topic, original)))
    ((topic, original),) = published
    assert (topic, original.key, original.value) == ("signals", b"key", b"value")
    assert original.headers == (Header("ce_id", b"1"), Header(REPLAYS_HEADER, b"1"))
    row = show_dead_letter(engine, "d-1")
    assert row is not None
    assert (row.status, row.replays) == (DeadLetterStatus.REPLAYED, 1)


def test_a_replay_that_is_not_acknowledged_leaves_it_open(engine: Engine) -> None:
    def fail(_: str, __: OriginalRecord) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        replay_dead_letter(engine, "d-1", unseal, fail)
    row = show_dead_letter(engine, "d-1")
    assert row is not None
    assert (row.status, row.replays) == (DeadLetterStatus.OPEN, 0)


def test_what_is_not_open_or_not_there_is_not_replayed(engine: Engine) -> None:
    mark_dead_letters(engine, ["d-1"], DeadLetterStatus.PARKED)
    with pytest.raises(ReplayRefused, match="is parked"):
        replay_dead_letter(engine, "d-1", unseal, lambda *_: None)
    with pytest.raises(ReplayRefused, match="there is none"):
        replay_dead_letter(engine, "none", unseal, lambda *_: None)


@pytest.mark.parametrize(
    ("value", "refused"),
    [(str(REPLAYS_MAX).encode(), True), (b"2", False), (b"nonsense", False), (None, False)],
)
def test_a_record_that_keeps_failing_is_not_replayed_for_ever(
    engine: Engine, value: bytes | None, refused: bool
) -> None:
    again = letter(3, original=ORIGINAL._replace(headers=(Header(REPLAYS_HEADER, value),)))
    with engine.begin() as connection:
        record(connection, [again])
    if refused:
        with pytest.raises(ReplayRefused, match="failed again after 3 replays"):
            replay_dead_letter(engine, "d-3", unseal, lambda *_: None)
    else:
        replay_dead_letter(engine, "d-3", unseal, lambda *_: None)
