"""faust-streaming as its documentation shows it: tables, one agent, a send for each record."""

import os
from typing import Any

import faust
from match import new_state, step

app = faust.App(
    os.environ["GROUP_ID"],
    broker=f"kafka://{os.environ['BOOTSTRAP']}",
    store="memory://",
    datadir=f"{os.environ['STATE_DIR']}/{os.environ['WORKER_INDEX']}",
    web_enabled=False,
    topic_partitions=int(os.environ["PARTITIONS"]),
    # Without it a worker reads what no transaction has committed.
    processing_guarantee="exactly_once",
    consumer_auto_offset_reset="earliest",
    stream_wait_empty=False,
    broker_max_poll_records=500,
    consumer_max_fetch_size=4 << 20,
    broker_commit_interval=int(os.environ["COMMIT_INTERVAL_MS"]) / 1000,
    topic_disable_leader=True,
    producer_linger=0.005,
)
_BYTES = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw"}
source = app.topic(os.environ["INPUT_TOPIC"], **_BYTES)
outputs = {
    os.environ[name]: app.topic(os.environ[name], **_BYTES)
    for name in ("FOLLOWUP_TOPIC", "REGULAR_TOPIC", "DECISIONS_TOPIC")
}
trajectories, recents = (
    app.Table(
        name,
        partitions=int(os.environ["PARTITIONS"]),
        schema=faust.Schema(**_BYTES),
        key_type=bytes,
        value_type=bytes,
    )
    for name in ("trajectories", "recents")
)


@app.agent(source)
async def match(stream: Any) -> None:
    """Handle records one by one."""
    state = new_state(trajectories, recents, list(trajectories))
    async for event in stream.events():
        stamp = round(event.message.timestamp * 1000)
        for sent in step(state, event.key, event.value, stamp):
            await outputs[sent.topic].send(key=sent.key, value=sent.value, headers=sent.headers)


if __name__ == "__main__":
    app.main()
