"""The workload: a generated month, what the product's intake makes of it, and what its matcher answers.

In: numbers of residents and signals, a cache folder. Out: records and answers. They take minutes to make and are kept
in the cache, under a name that changes with the product's code.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from signaalwissel.deploy.cache import filled
from signaalwissel.deploy.progress import PlatformProgress
from signaalwissel.processors.emissions import COUNSELLOR_FOLLOWUP, DECISIONS, REGULAR_FLOW
from signaalwissel.schemas.primitives import read_day, read_long, read_string
from signaalwissel.schemas.wire_format import HEADER_SIZE
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.streams.topics import MATCHER_RECENTS

from tests.benchmarks.month import Encoded, make_month
from tests.benchmarks.rules import Collected, Given, Kit, matcher_tables, run_intake

_ROOT = Path(__file__).parents[3]
_CODE = (
    "schemas/*.*",
    "processors/*.*",
    "sources/*.*",
    "tests/benchmarks/month.py",
    "tests/benchmarks/rules.py",
)
_LENGTH = struct.Struct(">I")
_CHUNK = 2000
_KEYS = "keys"
_MOMENT_SIZE = 6
"""Bytes of a moment of this decade: `decided_at`, in which two answers differ."""

Part = list[Encoded]


class Answer(NamedTuple):
    """What must come out for one signal; records but for the moment of deciding."""

    route_topic: str
    route_key: bytes
    route: bytes
    decision_key: bytes
    decision: bytes


@dataclass(frozen=True)
class Workload:
    """Everything that goes in, and what must come out.

    Attributes:
        events: Lifecycle events as case systems send them, for the whole product.
        signals: Signals as partners send them, for the whole product.
        trajectories: `resident-events` of the lifecycle events.
        keyed: `resident-events` of the accepted signals.
        answers: By routing id, in the order of `keyed`.
        keys: Folder of the keys under which the pseudonyms were made.
    """

    events: Part
    signals: Part
    trajectories: Part
    keyed: Part
    answers: dict[str, Answer]
    keys: Path


def workload(residents: int, signals: int, cache: Path, progress: PlatformProgress) -> Workload:
    """The workload, from the cache where it lies there."""
    name = f"bench-month-{residents}-{signals}-{_fingerprint()}"

    def fill(folder: Path) -> None:
        with progress.step(f"Benchmark: a month of {signals:,} signals, once for this code", None):
            _make(residents, signals, folder)

    folder = filled(cache / name, fill, Path.is_dir, progress)
    keyed = list(_read(folder / "keyed"))
    routes, decisions = _read(folder / "routes"), _read(folder / "decisions")
    answers = {}
    for route, decision in zip(routes, decisions, strict=True):
        routing_id, _ = read_string(route.value, HEADER_SIZE)
        topic = route.headers[0][0]
        answers[routing_id] = Answer(topic, route.key, route.value, decision.key, decision.value)
    parts = (list(_read(folder / name)) for name in ("events", "signals", "trajectories"))
    return Workload(*parts, keyed, answers, folder / _KEYS)


def same(found: bytes, wanted: bytes) -> bool:
    """Whether two RoutedSignals or Decisions are the same to the byte, but for the moment of deciding."""
    at = moment_at(wanted)
    behind = at + _MOMENT_SIZE
    return found[:at] == wanted[:at] and found[behind:] == wanted[behind:]


def moment_at(record: bytes) -> int:
    """Where `decided_at` stands in a RoutedSignal or Decision."""
    at = HEADER_SIZE
    for read in (
        read_string, read_string, read_string, read_long, read_long, read_long, read_string, read_string, read_day,
    ):  # fmt: skip
        _, at = read(record, at)
    return at


def _make(residents: int, signals: int, folder: Path) -> None:
    month = make_month(residents, signals)
    kit = Kit(LocalKeys(folder / _KEYS, create_municipalities=True))
    internal = run_intake(kit, month)
    _write(folder / "events", month.events)
    _write(folder / "signals", month.signals)
    _write(folder / "trajectories", map(_plain, internal.trajectories))
    _write(folder / "keyed", map(_plain, internal.signals))
    outputs = _decided(kit, internal.trajectories, internal.signals)
    routes = [one for one in outputs.sent if one.topic in {REGULAR_FLOW, COUNSELLOR_FOLLOWUP}]
    _write(
        folder / "routes",
        (Encoded(None, one.key or b"", one.value or b"", [(one.topic, b"")]) for one in routes),
    )
    decisions = outputs.on(DECISIONS)
    _write(folder / "decisions", (Encoded(None, one.key or b"", one.value or b"", []) for one in decisions))


def _decided(kit: Kit, trajectories: list[Given], signals: list[Given]) -> Collected:
    tables, outputs = matcher_tables(), Collected()
    handler = kit.matcher(tables)
    for records in (trajectories, signals):
        for begin in range(0, len(records), _CHUNK):
            bound = [table.bound(0) for table in tables.values()]
            for one in bound:
                one.__enter__()
            handler.handle(0, records[begin : begin + _CHUNK], outputs)
            for one in bound:
                one.__exit__(None, None, None)
    assert len(tables[MATCHER_RECENTS]) == len(signals), "a signal was not remembered"
    return outputs


def _plain(record: Given) -> Encoded:
    return Encoded(None, record.key or b"", record.value or b"", [])


def _fingerprint() -> str:
    told = hashlib.sha256()
    for pattern in _CODE:
        for file in sorted(_ROOT.glob(pattern)):
            if file.suffix in {".py", ".avsc", ".toml", ".json"}:
                told.update(file.read_bytes())
    return told.hexdigest()[:12]


def _write(file: Path, records: Iterable[Encoded]) -> None:
    with file.open("wb") as out:
        for record in records:
            headers = [part for name, value in record.headers for part in (name.encode(), value)]
            pieces = (record.key, record.value, *headers)
            out.write(_LENGTH.pack(len(pieces)))
            for piece in pieces:
                out.write(_LENGTH.pack(len(piece)) + piece)


def _read(file: Path) -> Iterator[Encoded]:
    with file.open("rb") as given:
        while head := given.read(_LENGTH.size):
            key, value, *headers = [_piece(given) for _ in range(_LENGTH.unpack(head)[0])]
            pairs = zip(headers[::2], headers[1::2], strict=True)
            yield Encoded(None, key, value, [(name.decode(), told) for name, told in pairs])


def _piece(given: BinaryIO) -> bytes:
    return given.read(_LENGTH.unpack(given.read(_LENGTH.size))[0])
