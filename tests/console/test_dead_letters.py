import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from signaalwissel.processors.dead_letters import About
from signaalwissel.processors.rejection import RejectionCode
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import Header
from signaalwissel.sinks.dead_letters import REPLAYS_HEADER

from tests.console.console_support import MUNICIPALITY, CommandLine, Installation, source

SECRET = b"BSN 111222333 of Jansen"
SIGNAL: dict[str, Any] = {
    "signal_id": "s-1",
    "municipality": MUNICIPALITY,
    "partner": {"partner_id": "woonstad", "kind": "RENT"},
    "subject": {"bsn": "999990019"},
    "arrears": "500.00",
    "received_at": "2026-02-03T10:00:00Z",
    "crisis": False,
    "warm_transfer": False,
    "collection_effort_attested": True,
}


def test_a_list_tells_place_and_rule_and_never_the_original(
    stored: Installation, signaalwissel: CommandLine
) -> None:
    letter = stored.refuse(source(value=SECRET))
    listed = signaalwissel("dead-letters", "list")
    plain = signaalwissel("dead-letters", "list", "--json")
    shown = signaalwissel("dead-letters", "show", letter.dead_letter_id)
    assert (listed.code, plain.code, shown.code) == (0, 0, 0)
    assert letter.dead_letter_id in listed.out
    assert "signals[0]@7" in shown.out
    assert plain.lines[0] | {"timestamp": "", "dead_letter_id": ""} == {
        "dead_letter_id": "",
        "stage": "intake",
        "topic": "signals",
        "partition": 0,
        "offset": 7,
        "timestamp": "",
        "code": "UNREADABLE",
        "field": "arrears",
        "rule": "must be a number",
        "municipality": MUNICIPALITY,
        "record_id": "s-1",
        "status": "open",
        "replays": 0,
    }
    everything = listed.out + plain.out + shown.out
    assert "111222333" not in everything
    assert letter.sealed.hex() not in everything


def test_a_list_is_narrowed_by_status_code_topic_municipality_and_limit(
    stored: Installation, signaalwissel: CommandLine
) -> None:
    first = stored.refuse(source(offset=1))
    second = stored.refuse(source("trajectories", 2), RejectionCode.ORPHANED_EVENT)
    third = stored.refuse(source(offset=3), about=About())
    signaalwissel("dead-letters", "park", first.dead_letter_id)

    def ids(*options: object) -> list[str]:
        ended = signaalwissel("dead-letters", "list", "--json", *options)
        return [line["dead_letter_id"] for line in ended.lines]

    assert ids() == [third.dead_letter_id, second.dead_letter_id]
    assert ids("--status", "parked") == [first.dead_letter_id]
    assert len(ids("--status", "all")) == 3
    assert ids("--code", "ORPHANED_EVENT") == [second.dead_letter_id]
    assert ids("--topic", "signals") == [third.dead_letter_id]
    assert ids("--municipality", MUNICIPALITY) == [second.dead_letter_id]
    assert ids("--limit", 1) == [third.dead_letter_id]


def test_showing_an_unknown_dead_letter_ends_with_1(stored: Installation, signaalwissel: CommandLine) -> None:
    ended = signaalwissel("dead-letters", "show", "nothing")
    assert (ended.code, ended.out) == (1, "")
    assert "none with this id" in ended.err


def test_a_replay_sends_key_value_and_headers_to_the_topic_and_marks_it(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    letter = installation.refuse(source(value=SECRET))
    ended = signaalwissel("dead-letters", "replay", letter.dead_letter_id, "--json")
    (record,) = installation.records("signals", 1)
    assert ended.code == 0
    assert ended.lines == [
        {
            "dead_letter_id": letter.dead_letter_id,
            "topic": f"{installation.prefix}signals",
            "result": "replayed",
            "problem": None,
        }
    ]
    assert (record.key, record.value) == (b"partner/s-1", SECRET)
    assert list(record.headers) == [("ce_id", b"e-1"), (REPLAYS_HEADER, b"1")]
    assert installation.status(letter) == "replayed"
    assert "111222333" not in ended.out + ended.err


def test_a_header_without_a_value_is_replayed_with_an_empty_one(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    letter = installation.refuse(source(headers=(Header("flag", None), Header("ce_id", b"e-1"))))
    ended = signaalwissel("dead-letters", "replay", letter.dead_letter_id)
    assert ended.code == 0, ended.err
    (record,) = installation.records("signals", 1)
    assert list(record.headers) == [("flag", b""), ("ce_id", b"e-1"), (REPLAYS_HEADER, b"1")]


def test_the_opening_of_a_seal_is_logged(installation: Installation, signaalwissel: CommandLine) -> None:
    letter = installation.refuse(source(value=SECRET))
    ended = signaalwissel("dead-letters", "replay", letter.dead_letter_id)
    logged = [json.loads(line) for line in ended.err.splitlines()]
    assert any(letter.dead_letter_id in line["event"] for line in logged)


def test_a_topic_that_the_sink_named_with_its_prefix_is_the_same_topic(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    letter = installation.refuse(source(f"{installation.prefix}task-updates"))
    ended = signaalwissel("dead-letters", "replay", letter.dead_letter_id)
    assert ended.code == 0
    assert installation.records("task-updates", 1)[0].key == b"partner/s-1"


def test_one_that_cannot_be_replayed_does_not_stop_the_others(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    parked, exhausted, good = (
        installation.refuse(source(offset=1)),
        installation.refuse(source(offset=2, headers=(Header(REPLAYS_HEADER, b"3"),))),
        installation.refuse(source(offset=3, value=b"good")),
    )
    signaalwissel("dead-letters", "park", parked.dead_letter_id)
    ids = [letter.dead_letter_id for letter in (parked, exhausted, good)]
    ended = signaalwissel("dead-letters", "replay", *ids, "nothing", "--json")
    assert ended.code == 1
    assert [line["result"] for line in ended.lines] == ["refused", "refused", "replayed", "refused"]
    assert [installation.status(letter) for letter in (parked, exhausted, good)] == [
        "parked",
        "open",
        "replayed",
    ]
    assert installation.records("signals", 1)[0].value == b"good"
    assert installation.end_offsets("signals") == 1


def test_replaying_by_code_takes_at_most_so_many_open_ones(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    letters = [
        installation.refuse(source(offset=offset), RejectionCode.UNKNOWN_MUNICIPALITY) for offset in range(3)
    ]
    other = installation.refuse(source(offset=9))
    ended = signaalwissel("dead-letters", "replay", "--code", "UNKNOWN_MUNICIPALITY", "--max", 2)
    assert ended.code == 0
    assert sorted(map(installation.status, letters)) == ["open", "replayed", "replayed"]
    assert installation.status(other) == "open"
    assert installation.end_offsets("signals") == 2


def test_a_dry_run_sends_and_marks_nothing(installation: Installation, signaalwissel: CommandLine) -> None:
    letter = installation.refuse(source())
    ended = signaalwissel("dead-letters", "replay", letter.dead_letter_id, "nothing", "--dry-run", "--json")
    assert [line["result"] for line in ended.lines] == ["would be replayed", "refused"]
    assert ended.code == 1
    assert installation.status(letter) == "open"
    assert installation.end_offsets("signals") == 0


def test_a_destroyed_key_is_said_and_the_dead_letter_stays(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    letter = installation.refuse(source())
    day = datetime.fromtimestamp(letter.timestamp / 1000, UTC).date()
    installation.keys.destroy_day_key(MUNICIPALITY, day)
    ended = signaalwissel("dead-letters", "replay", letter.dead_letter_id)
    assert ended.code == 1
    assert "destroyed" in ended.err
    assert installation.status(letter) == "open"


def test_a_key_that_is_away_ends_with_3_and_changes_nothing(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    letter = installation.refuse(source())
    for file in (installation.key_dir / MUNICIPALITY / "day").iterdir():
        file.unlink()
    ended = signaalwissel("dead-letters", "replay", letter.dead_letter_id)
    assert ended.code == 3
    assert installation.status(letter) == "open"


def test_a_broker_that_is_away_ends_with_3_and_the_dead_letter_stays_open(
    stored: Installation, signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch
) -> None:
    letter = stored.refuse(source())
    bare_environment.setenv("SIGNAALWISSEL_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    bare_environment.setattr("signaalwissel.console.connections.BOUND_MS", 500)
    ended = signaalwissel("dead-letters", "replay", letter.dead_letter_id)
    assert ended.code == 3
    assert "127.0.0.1:1" in ended.err
    assert stored.status(letter) == "open"


@pytest.mark.parametrize("headers", [(), (Header(REPLAYS_HEADER, b"3"),)])
def test_a_mended_record_goes_out_under_its_prescribed_key_however_often_the_original_failed(
    installation: Installation, signaalwissel: CommandLine, headers: tuple[Header, ...]
) -> None:
    letter = installation.refuse(source(headers=headers))
    file = mended(installation, SIGNAL)
    ended = signaalwissel("dead-letters", "replay", letter.dead_letter_id, "--mended", file)
    (record,) = installation.records("signals", 1)
    sent = codec("EarlySignal").decode(record.value)
    assert ended.code == 0, ended.err
    assert record.key == b"woonstad/s-1"
    assert (sent.signal_id, sent.arrears) == ("s-1", 50_000)
    assert dict(record.headers)[REPLAYS_HEADER] == b"1"
    assert installation.status(letter) == "replayed"


@pytest.mark.parametrize("changes", [{"arrears": "a lot of money"}, {"subject": {"bsn": "111222334"}}])
def test_a_mended_record_that_would_be_refused_again_is_not_sent(
    installation: Installation, signaalwissel: CommandLine, changes: dict[str, Any]
) -> None:
    letter = installation.refuse(source())
    file = mended(installation, SIGNAL | changes)
    ended = signaalwissel("dead-letters", "replay", letter.dead_letter_id, "--mended", file)
    assert ended.code == 1
    assert next(iter(changes)) in ended.err
    assert "111222334" not in ended.err
    assert "a lot of money" not in ended.err
    assert installation.status(letter) == "open"
    assert installation.end_offsets("signals") == 0


def test_a_mended_task_update_goes_out_under_the_id_of_its_task(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    letter = installation.refuse(source(f"{installation.prefix}task-updates"))
    update = {
        "update_id": "u-1",
        "task_id": "t-1",
        "occurred_at": "2026-02-03T10:00:00Z",
        "kind": "ACCEPTED",
        "by": "b-17",
    }
    ended = signaalwissel(
        "dead-letters", "replay", letter.dead_letter_id, "--mended", mended(installation, update)
    )
    assert ended.code == 0, ended.err
    assert installation.records("task-updates", 1)[0].key == b"t-1"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("an-id", "--code", "UNREADABLE"),
        ("an-id", "another-id", "--mended", "file.json"),
        ("--code", "UNREADABLE", "--mended", "file.json"),
        ("--code", "UNREADABLE", "--max", 0),
    ],
)
def test_what_cannot_be_asked_for_ends_with_2(
    stored: Installation, signaalwissel: CommandLine, arguments: tuple[object, ...]
) -> None:
    assert signaalwissel("dead-letters", "replay", *arguments).code == 2


@pytest.mark.parametrize("content", ["not JSON 111222333", '["a list"]'])
def test_a_mended_file_that_is_no_record_ends_with_2_and_is_not_repeated(
    stored: Installation, signaalwissel: CommandLine, content: str
) -> None:
    letter = stored.refuse(source())
    file = stored.folder / "mended.json"
    file.write_text(content)
    ended = signaalwissel("dead-letters", "replay", letter.dead_letter_id, "--mended", file)
    assert ended.code == 2
    assert "111222333" not in ended.err


def test_parked_ones_are_reopened_and_only_open_ones_are_parked(
    stored: Installation, signaalwissel: CommandLine
) -> None:
    letter = stored.refuse(source())
    assert signaalwissel("dead-letters", "park", letter.dead_letter_id, "--dry-run").code == 0
    assert stored.status(letter) == "open"
    assert signaalwissel("dead-letters", "park", letter.dead_letter_id).code == 0
    assert stored.status(letter) == "parked"
    assert signaalwissel("dead-letters", "park", letter.dead_letter_id).code == 1
    assert signaalwissel("dead-letters", "reopen", letter.dead_letter_id).code == 0
    assert stored.status(letter) == "open"


def test_a_database_without_tables_ends_with_3(unprepared: Installation, signaalwissel: CommandLine) -> None:
    ended = signaalwissel("dead-letters", "list")
    assert ended.code == 3
    assert "start the sink" in ended.err


def test_a_database_that_is_away_ends_with_3(
    signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch
) -> None:
    bare_environment.setenv("SIGNAALWISSEL_DATABASE_URL", "postgresql://app:s3cret@127.0.0.1:1/app")
    ended = signaalwissel("dead-letters", "list")
    assert ended.code == 3
    assert "s3cret" not in ended.err


def mended(installation: Installation, value: dict[str, Any]) -> Path:
    file = installation.folder / "mended.json"
    file.write_text(json.dumps(value))
    return file
