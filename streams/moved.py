"""Moved records: each record is handled in the partition of its prescribed key, whoever published it how (design 2).

A publisher that uses another key, another partitioner or none puts a record where its resident's other records are
not. Such a record goes on, unchanged, to an internal `-moved` topic under the prescribed key; its own place travels
in headers, so that a dead letter still names the record that the publisher knows.
"""

import re
from collections import Counter

from signaalwissel.processors.dead_letters import Source
from signaalwissel.processors.identifiers import trajectory_key
from signaalwissel.processors.reading import RECORD_SIZE_MAX
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.schemas.internal import Header
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.trajectory import TrajectoryEvent
from signaalwissel.streams.chunk import Headers, Outputs, Record
from signaalwissel.streams.topics import SIGNALS_MOVED, TRAJECTORIES_MOVED, Names

_TOPIC = "moved-from-topic"
_PARTITION = "moved-from-partition"
_OFFSET = "moved-from-offset"
_OURS = frozenset({_TOPIC, _PARTITION, _OFFSET})
_TOPIC_FORM = re.compile(rb"[a-zA-Z0-9._-]{1,249}")
# As many digits as fit the numbers of a DeadLetter.
_PARTITION_FORM = re.compile(rb"[0-9]{1,9}")
_OFFSET_FORM = re.compile(rb"[0-9]{1,18}")

_HEADER_OVERHEAD = 2
"""Bytes of a header without name and value: half a million of them are a megabyte too."""


class Mover:
    """Moves records of one app.

    Args:
        names: Topic names.

    Attributes:
        moved: Records moved so far, by topic.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._signals_moved = names(SIGNALS_MOVED)
        self._trajectories_moved = names(TRAJECTORIES_MOVED)
        self.moved: Counter[str] = Counter()

    def move_signal(self, record: Record, signal: EarlySignal, outputs: Outputs) -> bool:
        """Send a signal on if it lies in another partition than its prescribed key's; whether it was sent.

        Raises:
            Rejected: TOO_LARGE: with its headers it is more than the broker need take.
        """
        key = f"{signal.partner.partner_id}/{signal.signal_id}".encode()
        return self._move(record, (self._signals_moved, key), outputs)

    def move_event(self, record: Record, event: TrajectoryEvent, outputs: Outputs) -> bool:
        """Send a lifecycle event on if it lies in another partition than its prescribed key's; whether it was.

        Raises:
            Rejected: TOO_LARGE: with its headers it is more than the broker need take.
        """
        key = trajectory_key(event.municipality, event.trajectory_id)
        return self._move(record, (self._trajectories_moved, key), outputs)

    def source_of(self, record: Record) -> Source:
        """Where a record came from: its own place, or the one it was moved from."""
        # Only our own topics: on any other the publisher could say with these headers that it is another one.
        if record.topic in {self._signals_moved, self._trajectories_moved}:
            place = _place_in(record.headers)
            if place is not None:
                return self._source(record, *place)
        return self._source(record, self._names.bare(record.topic), record.partition, record.offset)

    def _move(self, record: Record, to: tuple[str, bytes], outputs: Outputs) -> bool:
        topic, key = to
        if record.topic == topic or outputs.partition_for(record.topic, key) == record.partition:
            return False
        headers = [header for header in record.headers if header[0] not in _OURS]
        _check_size(key, record.value, headers)
        headers += [
            (_TOPIC, self._names.bare(record.topic).encode()),
            (_PARTITION, str(record.partition).encode()),
            (_OFFSET, str(record.offset).encode()),
        ]
        outputs.send(topic, key, record.value, headers)
        self.moved[self._names.bare(record.topic)] += 1
        return True

    @staticmethod
    def _source(record: Record, topic: str, partition: int, offset: int) -> Source:
        headers = tuple(Header(name, value) for name, value in record.headers if name not in _OURS)
        return Source(topic, partition, offset, record.timestamp, record.key, record.value, headers)


def _check_size(key: bytes, value: bytes | None, headers: Headers) -> None:
    size = len(key) + len(value or b"")
    size += sum(_HEADER_OVERHEAD + len(name.encode()) + len(told or b"") for name, told in headers)
    if size > RECORD_SIZE_MAX:
        rule = f"must have at most {RECORD_SIZE_MAX} bytes, key and headers included, to go on to its own partition"
        raise Rejected(RejectionCode.TOO_LARGE, None, rule)


def _place_in(headers: Headers) -> tuple[str, int, int] | None:
    """Topic, partition and offset that a moved record tells; None where somebody else wrote there."""
    told = {name: value or b"" for name, value in headers if name in _OURS}
    partition, offset = told.get(_PARTITION, b""), told.get(_OFFSET, b"")
    topic = told.get(_TOPIC, b"")
    forms = ((_TOPIC_FORM, topic), (_PARTITION_FORM, partition), (_OFFSET_FORM, offset))
    if not all(form.fullmatch(text) for form, text in forms):
        return None
    return topic.decode(), int(partition), int(offset)
