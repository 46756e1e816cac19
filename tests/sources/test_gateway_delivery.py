"""An answer of 202 means that the record is on the topic: on a real broker, also when it is killed in mid-load."""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient, NewTopic
from signaalwissel.deploy.embedded_kafka import EmbeddedKafka, kafka_programs
from signaalwissel.deploy.progress import Silent
from signaalwissel.deploy.settings import PlatformSettings
from signaalwissel.sources.gateway_delivery import WAITING_BYTES_MAX, Away, Busy, KafkaOutlet

from tests.sources.gateway_support import SERVER, gateway, signal, token

TOPICS = ("p-signals", "p-trajectories", "p-task-updates")
BOUND_MS = 20_000


def make_topics(bootstrap: str, names: tuple[str, ...]) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(name, 2, 1) for name in names])
    admin.close()


def keys_on(bootstrap: str, topic: str) -> Counter[str]:
    """How often each key is on a topic, up to its end."""
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        consumer_timeout_ms=BOUND_MS,
    )
    while not consumer.assignment():
        consumer.poll(timeout_ms=100)
    consumer.seek_to_beginning()
    ends = consumer.end_offsets(list(consumer.assignment()))
    found: Counter[str] = Counter()
    while any(consumer.position(place) < end for place, end in ends.items()):
        for records in consumer.poll(timeout_ms=500).values():
            found.update(record.key.decode() for record in records)
    consumer.close()
    return found


@pytest.fixture
def broker() -> Iterator[EmbeddedKafka]:
    """A broker of the test's own."""
    programs = kafka_programs(PlatformSettings.from_environment(os.environ).cache, Silent())
    with EmbeddedKafka(programs) as broker:
        yield broker


def test_what_was_delivered_is_on_the_topic_once(kafka_bootstrap: str, topic_prefix: str) -> None:
    topic = topic_prefix + "in"
    make_topics(kafka_bootstrap, (topic,))
    outlet = KafkaOutlet(kafka_bootstrap, {}, [topic])

    async def deliver() -> bool:
        await asyncio.gather(
            *(outlet.deliver(topic, b"key-%d" % number, b"value", [("h", b"v")]) for number in range(500))
        )
        return await outlet.ready()

    assert asyncio.run(deliver())
    outlet.close()
    assert keys_on(kafka_bootstrap, topic) == Counter({f"key-{number}": 1 for number in range(500)})


def test_a_topic_that_is_not_there_ends_the_start(kafka_bootstrap: str, topic_prefix: str) -> None:
    with pytest.raises(Away, match="topics apply"):
        KafkaOutlet(kafka_bootstrap, {}, [topic_prefix + "nowhere"], bound_s=2.0)


def test_without_a_broker_the_start_ends_within_its_bound() -> None:
    with pytest.raises(Away, match=r"127\.0\.0\.1:1"):
        KafkaOutlet("127.0.0.1:1", {}, ["x"], bound_s=1.0)


def test_what_waits_for_the_broker_is_bounded(kafka_bootstrap: str, topic_prefix: str) -> None:
    topic = topic_prefix + "in"
    make_topics(kafka_bootstrap, (topic,))
    outlet = KafkaOutlet(kafka_bootstrap, {}, [topic])
    with pytest.raises(Busy):
        asyncio.run(outlet.deliver(topic, b"k", bytes(WAITING_BYTES_MAX + 1), []))
    asyncio.run(outlet.deliver(topic, b"k", b"v", []))
    outlet.close()


def test_nothing_is_acknowledged_that_is_not_on_the_topic_when_the_broker_is_killed(
    broker: EmbeddedKafka,
) -> None:
    make_topics(broker.address, TOPICS)
    outlet = KafkaOutlet(broker.address, {}, TOPICS, bound_s=3.0)
    app = gateway(outlet)  # type: ignore[arg-type]
    statuses: dict[str, list[int]] = {}

    async def load() -> None:
        headers = {"authorization": f"Bearer {token()}"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=SERVER, headers=headers) as client:

            async def post(number: int) -> int:
                name = f"S-{number}"
                answer = await client.post("/v1/signalen", json=signal(signal_id=name))
                statuses.setdefault(name, []).append(answer.status_code)
                return answer.status_code

            assert await post(0) == 202
            under_way = [asyncio.create_task(post(number)) for number in range(1, 300)]
            await asyncio.gather(*under_way[:20])
            killing = asyncio.to_thread(broker.kill)
            more = [asyncio.create_task(post(number)) for number in range(300, 400)]
            await killing
            more += [asyncio.create_task(post(number)) for number in range(400, 450)]
            await asyncio.gather(*under_way, *more)
            assert not await outlet.ready()
            await asyncio.to_thread(broker.start)
            # What was not taken is sent again, as the answer asks for.
            again = [number for number in range(450) if 202 not in statuses[f"S-{number}"]]
            for _ in range(100):
                if not again:
                    break
                await asyncio.sleep(0.3)
                taken = await asyncio.gather(*(post(number) for number in again))
                again = [number for number, status in zip(again, taken, strict=True) if status != 202]

    asyncio.run(load())
    outlet.close()
    found = keys_on(broker.address, "p-signals")
    answers = Counter(status for given in statuses.values() for status in given)
    assert answers.keys() == {202, 503}
    acknowledged = {f"water-west/{name}" for name, given in statuses.items() if 202 in given}
    assert len(acknowledged) == 450
    assert acknowledged <= found.keys()
