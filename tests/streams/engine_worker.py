"""A worker process for the engine's tests: counts records per key and copies each one.

Started as a program with one JSON argument (see `Plan` in engine_support.py). The last line of its output is
the final statistics as JSON.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from signaalwissel.streams import app as apps
from signaalwissel.streams.app import ChunkApp, build_app
from signaalwissel.streams.chunk import ChunkHandler, Outputs, Record
from signaalwissel.streams.gate import Gate
from signaalwissel.streams.runner import run_app
from signaalwissel.streams.settings import EngineSettings
from signaalwissel.streams.standing import standing_of
from signaalwissel.streams.table import PartitionedTable
from signaalwissel.streams.transaction_manager import ChunkTransactions
from signaalwissel.streams.transactions import PartitionTransaction

BUG = b"bug"
HUGE = b"huge"
LOST = b"lost"


class CountingCopier(ChunkHandler):
    """Copies every record to `out` with its number within the key as a header; a sweep reports the table's size."""

    def __init__(self, tables: Mapping[str, PartitionedTable], plan: Mapping[str, Any]) -> None:
        self._counts = tables["counts"]
        self._out = plan["out"]
        self._sweeps = plan.get("sweeps")
        self._pause_s = plan.get("pause_s", 0.0)
        self.index: dict[int, set[bytes]] = {}

    async def before_chunk(self, partition: int, records: Sequence[Record]) -> None:
        assert {record.partition for record in records} == {partition}

    def handle(self, partition: int, records: Sequence[Record], outputs: Outputs) -> None:
        time.sleep(self._pause_s)
        counts = self._counts
        for record in records:
            assert record.key is not None
            number = int(counts.get(record.key, b"0")) + 1
            counts[record.key] = b"%d" % number
            self.index[partition].add(record.key)
            origin = f"{record.topic}/{record.partition}/{record.offset}".encode()
            outputs.send(
                self._out, record.key, record.value, [("number", b"%d" % number), ("origin", origin)]
            )
            self._misbehave(record, outputs)

    def _misbehave(self, record: Record, outputs: Outputs) -> None:
        if record.value == BUG:
            raise ZeroDivisionError("a bug in the handler")
        if record.value == HUGE:
            outputs.send(self._out, record.key, b"x" * (2 << 20))
        if record.value == LOST:
            outputs.send("no-such-topic", record.key, b"")

    def sweep(self, partition: int, stream_time_ms: int, outputs: Outputs) -> None:
        assert self._sweeps is not None
        report = {
            "partition": partition,
            "stream_time_ms": stream_time_ms,
            "keys": self._counts.size_of(partition),
        }
        outputs.send(self._sweeps, b"%d" % partition, json.dumps(report).encode())
        for key, _value in list(self._counts.items_of(partition)):
            if key.startswith(b"old-"):
                del self._counts[key]

    def on_recovered(self, partition: int) -> None:
        assert partition not in self.index
        self.index[partition] = {key for key, _value in self._counts.items_of(partition)}

    def on_revoked(self, partition: int) -> None:
        del self.index[partition]


class Copier(ChunkHandler):
    """Copies every record to `out`, and keeps no table."""

    def __init__(self, out: str) -> None:
        self._out = out

    def handle(self, partition: int, records: Sequence[Record], outputs: Outputs) -> None:
        for record in records:
            outputs.send(self._out, record.key, record.value)


def _never_commit(partition: int) -> None:
    """What is handled of one partition stays uncommitted, without a failure."""
    commits = ChunkTransactions._commit

    async def commit(self: ChunkTransactions, transaction: PartitionTransaction) -> None:
        if transaction.partition != partition:
            await commits(self, transaction)

    ChunkTransactions._commit = commit  # type: ignore[method-assign]


def _tell_standing(app: ChunkApp) -> None:
    """Print what a health check sees, again and again, with what it saw it by."""
    while True:
        found, stats = standing_of(app), app.stats
        ends = {f"{tp.topic}[{tp.partition}]": end for tp, end in dict(stats.end_offsets).items()}
        looked = {
            "ready": not stats.in_recovery,
            "due": found.due,
            "parts": [part.due for part in found.parts],
            "ends": ends,
        }
        sys.stdout.write(f"standing {json.dumps(looked)}\n")  # in one piece: others write too
        sys.stdout.flush()
        time.sleep(0.1)


def _settings(given: Mapping[str, Any]) -> EngineSettings:
    state_dir = given.get("state_dir")
    return EngineSettings(**{**given, "state_dir": None if state_dir is None else Path(state_dir)})


def main(plan: Mapping[str, Any]) -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    gate = plan.get("gate")
    tables = plan.get("tables", ["counts"])

    def handler(tables: Mapping[str, PartitionedTable]) -> ChunkHandler:
        return CountingCopier(tables, plan) if tables else Copier(plan["out"])

    app = build_app(
        _settings(plan["settings"]),
        handler,
        inputs=plan["inputs"],
        tables=tables,
        gate=gate and Gate(frozenset(gate["held"]), frozenset(gate["until"]), gate["timeout_s"]),
    )
    started = time.process_time()
    print("starting", flush=True)
    if "never_commits" in plan:
        _never_commit(plan["never_commits"])
    if plan.get("tells_standing"):
        apps.LOOK_S = 0.2
        threading.Thread(target=_tell_standing, args=[app], daemon=True).start()
    code = run_app(app)
    stats = {
        field.name: getattr(app.stats, field.name)
        for field in dataclasses.fields(app.stats)
        if isinstance(getattr(app.stats, field.name), int | float)
    }
    stats["cpu_s"] = time.process_time() - started
    stats["lag"] = sum(app.stats.lag().values())
    held = {number: state for table in app.chunk_tables for number, state in table.held.items()}
    stats["held"] = {partition: state.next_offset for partition, state in held.items()}
    print(json.dumps(stats))
    return code


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
