"""One of three brokers may be killed: what was acknowledged is there, writing goes on, and it comes back."""

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from signaalwissel.console import runtime, topics
from signaalwissel.deploy.kafka_cluster import ADMIN

from tests.secured.secured_support import WHOLE, Secured

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not WHOLE, reason="kills a broker of the shared cluster: make secured"),
]

_TOPIC = "killed"
_RECORDS = 100
_BOUND_S = 90


def test_a_killed_broker_loses_nothing_and_comes_back(secured: Secured) -> None:
    settings = secured.settings(ADMIN)
    with topics.admin(settings) as client:
        client.create_topics({_TOPIC: {"num_partitions": 1, "replication_factor": 3}}, wait_for_metadata=True)
        leader = client.describe_topics([_TOPIC])[0]["partitions"][0]["leader_id"]
    node = secured.cluster.nodes[leader - 1]
    producer = KafkaProducer(
        bootstrap_servers=runtime.bootstrap(settings).split(","), acks="all", enable_idempotence=True,
        delivery_timeout_ms=_BOUND_S * 1000, **runtime.kafka_python_connection(settings),
    )  # fmt: skip
    sent = []
    for number in range(_RECORDS):
        if number == _RECORDS // 2:
            node.kill()
        sent.append(producer.send(_TOPIC, value=b"%d" % number))
        if number % 10 == 9:
            sent[-1].get(timeout=_BOUND_S)
    producer.close()
    node.start()
    consumer = KafkaConsumer(
        bootstrap_servers=runtime.bootstrap(settings).split(","), auto_offset_reset="earliest",
        consumer_timeout_ms=20_000, **runtime.kafka_python_connection(settings),
    )  # fmt: skip
    consumer.assign([TopicPartition(_TOPIC, 0)])
    found = []
    for record in consumer:
        found.append(int(record.value))
        if len(found) == _RECORDS:
            break
    consumer.close()
    assert found == list(range(_RECORDS))
