"""Publishing: emissions of the rules onto Kafka, with prefix and CloudEvents headers (design 2).

In: emissions and the headers of the record that caused them. Out: records in the chunk's outputs.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from signaalwissel.processors.emissions import REGULAR_CORRECTIONS, Emission
from signaalwissel.schemas.units import Millis
from signaalwissel.streams.chunk import Headers, Outputs
from signaalwissel.streams.topics import Names
from signaalwissel.streams.tracing import Tracing

_CONTENT_TYPE: Final = ("content-type", b"application/avro")
_SPEC_VERSION: Final = ("ce_specversion", b"1.0")


class Publisher:
    """Publishes the emissions of one app.

    Args:
        names: Topic names.
        event_source: CloudEvents source: who publishes, as a URN.
        tracing: What is passed on of a record's trace.
    """

    def __init__(self, names: Names, event_source: str, tracing: Tracing | None = None) -> None:
        self.tracing = tracing or Tracing()
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


@lru_cache(maxsize=16)
def event_time(moment: Millis) -> bytes:
    """A moment as CloudEvents writes it."""
    text = datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z").encode()
