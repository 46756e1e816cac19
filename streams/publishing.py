"""Publishing: emissions of the rules onto Kafka, with prefix and CloudEvents headers (design 2).

In: emissions and the headers of the record that caused them. Out: records in the chunk's outputs.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from signaalwissel.processors.emissions import REGULAR_CORRECTIONS, Emission
from signaalwissel.schemas.units import Millis
from signaalwissel.streams.chunk import Headers, Outputs
from signaalwissel.streams.topics import Names

TRACE_HEADER = "traceparent"
_CONTENT_TYPE = ("content-type", b"application/avro")
_TRACE = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_SPEC_VERSION = ("ce_specversion", b"1.0")


class Publisher:
    """Publishes the emissions of one app.

    Args:
        names: Topic names.
        event_source: CloudEvents source: who publishes, as a URN.
    """

    def __init__(self, names: Names, event_source: str) -> None:
        self._names = names
        self._source = ("ce_source", event_source.encode())
        self._topics: dict[str, str] = {}

    def publish(self, outputs: Outputs, emissions: Iterable[Emission], trace: Headers, time: bytes) -> None:
        """Add emissions to a chunk's outputs.

        Args:
            outputs: Where they go.
            emissions: What the rules ask to be published.
            trace: The trace header of the record that caused them, or nothing.
            time: CloudEvents time of this chunk, from `event_time`.
        """
        for emission in emissions:
            topic = self._topics.get(emission.topic)
            if topic is None:
                topic = self._topics[emission.topic] = self._names(emission.topic)
            outputs.send(topic, emission.key, emission.value, self._headers(emission, trace, time))

    def _headers(self, emission: Emission, trace: Headers, time: bytes) -> list[tuple[str, bytes | None]]:
        # A correction hangs on a lifecycle event: its trace would tell the regular side of a trajectory.
        headers: list[tuple[str, bytes | None]] = [*emission.headers]
        if emission.topic != REGULAR_CORRECTIONS:
            headers += trace
        if emission.event_type is not None:
            headers += (
                ("ce_id", emission.event_id.encode()),
                self._source,
                _SPEC_VERSION,
                ("ce_type", emission.event_type.encode()),
                ("ce_time", time),
                _CONTENT_TYPE,
            )
        return headers


def trace_of(headers: Headers) -> Headers:
    """The trace header of a record, as it is passed on; one that is no W3C trace context could be anything."""
    if not headers:
        return ()
    return [header for header in headers if header[0] == TRACE_HEADER and _TRACE.fullmatch(header[1] or b"")]


@lru_cache(maxsize=16)
def event_time(moment: Millis) -> bytes:
    """A moment as CloudEvents writes it."""
    text = datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z").encode()
