"""Rows about records: poison, other schemas, disorder (10, 11, 12)."""

import io
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import fastavro
from kafka import KafkaProducer
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.simulation import Simulation
from signaalwissel.schemas.contract import codec
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys

from tests.faults.load import Expected, Load, load_of, make_load, sound
from tests.faults.run import GateFailed, Row, Run, Settings
from tests.faults.stages import ROOT
from tests.faults.subtests import run_tests
from tests.odd_records import odd_header
from tests.oracle.intake import Line
from tests.oracle.model import COUNSELLOR

_DUPLICATES_MAX = 10
_WINDOW = 10
_HEADER_BYTES = 50_000
_LARGE_BYTES = 1_000_000
_UNKNOWN_ID = b"\x00\x00\x00\xff\xff"


def encoded(line: Line) -> bytes:
    """A line as its Avro record in wire format."""
    record = codec("EarlySignal" if line["topic"] == "signals" else "TrajectoryEvent")
    return record.encode(record.from_json(line["value"]))


def poison(run: Run, load: Load) -> Mapping[str, Any]:
    """Bytes of every wrong kind between the good ones: each is a dead letter, and its partition goes on."""
    count = run.settings.times(2_000, 100_000)
    good = encoded(next(line for line in load.lines if line["topic"] == "signals"))
    with run.product.publishing(load.lines, 5.0):
        places = send_raw(run, _bad(run.dice, good, count))
    run.product.settle(run.settings.patience_s(60.0))
    run.books.read_on()
    missing = places - run.books.places
    if missing:
        raise GateFailed(f"{len(missing)} bad records are no dead letter, such as {sorted(missing)[:3]}")
    return {"bad records": len(places)}


Bad = tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]


def _bad(dice: random.Random, good: bytes, count: int) -> Iterator[Bad]:
    """Topic, key, value and headers of records that nobody can handle."""
    for size in (_LARGE_BYTES, _LARGE_BYTES // 2, 1):
        yield "signals", b"k", b"\x00" + dice.randbytes(size), []
    for value in (None, b"", b"\x00", b"\x00\x00\x00\x00\x01"):
        yield "signals", None if value else b"k", value, []
        yield "trajectories", b"k", value, []
    yield "signals", b"k", b"\x01magic", [("h", b"x" * _HEADER_BYTES)]
    yield "signals", b"k", b"\x01magic", [odd_header()]
    for number in range(count):
        topic = dice.choice(("signals", "signals", "trajectories"))
        key = None if number % 7 == 0 else dice.randbytes(8)
        kind = number % 4
        if kind == 0:
            yield topic, key, b"\x07" + dice.randbytes(dice.randrange(1, 300)), []
        elif kind == 1:
            yield topic, key, _UNKNOWN_ID + dice.randbytes(dice.randrange(1, 300)), []
        elif kind == 2:
            yield "signals", key, good[: dice.randrange(5, len(good))], []
        else:
            # Bytes that are no UTF-8 where the first text lies.
            yield "signals", key, good[:6] + b"\xff\xfe" + good[8:], []


def send_raw(run: Run, records: Iterator[Bad]) -> set[tuple[str, int, int]]:
    """Publish; where each record lies."""
    producer = KafkaProducer(
        bootstrap_servers=run.product.settings.kafka_bootstrap, linger_ms=10, max_request_size=4 << 20
    )
    prefix = run.product.settings.topic_prefix
    futures = [
        producer.send(prefix + topic, key=key, value=value, headers=headers)
        for topic, key, value, headers in records
    ]
    producer.flush(timeout=run.settings.patience_s(60.0))
    sent = [future.get(timeout=10) for future in futures]
    producer.close()
    return {(one.topic.removeprefix(prefix), one.partition, one.offset) for one in sent}


def other_schemas(run: Run, load: Load) -> Mapping[str, Any]:
    """Producers that are older, newer or wrong: what cannot be read is a dead letter, and no committed schema is broken."""
    good = next(line for line in load.lines if line["topic"] == "signals")
    event = next(line for line in load.lines if line["topic"] == "trajectories")
    wrong = [
        _by_newer_enum("EarlySignal", encoded(good), ("partner", "kind")),
        _by_newer_enum("TrajectoryEvent", encoded(event), ("kind",)),
        encoded(event)[:5] + encoded(good)[5:],
        encoded(good)[:1] + b"\x00\x00\x00\x09" + encoded(good)[5:],
        _UNKNOWN_ID + encoded(good)[5:],
        encoded(good)[5:],
    ]
    with run.product.publishing(load.lines, 3.0):
        places = send_raw(run, (("signals", b"k", value, []) for value in wrong))
    run.product.settle(60.0)
    run.books.read_on()
    if missing := places - run.books.places:
        raise GateFailed(f"records of other schemas are no dead letters: {sorted(missing)}")
    ended = run_tests("tests/schemas/test_compatibility.py", {})
    return {"records": len(wrong), "test_compatibility.py": ended}


def _by_newer_enum(name: str, data: bytes, path: Sequence[str]) -> bytes:
    """The record as a producer writes it whose enum has a symbol that nobody here knows."""
    schema = fastavro.schema.load_schema(str(ROOT / "schemas" / f"{name}.v1.avsc"), _write_hint=False)
    record: Any = fastavro.schemaless_reader(io.BytesIO(data[5:]), schema, None)
    node, holder = schema, record
    for step in path:
        node = next(one for one in node["fields"] if one["name"] == step)["type"]
        if step != path[-1]:
            holder = holder[step]
    node["symbols"] = [*node["symbols"], "OF_TOMORROW"]
    holder[path[-1]] = "OF_TOMORROW"
    written = io.BytesIO()
    fastavro.schemaless_writer(written, fastavro.parse_schema(_anew(schema)), record)
    return data[:5] + written.getvalue()


def _anew(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _anew(value) for key, value in schema.items() if not key.startswith("__")}
    return [_anew(one) for one in schema] if isinstance(schema, list) else schema


def disordered(_settings: Settings, seed: int, municipality: str) -> Load:
    """A month in which every record comes one to ten times, signals within a window and events in any order."""
    dice = random.Random(seed)
    month = make_load(250, seed, municipality)
    whole = sound(month.lines)
    events = [line for line in whole if line["topic"] != "signals" for _ in range(dice.randint(1, 3))]
    dice.shuffle(events)
    signals = [line for line in whole if line["topic"] == "signals"]
    repeated = [line for line in signals for _ in range(dice.randint(1, _DUPLICATES_MAX))]
    keyed = sorted(enumerate(repeated), key=lambda one: one[0] + dice.uniform(0, _WINDOW))
    sent = [line for _, line in keyed]
    at = dice.randrange(len(events))
    load = load_of(whole)
    return replace(
        load,
        lines=[*events[:at], *sent, *events[at:]],
        ignored=len(sent) - len(load.expected),
        signals=len(sent),
        letters=Counter(),
    )


def disorder(run: Run, load: Load) -> Mapping[str, Any]:
    """Repeats and any order on Kafka, and thousands of orders of small towns through the rules alone."""
    with run.product.publishing(load.lines, 3.0):
        orders = run.settings.times(60, 10_000)
        held = _orders(run.settings.seed * 100_000, orders)
    if wrong := [seed for seed, right in held.items() if not right]:
        raise GateFailed(f"{len(wrong)} orders of {orders} end otherwise, such as seeds {wrong[:5]}")
    return {"orders": orders, "records": len(load.lines)}


def _orders(seed: int, count: int) -> dict[int, bool]:
    """So many orders by seed, and whether each ends as the oracle says."""
    held: dict[int, bool] = {}
    while len(held) < count:
        seed += 1
        if (right := _order_holds(seed)) is not None:
            held[seed] = right
    return held


def _order_holds(seed: int) -> bool | None:
    """None where events waited too long for their application: without Kafka the clock is that of the records."""
    dice = random.Random(seed)
    once = sound(make_load(12, seed, "0344", per_resident=1.0).lines)
    lines = [line for line in once for _ in range(dice.randint(1, 3))]
    dice.shuffle(lines)
    simulation = Simulation(packaged_policies(for_every_code=True), ThrowawayKeys(), fresh_nonce)
    outputs = [output for line in lines for output in simulation.feed(line)]
    if any(output["topic"] == "dead-letters" for output in outputs):
        return None
    last = {
        bytes.fromhex(one["routing_id"].split("-")[0]): Expected(
            one["route"], one["trajectory_id"] if one["route"] == COUNSELLOR else None
        )
        for one in (output["value"] for output in outputs if output["topic"] == "decisions")
    }
    return last == load_of(once).expected


ROWS = [
    Row(10, "poison of every kind", poison, 500, 5_000),
    Row(11, "other schemas, older and newer producers", other_schemas, 300),
    Row(12, "repeats, reordering, shuffles", disorder, load=disordered),
]
