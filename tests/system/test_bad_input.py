"""Bad input of every kind becomes a dead letter that says what and where, and the partition moves on."""

import os
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from signaalwissel.processors.simulation_lines import Line
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskUpdateKind
from signaalwissel.schemas.trajectory import TrajectoryEventKind
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.dead_letters import DeadLetterFilter, DeadLetterRow, list_dead_letters

from tests.odd_records import odd_header
from tests.processors.followup_support import decision, update
from tests.sinks.clock_support import state
from tests.system.installation import Installation
from tests.system.lines import BSN, applied, event, signal

pytestmark = pytest.mark.timeout(300)

GOOD = signal("good", "2026-02-10")


def encoded(line: Line) -> bytes:
    record = codec("EarlySignal" if line["topic"] == "signals" else "TrajectoryEvent")
    return record.encode(record.from_json(line["value"]))


def send(product: Installation, topic: str, values: list[bytes], **options: Any) -> None:
    """Publish values in one batch, with the headers that `options` name or compressed as they say."""
    headers = options.pop("headers", None)
    producer = KafkaProducer(
        bootstrap_servers=product.bootstrap, max_request_size=4 << 20, linger_ms=500, **options
    )
    for value in values:
        producer.send(product.prefix + topic, value=value, key=b"k", headers=headers)
    producer.flush(timeout=60)
    producer.close()


def kept_letters(product: Installation) -> list[DeadLetterRow]:
    """What the sink keeps of what could not be handled, in order of its place."""
    engine = open_engine(product.database_url, name="test")
    return sorted(list_dead_letters(engine, DeadLetterFilter()), key=lambda one: (one.topic, one.offset))


RULES = {
    "subject.bsn": signal("bsn", "2026-02-10", subject={"bsn": "123456789"}),
    "subject.postcode": signal("postcode", "2026-02-10", subject={"postcode": "12345", "house_number": 1}),
    "municipality": signal("municipality", "2026-02-10", municipality="GM0344"),
    "subject": signal("nobody", "2026-02-10", subject={"surname": "Jansen"}),
    "arrears": signal("nothing", "2026-02-10", arrears="0.00"),
    "signalled_on": signal("future", "2026-02-10", signalled_on="2026-02-11"),
    "subject.birth_date": signal("old", "2026-02-10", subject={"bsn": BSN, "birth_date": "1899-12-31"}),
    "exit_reason": event("EXITED", 3, "2026-01-05"),
    "clients": event("APPLIED", 4, "2026-01-05", trajectory_id="T2"),
}

BROKEN = {
    "NULL_VALUE": None,
    "NOT_WIRE_FORMAT": b"\x01garbage",
    "UNKNOWN_SCHEMA_ID": b"\x00\x00\x00\xff\xff" + b"x" * 20,
    "UNREADABLE": encoded(GOOD)[:-5],
    "TOO_LARGE": b"\x00" + random.Random(1).randbytes(1 << 20)[:1_000_000],
}


def test_every_kind_of_bad_input_is_a_dead_letter_and_the_partition_moves_on(
    install: Callable[..., Installation],
) -> None:
    product = install(partitions=1)
    product.start("worker")
    product.publish([applied("2026-01-01")])
    product.publish(RULES.values())
    for number, value in enumerate(BROKEN.values()):
        product.send_raw("signals", value, key=None if number % 2 else b"some/key")
    product.publish([GOOD])
    product.settle()

    letters = product.dead_letters()
    assert {letter.field for letter in letters if letter.code in {"INVALID_FIELD", "MISSING_FIELD"}} == set(
        RULES
    )
    assert {letter.code for letter in letters if letter.field is None} >= set(BROKEN) - {"UNREADABLE"}
    unreadable = next(letter for letter in letters if letter.code == "UNREADABLE")
    assert unreadable.topic == "signals"
    assert len(letters) == len(RULES) + len(BROKEN)
    assert [decision.signal_id for decision in product.decisions()] == ["good"]


def test_a_dead_letter_tells_nothing_of_the_person(install: Callable[..., Installation]) -> None:
    product = install(partitions=1)
    product.start("worker")
    product.publish([RULES["subject.bsn"], RULES["subject"]])
    product.settle()
    for record in product.read("dead-letters"):
        told = record.value + b"".join(value for _, value in record.headers) + record.key
        assert b"123456789" not in told
        assert b"Jansen" not in told


def test_a_municipality_without_policy_waits_as_a_dead_letter_until_it_has_one(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    default = Path(__file__).parents[2] / "processors" / "default.toml"
    (policies / "default.toml").write_text(default.read_text())
    product = install(partitions=1, extra={"SIGNAALWISSEL_POLICY_DIR": str(policies)})
    worker = product.start("worker")
    product.publish([signal("early", "2026-02-10")])
    product.settle()
    assert [letter.code for letter in product.dead_letters()] == ["UNKNOWN_MUNICIPALITY"]

    worker.terminate()
    worker.wait(60)
    (policies / "0344.toml").write_text("[teams]\ndefault = 'team-noord'\n")
    assert product.start("keys", "create", "0344").wait(60) == 0
    product.start("worker")
    product.start("sink")
    product.settle(sink=True)
    letter = product.dead_letters()[0]
    replayed = product.start("dead-letters", "replay", letter.dead_letter_id)
    assert replayed.wait(60) == 0, product.logs()
    product.settle()
    assert [decision.signal_id for decision in product.decisions()] == ["early"]


def test_ten_thousand_random_records_are_ten_thousand_dead_letters(
    install: Callable[..., Installation],
) -> None:
    product = install(partitions=1)
    product.start("worker")
    dice = random.Random(os.environ.get("PYTEST_SEED", "4711"))
    values = [dice.randbytes(dice.randrange(1, 200)) for _ in range(5_000)]
    good = encoded(GOOD)
    values += [good[: dice.randrange(5, len(good))] for _ in range(5_000)]
    product.send_many("signals", values)
    product.publish([GOOD])
    product.settle()
    assert len(product.read("dead-letters")) == len(values)
    assert [decision.signal_id for decision in product.decisions()] == ["good"]


ONE_MEGABYTE = [(f"header-{number}", b"x" * 10_000) for number in range(100)]


@pytest.mark.parametrize("headers", [[odd_header()], ONE_MEGABYTE], ids=["not UTF-8", "1 MB"])
def test_headers_of_any_name_and_size_cost_neither_a_good_nor_a_bad_record(
    install: Callable[..., Installation], headers: list[tuple[str, bytes]]
) -> None:
    product = install(partitions=1)
    product.start("worker")
    product.start("sink")
    reported = codec("TaskUpdate").encode(update(TaskUpdateKind.ACCEPTED, "nowhere"))
    for value in (b"\x01garbage", encoded(GOOD)):
        send(product, "signals", [value], headers=headers)
    for value in (b"\x01garbage", reported):
        send(product, "task-updates", [value], headers=headers)
    product.publish([signal("after", "2026-02-10")])
    product.settle(sink=True)
    told = [
        (letter.topic.removeprefix(product.prefix), letter.offset, letter.code)
        for letter in kept_letters(product)
    ]
    assert sorted(told) == [
        ("signals", 0, "NOT_WIRE_FORMAT"),
        ("task-updates", 0, "NOT_WIRE_FORMAT"),
        ("task-updates", 1, "UNKNOWN_TASK"),
    ]
    assert [made.signal_id for made in product.decisions()] == ["good", "after"]


def test_an_absurd_internal_record_is_a_dead_letter_with_field_and_rule(
    install: Callable[..., Installation],
) -> None:
    product = install(partitions=1)
    product.start("sink")
    last_day = date(9999, 12, 31)
    told = state((TrajectoryEventKind.APPLIED, date(2026, 1, 1)))
    late = told._replace(facts=(told.facts[0]._replace(occurred_on=last_day),))
    send(product, "decisions", [
        codec("Decision").encode(absurd)
        for absurd in (decision(last_day=last_day), decision("s" * 5000), decision("good"))
    ])  # fmt: skip
    send(product, "trajectory-states", [
        codec("TrajectoryState").encode(absurd)
        for absurd in (late, told._replace(trajectory_id="T" * 5000), told)
    ])  # fmt: skip
    product.settle(sink=True)
    days, ids = "must lie between 1900 and 2999", "must have 1 to 200 printable characters"
    assert [
        (one.topic.removeprefix(product.prefix), one.offset, one.field, one.rule)
        for one in kept_letters(product)
    ] == [
        ("decisions", 0, "last_day", days),
        ("decisions", 1, "signal_id", ids),
        ("trajectory-states", 0, "facts[0].occurred_on", days),
        ("trajectory-states", 1, "trajectory_id", ids),
    ]
    assert {(one.stage, one.code) for one in kept_letters(product)} == {("sink", "INVALID_FIELD")}


def test_a_compressed_batch_is_read_like_any_other(install: Callable[..., Installation]) -> None:
    product = install(partitions=1)
    product.start("worker")
    product.start("sink")
    values = [encoded(signal(f"s{number}", "2026-02-10")) for number in range(50)]
    send(product, "signals", [*values, b"\x01garbage"], compression_type="gzip")
    product.settle(sink=True)
    assert [made.signal_id for made in product.decisions()] == [f"s{number}" for number in range(50)]
    assert [(one.topic, one.offset, one.code) for one in kept_letters(product)] == [
        ("signals", 50, "NOT_WIRE_FORMAT")
    ]
