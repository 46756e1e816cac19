"""`make bench-bytes`: the bytes of one record on each topic, for the plan of disks in docs/scale.md.

In: a generated month. Out: for a signal and for a trajectory, bytes on every topic and changelog: key, value and headers
with their lengths, as Kafka's record format has them, without its copies and without what a batch adds. No Kafka, no
clock: the same month gives the same bytes, but for those of the seals, whose length stays. Nothing is asserted.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from signaalwissel.processors.emissions import (
    COUNSELLOR_FOLLOWUP,
    DECISIONS,
    REGULAR_FLOW,
    RESIDENT_EVENTS,
    SIGNALS,
    TRAJECTORIES,
    TRAJECTORY_STATES,
)
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.streams.chunk import Headers
from signaalwissel.streams.intake import IntakeHandler
from signaalwissel.streams.matcher import MatcherHandler
from signaalwissel.streams.topics import (
    INTAKE_SIGNALS,
    INTAKE_TRAJECTORIES,
    MATCHER_RECENTS,
    MATCHER_TRAJECTORIES,
)

from tests.benchmarks.month import Month, make_month
from tests.benchmarks.pages import NoPlace, check_place, fill, table_lines
from tests.benchmarks.rules import Collected, Given, Kit, Tables, given, intake_tables, matcher_tables

_TABLE = "bytes"
_FIXED = 3
"""Attributes, and the differences of time and offset to the batch's first record, a byte each where these are small."""


class Entry(NamedTuple):
    """A record as Kafka keeps it."""

    key: bytes | None
    value: bytes | None
    headers: Headers


class Size(NamedTuple):
    """One line of the result.

    Attributes:
        of: Of what: a signal, or a trajectory.
        place: A topic, or the changelog of a table.
        records: How many of them one signal or trajectory gives.
        size: Bytes of one.
        kept: For how long.
    """

    of: str
    place: str
    records: float
    size: float
    kept: str


class Everything(Collected):
    """Keeps what handlers send, headers included."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[str, list[Entry]] = {}

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        partition: int | None = None,
    ) -> None:
        super().send(topic, key, value, headers, partition)
        self.entries.setdefault(topic, []).append(Entry(key, value, headers))


def record_size(entry: Entry) -> int:
    """Bytes of a record in a batch of Kafka's format 2, without compression."""
    body = _FIXED + _field(entry.key) + _field(entry.value) + _varint(len(entry.headers))
    body += sum(_field(name.encode()) + _field(value) for name, value in entry.headers)
    return _varint(body) + body


def measure(month: Month, keys: Path) -> list[Size]:
    """The bytes of a month's records."""
    kit = Kit(LocalKeys(keys, create_municipalities=True))
    intake, matcher, sent = intake_tables(), matcher_tables(), Everything()
    _handled(kit.intake(intake), intake, given(TRAJECTORIES, month.events), sent)
    trajectories = _events_of(sent)
    states = _newest(sent.entries[TRAJECTORY_STATES])
    signals = Everything()
    _handled(kit.intake(intake), intake, given(SIGNALS, month.signals), signals)
    routed = Everything()
    handler = kit.matcher(matcher)
    _handled(handler, matcher, trajectories, Everything())
    _handled(handler, matcher, _events_of(signals), routed)
    return [
        *_of_a_signal(month, intake, matcher, signals, routed),
        *_of_a_trajectory(month, intake, matcher, states),
    ]


def _of_a_signal(
    month: Month, intake: Tables, matcher: Tables, signals: Everything, routed: Everything
) -> list[Size]:
    accepted = len(signals.entries[RESIDENT_EVENTS])
    partners = [Entry(one.key, one.value, one.headers) for one in month.signals]
    routes = [entry for topic in (REGULAR_FLOW, COUNSELLOR_FOLLOWUP) for entry in routed.entries[topic]]
    found = (
        (f"on `{SIGNALS}`", partners, "7 days"),
        (f"on `{RESIDENT_EVENTS}`", signals.entries[RESIDENT_EVENTS], "7 days"),
        (f"on `{REGULAR_FLOW}` or `{COUNSELLOR_FOLLOWUP}`", routes, "30 days"),
        (f"on `{DECISIONS}`", routed.entries[DECISIONS], "30 days"),
        ("changelog of intake", _entries(intake, INTAKE_SIGNALS), "35 days"),
        ("changelog of the matcher", _entries(matcher, MATCHER_RECENTS), "35 days"),
    )
    return [
        Size("a signal", place, len(entries) / (len(partners) if entries is partners else accepted), mean(entries), kept)
        for place, entries, kept in found
    ]  # fmt: skip


def _of_a_trajectory(month: Month, intake: Tables, matcher: Tables, states: list[Entry]) -> list[Size]:
    events = [Entry(one.key, one.value, one.headers) for one in month.events]
    found = (
        (f"each event on `{TRAJECTORIES}`", events, "30 days"),
        (f"on `{TRAJECTORY_STATES}`, newest version", states, "while it may matter"),
        ("changelog of intake", _entries(intake, INTAKE_TRAJECTORIES), "while it may matter"),
        (
            "changelog of the matcher, one for each match key of each client",
            _entries(matcher, MATCHER_TRAJECTORIES),
            "while it may matter",
        ),
    )
    return [
        Size("a trajectory", place, len(entries) / len(states), mean(entries), kept)
        for place, entries, kept in found
    ]


def _handled(
    handler: IntakeHandler | MatcherHandler, tables: Tables, records: list[Given], outputs: Everything
) -> None:
    with ExitStack() as stack:
        for table in tables.values():
            stack.enter_context(table.bound(0))
        handler.handle(0, records, outputs)


def _events_of(outputs: Everything) -> list[Given]:
    return [
        Given(RESIDENT_EVENTS, 0, offset, 0, entry.key, entry.value, ())
        for offset, entry in enumerate(outputs.entries[RESIDENT_EVENTS])
    ]


def _newest(entries: Iterable[Entry]) -> list[Entry]:
    return list({entry.key: entry for entry in entries}.values())


def _entries(tables: Tables, name: str) -> list[Entry]:
    return [Entry(key, value, ()) for key, value in tables[name].items_of(0)]


def mean(entries: Sequence[Entry]) -> float:
    """Bytes of one of them."""
    return sum(map(record_size, entries)) / len(entries)


def _field(value: bytes | None) -> int:
    return _varint(-1) if value is None else _varint(len(value)) + len(value)


def _varint(number: int) -> int:
    return max(1, -(-(number << 1 ^ number >> 31).bit_length() // 7))


def lines(month: Month, sizes: Sequence[Size]) -> list[str]:
    """The tables of docs/scale.md."""
    trajectories = len({one.key for one in month.events})
    counted = f"{len(month.signals):,} signals, {len(month.events):,} lifecycle events, {trajectories:,} trajectories"
    told = [f"Counted over a generated month: {counted}."]
    for of in ("a signal", "a trajectory"):
        rows = [[one.place, _number(one), f"{one.size:.0f}", one.kept] for one in sizes if one.of == of]
        told += ["", *table_lines((f"of {of}", "records", "bytes of one", "kept"), rows)]
    return told


def _number(size: Size) -> str:
    return f"{size.records:.1f}".removesuffix(".0")


def main(arguments: list[str]) -> int:
    """Count and print."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.record_bytes", description=__doc__)
    parser.add_argument("--residents", type=int, default=1_000)
    parser.add_argument("--signals", type=int, default=4_000)
    parser.add_argument("--markdown", type=Path, help="page whose tables of bytes are written anew")
    options = parser.parse_args(arguments)
    try:
        check_place(options.markdown, _TABLE)
    except (NoPlace, OSError) as refused:
        print(f"record_bytes: {refused}", file=sys.stderr)
        return 2
    month = make_month(options.residents, options.signals)
    with tempfile.TemporaryDirectory() as folder:
        sizes = measure(month, Path(folder))
    for one in sizes:
        print(json.dumps({**one._asdict(), "records": round(one.records, 3), "size": round(one.size, 1)}))
    if options.markdown is not None:
        fill(options.markdown, _TABLE, lines(month, sizes))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
