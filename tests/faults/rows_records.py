"""Rows about what comes in and what cannot be handled: poison, other schemas, disorder, late truth, dead letters (10-13, 16, 17)."""

import io
import itertools
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastavro
from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType
from signaalwissel.console.topics import admin
from signaalwissel.processors.emissions import DEAD_LETTERS
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.simulation import Simulation
from signaalwissel.schemas.contract import codec
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys
from signaalwissel.sinks.dead_letters import DeadLetterFilter, list_dead_letters

from tests.faults.load import Load, load_of, make_load
from tests.faults.run import GateFailed, Row, Run
from tests.faults.stages import ROOT
from tests.odd_records import odd_header
from tests.oracle import history
from tests.oracle.check import expected_corrections
from tests.oracle.intake import Line
from tests.oracle.wording import bsn_is_valid

_DUPLICATES_MAX = 10
_WINDOW = 10
_HEADER_BYTES = 50_000
_LARGE_BYTES = 1_000_000
_REPLAY_BOUND_S = 120
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
        places = _send(run, _bad(run.dice, good, count))
    run.product.settle(60.0)
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
        yield "signals", None, value, []
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


def _send(run: Run, records: Iterator[Bad]) -> set[tuple[str, int, int]]:
    """Publish; where each record lies."""
    producer = KafkaProducer(
        bootstrap_servers=run.product.settings.kafka_bootstrap, linger_ms=10, max_request_size=4 << 20
    )
    prefix = run.product.settings.topic_prefix
    futures = [
        producer.send(prefix + topic, key=key, value=value, headers=headers)
        for topic, key, value, headers in records
    ]
    producer.flush(timeout=60)
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
        places = _send(run, (("signals", b"k", value, []) for value in wrong))
    run.product.settle(60.0)
    run.books.read_on()
    if missing := places - run.books.places:
        raise GateFailed(f"records of other schemas are no dead letters: {sorted(missing)}")
    ended = _pytest("tests/schemas/test_compatibility.py", {})
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


def _pytest(file: str, environment: Mapping[str, str], *options: str) -> str:
    """Run a test file in a process of its own; GateFailed with the end of its output where it fails."""
    import os  # noqa: PLC0415

    ended = subprocess.run(
        [sys.executable, "-m", "pytest", file, "-q", "--no-header", *options],
        cwd=ROOT,
        env=os.environ | dict(environment),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    if ended.returncode:
        raise GateFailed(f"{file} fails: {ended.stdout[-1500:]}")
    return ended.stdout.strip().splitlines()[-1]


def disordered(seed: int, municipality: str) -> Load:
    """A month in which every record comes one to ten times, signals within a window and events in any order."""
    dice = random.Random(seed)
    month = make_load(250, seed, municipality)
    whole = _sound(month.lines)
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


def _sound(lines: list[Line]) -> list[Line]:
    """Lines that are accepted, each once: of the others the order of arrival decides which one counts."""
    from tests.oracle import intake  # noqa: PLC0415

    ledger = intake.run(lines)
    gone = {refusal.line for refusal in ledger.refusals} | set(ledger.ignored)
    kept = [line for number, line in enumerate(lines) if number not in gone]
    return kept if len(kept) == len(lines) else _sound(kept)


def disorder(run: Run, load: Load) -> Mapping[str, Any]:
    """Repeats and any order on Kafka, and thousands of orders of small towns through the rules alone."""
    with run.product.publishing(load.lines, 3.0):
        orders = run.settings.times(150, 10_000)
        wrong = [seed for seed in range(orders) if not _order_holds(run.settings.seed * 100_000 + seed)]
    if wrong:
        raise GateFailed(f"{len(wrong)} orders of {orders} end otherwise, such as seeds {wrong[:5]}")
    return {"orders": orders, "records": len(load.lines)}


def _order_holds(seed: int) -> bool:
    dice = random.Random(seed)
    month = make_load(12, seed, "0344", per_resident=1.0)
    lines = [line for line in _sound(month.lines) for _ in range(dice.randint(1, 3))]
    expected = load_of(_sound(month.lines)).expected
    dice.shuffle(lines)
    simulation = Simulation(packaged_policies(for_every_code=True), ThrowawayKeys(), fresh_nonce)
    last: dict[bytes, tuple[str, str | None]] = {}
    for line in lines:
        for output in simulation.feed(line):
            if output["topic"] == "decisions":
                value = output["value"]
                hit = value["route"] == "COUNSELLOR_FOLLOWUP"
                last[bytes.fromhex(value["routing_id"].split("-")[0])] = (
                    value["route"],
                    value["trajectory_id"] if hit else None,
                )
    return last == dict(expected)


_MOMENTS = ("2026-02-01T09:00:00Z", "2026-02-03T09:00:00Z", "2026-02-05T09:00:00Z")
_LATER_EVENTS: tuple[dict[str, Any], ...] = (
    {"kind": "EXITED", "exit_reason": "COMPLETED"},
    {"kind": "EXITED", "exit_reason": "NO_SHOW"},
    {"kind": "EXITED", "exit_reason": "DECEASED"},
    {"kind": "EXITED", "exit_reason": "WITHDRAWN"},
    {"kind": "REFUSED"},
    {"kind": "ADMITTED"},
    {"kind": "OBJECTION_LODGED"},
    {"kind": "WITHDRAWN_IN_ERROR"},
    {"kind": "COUNSELLOR_ASSIGNED", "counsellor": {"counsellor_id": "c-9", "team": "team-west"}},
    {"kind": "ERASED"},
)


def _bsns() -> Iterator[str]:
    return (str(number) for number in itertools.count(200_000_000) if bsn_is_valid(str(number)))


def late_cases(municipality: str) -> list[list[Line]]:
    """Every pair of two later events and every order in which application, both events and a signal may come."""
    cases = []
    numbers = _bsns()
    for first, second in itertools.permutations(_LATER_EVENTS, 2):
        for order in ((3, 0, 1, 2), (0, 3, 1, 2), (0, 1, 3, 2), (2, 3, 0, 1), (1, 2, 0, 3)):
            cases.append(
                [_late_lines(municipality, len(cases), next(numbers), first, second)[at] for at in order]
            )
            if len(order) != len(cases[-1]):
                raise AssertionError("an order names each line once")
    return cases


def _late_lines(
    municipality: str, number: int, bsn: str, first: Mapping[str, Any], second: Mapping[str, Any]
) -> list[Line]:
    def event(sequence: int, **fields: Any) -> Line:
        moment = _MOMENTS[sequence]
        return {
            "topic": "trajectories",
            "value": {
                "event_id": f"late-{number}-{sequence}",
                "trajectory_id": f"L-{number}",
                "municipality": municipality,
                "sequence": sequence + 1,
                "occurred_on": moment[:10],
                "recorded_at": moment,
                **fields,
            },
        }

    signal = {
        "signal_id": f"late-{number}",
        "municipality": municipality,
        "partner": {"partner_id": "woonstichting", "kind": "RENT"},
        "subject": {"bsn": bsn},
        "arrears": "250.00",
        "received_at": "2026-02-10T10:00:00Z",
    }
    return [
        event(0, kind="APPLIED", clients=[{"bsn": bsn}]),
        event(1, **first),
        event(2, **second),
        {"topic": "signals", "value": signal},
    ]


def late_load(_seed: int, municipality: str) -> Load:
    """The cases, wave by wave: a line of every case, then the next of every case."""
    cases = late_cases(municipality)
    return load_of([line for wave in zip(*cases, strict=True) for line in wave])


def late_truth(run: Run, load: Load) -> Mapping[str, Any]:
    """Closure before opening, after the route, withdrawn, objected, erased: exactly the corrections that the oracle names."""
    waves = 4
    size = len(load.lines) // waves
    for number in range(waves):
        run.product.publish(load.lines[number * size : (number + 1) * size])
        run.product.settle(60.0)
    run.books.read_on()
    wrong, corrections = [], 0
    from tests.faults.load import ref_of  # noqa: PLC0415

    for name, told in history(load.lines).items():
        delivery = run.books.deliveries.get(ref_of(name))
        if delivery is None or len(delivery.revisions) != len(told):
            wrong.append(
                f"{name.signal_id}: {delivery and len(delivery.revisions)} revisions for {len(told)}"
            )
        for before, after in itertools.pairwise(told):
            corrections += len(expected_corrections(before.outcome.routing, after.outcome.routing))
    given = sum(
        1
        for (kind, name) in run.books.ids
        if kind == "correction" and bytes.fromhex(name.split("-")[0]) in load.expected
    )
    if wrong or given != corrections:
        raise GateFailed(
            f"{given} corrections for {corrections}; {len(wrong)} signals differ, such as {wrong[:3]}"
        )
    return {"cases": len(load.expected), "corrections": given}


def no_dead_letters(run: Run, load: Load) -> Mapping[str, Any]:
    """The topic of the dead letters takes nothing: nothing behind a bad record is acknowledged until it takes it."""
    product = run.product
    _set_replicas(run, 2)
    before = _committed(run)
    try:
        places = _send(run, iter([("signals", b"k", b"\x01no schema", [])]))
        with product.publishing(load.lines, 4.0):
            product.wait_until(lambda: product["intake"].ended > 0, "intake ends itself", 40.0)
        (place,) = places
        passed = [at for at in (_committed(run).get(place[:2]),) if at is not None and at > place[2]]
        if passed:
            raise GateFailed(
                f"the commit went past a record whose dead letter nobody took: {place}, {passed[0]}"
            )
    finally:
        _set_replicas(run, 1)
    product.settle(60.0)
    run.books.read_on()
    if places - run.books.places:
        raise GateFailed("the bad record is no dead letter")
    return {"held at": before.get(place[:2]), "intake ended": product["intake"].ended}


def _set_replicas(run: Run, count: int) -> None:
    settings = run.product.settings
    resource = ConfigResource(
        ConfigResourceType.TOPIC,
        settings.topic_prefix + DEAD_LETTERS,
        configs={"min.insync.replicas": str(count)},
    )
    with admin(settings) as client:
        client.alter_configs([resource])


def _committed(run: Run) -> dict[tuple[str, int], int]:
    from signaalwissel.console import runtime  # noqa: PLC0415
    from signaalwissel.console.lag import committed_offsets  # noqa: PLC0415

    settings = run.product.settings
    group = runtime.names(settings).intake_app
    prefix = settings.topic_prefix
    return {
        (partition.topic.removeprefix(prefix), partition.partition): offset
        for partition, offset in committed_offsets(settings, [group])[group].items()
    }


def replayed_load(seed: int, municipality: str) -> Load:
    """A month that is refused as a whole at first: each of its records is a dead letter once before it is handled."""
    load = make_load(80, seed, municipality, per_resident=2.0)
    lines = _sound(load.lines)
    made = load_of(lines)
    letters = Counter(
        (municipality, line["topic"], line["value"].get("signal_id") or line["value"].get("event_id"))
        for line in lines
    )
    return replace(made, letters=letters)


def replay(run: Run, load: Load) -> Mapping[str, Any]:
    """Dead letters are replayed, the command is killed in the middle, and all are replayed twice: no second effect."""
    product = run.product
    folder = product.folder / "policies"
    folder.mkdir(exist_ok=True)
    default = Path(ROOT, "processors", "default.toml")
    (folder / "default.toml").write_text(default.read_text())
    intake = product["intake"]
    usual = intake.environment
    intake.environment = {
        **usual,
        "SIGNAALWISSEL_EVERY_MUNICIPALITY": "false",
        "SIGNAALWISSEL_POLICY_DIR": str(folder),
    }
    intake.kill()
    product.publish(load.lines)
    product.settle(60.0)
    intake.environment = usual
    intake.kill()
    product.settle(60.0)
    open_before = _open_letters(run, load)
    killed = _replay(run, kill_after=run.dice.uniform(2.5, 4.0))
    left = _open_letters(run, load)
    first = _replay(run)
    second = _replay(run)
    if first or _open_letters(run, load):
        raise GateFailed(
            f"replaying ended with {first}, {_open_letters(run, load)} dead letters are still open"
        )
    return {"letters": open_before, "open after the kill": left, "exits": [killed, first, second]}


def _open_letters(run: Run, load: Load) -> int:
    (municipality,) = load.municipalities
    return len(
        [
            one
            for one in list_dead_letters(
                run.product.engine, DeadLetterFilter(municipality=municipality, limit=100_000)
            )
            if one.status == "open"
        ]
    )


def _replay(run: Run, kill_after: float | None = None) -> int:
    """Replay what waits for its municipality; the exit status."""
    product = run.product
    command = product.installation.start(
        "dead-letters", "replay", "--code", "UNKNOWN_MUNICIPALITY", "--max", "100000"
    )
    try:
        if kill_after is not None:
            time.sleep(kill_after)
            command.kill()
        return command.wait(_REPLAY_BOUND_S)
    finally:
        if command.poll() is None:
            command.kill()


ROWS = [
    Row(10, "poison of every kind", poison, 500),
    Row(11, "other schemas, older and newer producers", other_schemas, 300),
    Row(12, "repeats, reordering, shuffles", disorder, load=disordered),
    Row(13, "late truth: every pair of events in every order", late_truth, load=late_load),
    Row(16, "dead letters cannot be written", no_dead_letters, 400),
    Row(17, "dead letters replayed twice, killed in the middle", replay, load=replayed_load),
]
