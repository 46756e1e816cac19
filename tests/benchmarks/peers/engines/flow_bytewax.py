"""The dataflow of the Bytewax peer."""

import os

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from match import PackedTrajectories, Sent, new_state, step

_BROKERS = [os.environ["BOOTSTRAP"]]
_SOURCE = {
    "isolation.level": "read_committed",
    "fetch.wait.max.ms": "50",
    "max.partition.fetch.bytes": str(4 << 20),
}
_SINK = {
    "linger.ms": "5",
    "partitioner": "murmur2_random",
    "enable.idempotence": "true",
    "queue.buffering.max.messages": "1000000",
}

Kept = tuple[bytes, dict[bytes, bytes]]
"""Trajectories of a match key, packed, and its recent signals."""


def _keyed(message: KafkaSourceMessage) -> tuple[str, KafkaSourceMessage]:
    return message.key.decode("latin-1"), message


def _match(kept: Kept | None, message: KafkaSourceMessage) -> tuple[Kept, list[Sent]]:
    packed, recents = kept or (b"", {})
    trajectories = PackedTrajectories(packed)
    state = new_state(trajectories, recents, list(trajectories))
    sent = step(state, message.key, message.value, message.timestamp[1])
    return (trajectories.packed() if trajectories.changed else packed, recents), sent


def _message(keyed: tuple[str, Sent]) -> KafkaSinkMessage:
    sent = keyed[1]
    return KafkaSinkMessage(sent.key, sent.value, topic=sent.topic, headers=sent.headers)


flow = Dataflow("match")
source = op.input(
    "in", flow, KafkaSource(_BROKERS, [os.environ["INPUT_TOPIC"]], batch_size=1000, add_config=_SOURCE)
)
keyed = op.map("keyed", source, _keyed)
routed = op.stateful_flat_map("match", keyed, _match)
op.output("out", op.map("message", routed, _message), KafkaSink(_BROKERS, None, add_config=_SINK))
