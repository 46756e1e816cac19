"""No framework: confluent-kafka, dictionaries with changelogs, transactions; partitions are dealt out by number.

What an engine gives beyond this is not here: rebalancing, liveness, a broker that goes away. It is what the same
client costs in Python for this job.
"""

import os
import signal
import time
from types import FrameType

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from match import new_state, step

_CHUNK, _POLL_S, _BOUND_S = 2000, 0.02, 30.0
_TRAJECTORIES, _RECENTS = os.environ["TRAJECTORIES_CHANGELOG"], os.environ["RECENTS_CHANGELOG"]
_INPUT, _GROUP = os.environ["INPUT_TOPIC"], os.environ["GROUP_ID"]
_COMMON = {"bootstrap.servers": os.environ["BOOTSTRAP"]}


class Changelogged(dict[bytes, bytes]):
    """A table of one partition whose changes go to its changelog."""

    def __init__(self, producer: Producer, topic: str, partition: int) -> None:
        super().__init__()
        self._producer, self._topic, self._partition = producer, topic, partition

    def __setitem__(self, key: bytes, value: bytes) -> None:
        super().__setitem__(key, value)
        produce(self._producer, self._topic, value, key, partition=self._partition)

    def restore(self, key: bytes, value: bytes) -> None:
        """Take over an entry of the changelog."""
        super().__setitem__(key, value)


class Loop:
    """One worker."""

    def __init__(self, index: int, workers: int) -> None:
        self._partitions = range(index, int(os.environ["PARTITIONS"]), workers)
        self._commit_s = int(os.environ["COMMIT_INTERVAL_MS"]) / 1000
        self._stopped = False
        self._producer = Producer(
            {
                **_COMMON,
                "transactional.id": f"{_GROUP}-{index}",
                "linger.ms": 5,
                "batch.num.messages": 10000,
                "partitioner": "murmur2_random",
                "queue.buffering.max.messages": 1_000_000,
            }
        )
        self._consumer = Consumer(
            {
                **_COMMON,
                "group.id": _GROUP,
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 50,
                "max.partition.fetch.bytes": 4 << 20,
                "queued.min.messages": 200_000,
            }
        )

    def run(self) -> None:
        """Restore, then read, decide and commit until SIGTERM."""
        signal.signal(signal.SIGTERM, self._stop)
        self._producer.init_transactions(_BOUND_S)
        states = self._restored()
        places = self._committed()
        for place in places:
            place.offset = max(place.offset, 0)
        self._consumer.assign(places)
        self._producer.begin_transaction()
        positions: dict[int, int] = {}
        committed_at = time.monotonic()
        while not self._stopped:
            for message in self._consumer.consume(_CHUNK, _POLL_S):
                if not _is_record(message):
                    continue
                partition = message.partition()
                sent = step(states[partition], message.key(), message.value(), message.timestamp()[1])
                for topic, key, value, headers in sent:
                    produce(self._producer, topic, value, key, headers=headers)
                positions[partition] = message.offset() + 1
            self._producer.poll(0)
            if time.monotonic() - committed_at >= self._commit_s:
                if positions:
                    self._commit(positions)
                    positions = {}
                committed_at = time.monotonic()
        self._producer.abort_transaction(_BOUND_S)
        self._consumer.close()

    def _committed(self) -> list[TopicPartition]:
        deadline = time.monotonic() + _BOUND_S
        while True:
            try:
                return self._consumer.committed(
                    [TopicPartition(_INPUT, n) for n in self._partitions], _BOUND_S
                )
            except KafkaException as error:
                # A broker without a group yet has no coordinator for it at first.
                if time.monotonic() > deadline or error.args[0].code() != KafkaError.NOT_COORDINATOR:
                    raise
            time.sleep(0.2)

    def _commit(self, positions: dict[int, int]) -> None:
        offsets = [TopicPartition(_INPUT, partition, offset) for partition, offset in positions.items()]
        self._producer.send_offsets_to_transaction(
            offsets, self._consumer.consumer_group_metadata(), _BOUND_S
        )
        self._producer.commit_transaction(_BOUND_S)
        self._producer.begin_transaction()

    def _restored(self) -> dict[int, object]:
        tables = {
            (topic, number): Changelogged(self._producer, topic, number)
            for topic in (_TRAJECTORIES, _RECENTS)
            for number in self._partitions
        }
        self._consumer.assign([TopicPartition(*place, 0) for place in tables])
        left = set(tables)
        while left:
            for message in self._consumer.consume(10_000, 0.2):
                place = (message.topic(), message.partition())
                if _is_record(message):
                    tables[place].restore(message.key(), message.value())
                else:
                    left.discard(place)
        return {
            number: new_state(
                tables[_TRAJECTORIES, number], tables[_RECENTS, number], list(tables[_TRAJECTORIES, number])
            )
            for number in self._partitions
        }

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopped = True


def produce(producer: Producer, topic: str, value: bytes, key: bytes, **further: object) -> None:
    """Produce, waiting where the queue is full."""
    while True:
        try:
            producer.produce(topic, value, key, **further)
        except BufferError:
            producer.poll(0.05)
        else:
            return


def _is_record(message: Message) -> bool:
    error = message.error()
    if error is None:
        return True
    # The end of a partition comes as an "error" too.
    if error.code() != KafkaError._PARTITION_EOF:
        raise KafkaException(error)
    return False


if __name__ == "__main__":
    Loop(int(os.environ["WORKER_INDEX"]), int(os.environ["WORKERS"])).run()
