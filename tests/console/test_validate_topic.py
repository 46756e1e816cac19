"""`validate` on a topic: every record is looked at as it lies there, and what is told never holds what was sent."""

from pathlib import Path

import pytest
from kafka import TopicPartition
from signaalwissel.console.topic_reading import shared_out
from signaalwissel.processors.public_topics import examples
from signaalwissel.schemas.contract import codec

from tests.console.console_support import CommandLine, Installation
from tests.console.files_support import file_with
from tests.odd_records import send_odd
from tests.system.lines import applied, signal

PRIVATE = "Geheim-4711"


def send(installation: Installation, topic: str, *values: bytes | None) -> None:
    producer = installation.producer()
    for value in values:
        producer.send(topic, value=value, key=PRIVATE.encode(), partition=0).get(timeout=20)
    producer.close()


def encoded(**fields: object) -> bytes:
    kind = codec("EarlySignal")
    return kind.encode(kind.from_json({**examples()["signals"][0], **fields}))


def test_what_our_own_publish_sends_keeps_to_the_contract(
    signaalwissel: CommandLine, installation: Installation, tmp_path: Path
) -> None:
    lines = [applied("2026-01-01"), *(signal(f"s{number}", "2026-02-10") for number in range(5))]
    assert signaalwissel("publish", file_with(tmp_path, lines)).code == 0
    ended = signaalwissel("validate", "signals")
    assert (ended.code, ended.out) == (
        0,
        "5 records checked, 0 would be refused, 0 more break the contract otherwise\n",
    )
    assert signaalwissel("validate", f"{installation.prefix}trajectories", "--json").out == ""


def test_every_finding_names_its_place_and_rule_and_never_what_was_sent(
    signaalwissel: CommandLine, installation: Installation
) -> None:
    person = {"bsn": "123456789", "surname": PRIVATE}
    name = installation.prefix + "signals"
    send(installation, name, PRIVATE.encode(), encoded(subject=person), encoded(), None)
    ended = signaalwissel("validate", "signals", "--json")
    assert ended.code == 1
    assert [(one["partition"], one["offset"], one["code"], one["field"]) for one in ended.lines] == [
        (0, 0, "NOT_WIRE_FORMAT", None),
        (0, 1, "INVALID_FIELD", "subject.bsn"),
        (0, 1, "OTHER_KEY", "key"),
        *([(0, 1, "OTHER_PARTITION", "partition")] if other_partition(ended.lines, 1) else []),
        (0, 2, "OTHER_KEY", "key"),
        *([(0, 2, "OTHER_PARTITION", "partition")] if other_partition(ended.lines, 2) else []),
        (0, 3, "NULL_VALUE", None),
    ]
    assert {one["topic"] for one in ended.lines} == {name}
    assert next(one["record_id"] for one in ended.lines if one["offset"] == 1) == "S-1"
    told = signaalwissel("validate", "signals")
    assert told.out.endswith("4 records checked, 3 would be refused, 1 more break the contract otherwise\n")
    assert PRIVATE not in ended.out + told.out
    assert "123456789" not in ended.out + told.out


def other_partition(lines: list[dict[str, object]], offset: int) -> bool:
    # Which partition is that of the key is murmur2's business, and of tests/processors/test_wire_findings.py.
    return any(one["offset"] == offset and one["code"] == "OTHER_PARTITION" for one in lines)


def test_a_topic_of_any_name_is_held_against_the_rules_that_are_named(
    signaalwissel: CommandLine, installation: Installation
) -> None:
    name = installation.prefix + "tasks"
    send(installation, name, encoded())
    assert (
        signaalwissel("validate", name, "--as", "trajectories", "--json").lines[0]["code"]
        == "UNKNOWN_SCHEMA_ID"
    )
    assert {one["code"] for one in signaalwissel("validate", name, "--as", "signals", "--json").lines} <= {
        "OTHER_KEY",
        "OTHER_PARTITION",
    }


def test_a_header_whose_name_is_no_text_stops_nothing(
    signaalwissel: CommandLine, installation: Installation
) -> None:
    send_odd(installation.bootstrap, installation.prefix + "signals", PRIVATE.encode(), partition=0)
    assert [one["code"] for one in signaalwissel("validate", "signals", "--json").lines] == [
        "NOT_WIRE_FORMAT"
    ]


def test_only_the_newest_records_are_looked_at(
    signaalwissel: CommandLine, installation: Installation
) -> None:
    send(installation, installation.prefix + "signals", *[b"x"] * 5)
    found = signaalwissel("validate", "signals", "--max", "2", "--json").lines
    assert [one["offset"] for one in found] == [3, 4]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("no-such.jsonl",), "there is no such file, and no public topic of this name"),
        (("signals", "--as", "decisions"), "there is no such file, and no public topic of this name"),
        (("no-such-topic", "--as", "signals"), "has no topic no-such-topic"),
        (("signals.nobody",), "has no topic"),
    ],
)
def test_what_is_neither_file_nor_topic_ends_with_2_and_says_what_to_do(
    signaalwissel: CommandLine, installation: Installation, arguments: tuple[str, ...], says: str
) -> None:
    ended = signaalwissel("validate", *arguments)
    assert (ended.code, says in ended.err) == (2, True), ended.err


def test_without_kafka_it_ends_with_3(
    signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch
) -> None:
    bare_environment.setenv("SIGNAALWISSEL_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    assert signaalwissel("validate", "signals").code == 3


@pytest.mark.parametrize(
    ("held", "most", "shares"),
    [
        ([5, 5], 4, [2, 2]),
        ([1, 9], 4, [1, 3]),
        ([9, 1], 4, [3, 1]),
        ([0, 0], 4, [0, 0]),
        ([2, 2], 100, [2, 2]),
        ([9, 9, 9], 1, [0, 0, 1]),
    ],
)
def test_what_one_partition_leaves_goes_to_the_others(held: list[int], most: int, shares: list[int]) -> None:
    partitions = {TopicPartition("t", number): count for number, count in enumerate(held)}
    assert list(shared_out(partitions, most).values()) == shares
