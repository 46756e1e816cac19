"""Quix Streams: one stateful function per match key over RocksDB with a changelog, exactly-once."""

import os
from pathlib import Path
from typing import Any

from match import CalledTable, PackedTrajectories, Sent, new_state, step
from quixstreams import Application
from quixstreams.models import Serializer
from quixstreams.state import State

_TRAJECTORIES = "trajectories"


class Values(Serializer):
    """The value of a record to produce."""

    def __call__(self, value: Sent, *_args: Any, **_more: Any) -> bytes:
        """Its bytes."""
        return value.value


def match(value: bytes, key: bytes, timestamp: int, _headers: Any, state: State) -> list[Sent]:
    """Handle one record."""
    trajectories = PackedTrajectories(state.get_bytes(_TRAJECTORIES))
    recents = CalledTable(
        lambda ref: state.get_bytes(ref.hex()), lambda ref, recent: state.set_bytes(ref.hex(), recent)
    )
    sent = step(new_state(trajectories, recents, list(trajectories)), key, value, timestamp)
    if trajectories.changed:
        state.set_bytes(_TRAJECTORIES, trajectories.packed())
    return sent


def main() -> None:
    """Run until SIGTERM."""
    app = Application(
        broker_address=os.environ["BOOTSTRAP"],
        consumer_group=os.environ["GROUP_ID"],
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=int(os.environ["COMMIT_INTERVAL_MS"]) / 1000,
        loglevel="WARNING",
        state_dir=Path(os.environ["STATE_DIR"]) / os.environ["WORKER_INDEX"],
        consumer_extra_config={
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 50,
            "max.partition.fetch.bytes": 4 << 20,
        },
        producer_extra_config={"linger.ms": 5, "batch.num.messages": 10000, "partitioner": "murmur2_random"},
        consumer_poll_timeout=0.1,
    )
    names = (os.environ[name] for name in ("FOLLOWUP_TOPIC", "REGULAR_TOPIC", "DECISIONS_TOPIC"))
    outputs = {name: app.topic(name, value_serializer=Values(), key_serializer="bytes") for name in names}
    source = app.topic(os.environ["INPUT_TOPIC"], value_deserializer="bytes", key_deserializer="bytes")
    routed = app.dataframe(source).apply(match, stateful=True, expand=True, metadata=True)
    routed = routed.set_headers(lambda sent, *_: sent.headers)
    routed.to_topic(lambda sent, *_: outputs[sent.topic], key=lambda sent: sent.key)
    app.run()


if __name__ == "__main__":
    main()
