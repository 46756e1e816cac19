"""The lives of the canary run's residents: every path of an installation at DEBUG, with crashes and kills on the way."""

import json
import os
import signal as signals
from typing import Any

from kafka import KafkaProducer
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskKind, TaskUpdateKind
from signaalwissel.schemas.units import Millis
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.tables import tasks
from sqlalchemy import select

from tests.odd_records import Name
from tests.privacy import haystacks, people
from tests.privacy.process import CRASH_VARIABLE
from tests.privacy.town import COMMAND_BOUND_S, MUNICIPALITY, PARTITIONS, Town
from tests.privacy.visits import ask_for_rights, import_files, over_http, rotate
from tests.processors.followup_support import update
from tests.system.installation import Installation

_REPORTED_AT: Millis = 1_792_540_800_000  # 21 October 2026


def live(town: Town, crowd: int, *servers: int) -> None:
    """Let every resident go through his path."""
    product = town.product
    town.run("keys", "create", MUNICIPALITY)
    stages = {
        "intake": town.start("worker", "--only", "intake", **{CRASH_VARIABLE: "S-crash"}),
        "matcher": town.start("worker", "--only", "matcher"),
        "sink": town.start("sink"),
    }
    product.publish(people.known())
    product.settle()
    product.publish(people.good())
    _publish_broken(product)
    product.settle(sink=True)
    _confirm(product)
    product.publish([people.applied("late", "2026-11-02T09:00:00Z")])
    product.settle(sink=True)
    town.watch(*servers)
    _crash(town, stages)
    _kill(town, stages, crowd)
    product.settle(sink=True)
    _use_commands(town)
    product.settle(sink=True)
    over_http(town)
    import_files(town)
    rotate(town)
    ask_for_rights(town)
    product.settle(sink=True)
    product.wait_until(lambda: bool(town.open_klant.tasks), "Open Klant has tasks")
    product.wait_until(lambda: bool(town.collector.spans), "the processing log has lines")
    with open_engine(product.database_url, name="test").connect() as connection:
        town.seen += haystacks.tables(connection)
    town.run("retention", "run", "--json")
    product.settle(sink=True)


def _publish_broken(product: Installation) -> None:
    product.publish(people.refused().values())
    record = codec("EarlySignal")
    encoded = record.encode(record.from_json(people.told("broken", "S-cut")["value"]))
    person = people.PEOPLE["broken"]
    number, name = (people.value_of(person, field).encode() for field in ("bsn", "surname"))
    producer = KafkaProducer(bootstrap_servers=product.bootstrap, max_request_size=4 << 20)
    headers = [
        ("tracestate", b"bank=" + number),
        ("traceparent", b"00-" + number),
        (Name(name), name),
        ("ce_subject", number),
    ]
    for value in (*people.broken(encoded).values(), None):
        producer.send(f"{product.prefix}signals", value, key=number, headers=headers)
    # The same one comes through every partition, so that all but one of them move it.
    moved = record.encode(record.from_json(people.told("moved", "S-moved")["value"]))
    for partition in range(PARTITIONS):
        producer.send(f"{product.prefix}signals", moved, key=number, headers=headers, partition=partition)
    producer.send(f"{product.prefix}task-updates", b"\x01" + name + number, key=number, headers=headers)
    producer.flush(timeout=60)
    producer.close()


def _confirm(product: Installation) -> None:
    """The counsellor confirms who lives at the address."""
    with open_engine(product.database_url, name="test").connect() as connection:
        query = select(tasks).where(tasks.c.kind == TaskKind.VERIFY_IDENTITY.value)
        (task,) = connection.execute(query).mappings()
    trajectory_id, client = task["candidates"][0]
    said = update(
        TaskUpdateKind.IDENTITY_CONFIRMED, task["task_id"], occurred_at=_REPORTED_AT,
        trajectory_id=trajectory_id, client=client,
    )  # fmt: skip
    product.send_raw("task-updates", codec("TaskUpdate").encode(said))
    product.settle(sink=True)


def _crash(town: Town, stages: dict[str, Any]) -> None:
    """An exception inside a handler ends intake; the next one, without the defect, handles the record."""
    town.product.publish([people.told("crashing", "S-crash")])
    town.crash_status = stages["intake"].wait(COMMAND_BOUND_S)
    stages["intake"] = town.start("worker", "--only", "intake")


def _kill(town: Town, stages: dict[str, Any], crowd: int) -> None:
    lines = list(people.crowd(crowd))
    part = -(-len(lines) // len(stages))
    for number, name in enumerate(("intake", "matcher", "sink")):
        town.product.publish(lines[number * part : (number + 1) * part])
        os.kill(stages[name].pid, signals.SIGKILL)
        stages[name].wait()
        command = ("sink",) if name == "sink" else ("worker", "--only", name)
        stages[name] = town.start(*command)


def _use_commands(town: Town) -> None:
    """Everything that a person may ask for, and what he is refused."""
    product = town.product
    letters = [json.loads(line) for line in town.run("dead-letters", "list", "--json").splitlines()]
    for letter in letters:
        town.run("dead-letters", "show", letter["dead_letter_id"])
    town.run("dead-letters", "replay", "--code", "PUBLISHER_NOT_ALLOWED", "--json")
    mended = town.papers / "mended.json"
    mended.write_text(json.dumps(people.told("broken", "S-mended")["value"]), "utf-8")
    wrong = next(letter["dead_letter_id"] for letter in letters if letter["field"] == "arrears")
    town.run("dead-letters", "replay", wrong, "--mended", str(mended))
    for routed in (product.read("counsellor-followup")[0], product.read("regular-flow")[0]):
        town.run("open-sealed", "-", given=routed.value)
    town.run(
        "open-sealed",
        "-",
        given=b"\x01" + people.value_of(people.PEOPLE["broken"], "bsn").encode(),
        codes=frozenset({2}),
    )
    lines = town.papers / "lines.jsonl"
    bad = [*people.refused().values(), {"topic": "signals", "value": {"subject": {"bsn": 45298415}}}]
    lines.write_text(
        "\n".join(map(json.dumps, bad)) + '\n{"topic": "signals", "value": {"bsn": "892551732"', "utf-8"
    )
    for command in ("validate", "simulate", "publish"):
        town.run(command, str(lines), codes=frozenset({1, 2}))
    for signal_id in ("S-hit", "S-late", "S-address"):
        town.run("signal", "show", signal_id)
    town.run("report", "new-arrears", "--json")
    town.run("audit", "verify", codes=frozenset({0, 1}))
    town.run("doctor", codes=frozenset({0, 1}))
