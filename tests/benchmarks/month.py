"""The month that is measured with. In: numbers of residents and signals. Out: encoded records, ready to be sent.

The generator gives most residents a trajectory, so that every rule is met; a third of its trajectories is kept, so
that about a fifth of the signals finds one at its match key.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from zlib import crc32

from signaalwissel.processors.emissions import SIGNALS
from signaalwissel.processors.identifiers import trajectory_key
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.simulation_lines import read_line
from signaalwissel.schemas.contract import codec
from signaalwissel.sources.generator import generate
from signaalwissel.streams.publishing import event_time

_KEPT_TRAJECTORIES = 3
_SEED = 1


class Encoded(NamedTuple):
    """A record as a partner sends it, and the value object in it."""

    record: Any
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


@dataclass(frozen=True)
class Month:
    """Everything that arrives, each kind in the order of its arrival."""

    events: list[Encoded]
    signals: list[Encoded]


def make_month(residents: int, signals: int) -> Month:
    """A generated month, without the lines that fit no schema and that nobody could send."""
    month = Month([], [])
    for encoded in _encoded(residents, signals):
        kept = month.signals if hasattr(encoded.record, "signal_id") else month.events
        kept.append(encoded)
    return month


def _encoded(residents: int, signals: int) -> Iterator[Encoded]:
    for line in generate(residents, signals, _SEED):
        topic = str(line["topic"])
        try:
            record = read_line(topic, line["value"])
        except Rejected:
            continue
        if topic == SIGNALS:
            key = f"{record.partner.partner_id}/{record.signal_id}".encode()
            headers = _headers("nl.vroegsignalering.signaal-ontvangen", record.signal_id, record.received_at)
            yield Encoded(record, key, codec("EarlySignal").encode(record), headers)
        elif crc32(record.trajectory_id.encode()) % _KEPT_TRAJECTORIES == 0:
            key = trajectory_key(record.municipality, record.trajectory_id)
            headers = _headers("nl.schuldhulpverlening.traject", record.event_id, record.recorded_at)
            yield Encoded(record, key, codec("TrajectoryEvent").encode(record), headers)


def _headers(kind: str, record_id: str, moment: int) -> list[tuple[str, bytes]]:
    return [
        ("ce_id", record_id.encode()),
        ("ce_source", b"urn:nld:signaalwissel"),
        ("ce_specversion", b"1.0"),
        ("ce_type", kind.encode()),
        ("ce_time", event_time(moment)),
        ("content-type", b"application/avro"),
    ]
