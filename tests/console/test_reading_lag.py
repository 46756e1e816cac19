"""How far a reader is: judged from offsets, and looked up on a real log."""

from kafka import KafkaConsumer, TopicPartition
from signaalwissel.console.findings import Finding
from signaalwissel.console.reading_lag import findings_of, lag_of, waiting_since
from signaalwissel.sinks.health import PartitionLag
from signaalwissel.sinks.records import Place

from tests.console.console_support import Installation

DAY_MS = 86_400_000
PLACE = Place("signals", 0)
WEEK = {"signals": 7 * DAY_MS}


def judged(lag: PartitionLag, age_ms: int | None = None) -> dict[str, Finding]:
    ages = {} if age_ms is None else {PLACE: age_ms}
    return {finding.check: finding for finding in findings_of("intake", {PLACE: lag}, ages, WEEK)}


def test_a_reader_behind_by_less_than_half_the_retention_is_well() -> None:
    found = judged(PartitionLag(0, 10, 4), 3 * DAY_MS)
    assert all(finding.ok for finding in found.values())
    assert found["intake lag"].detail == "6 records to be read, the oldest for 3 days"


def test_a_reader_behind_by_more_than_half_the_retention_is_a_finding() -> None:
    found = judged(PartitionLag(0, 10, 4), 4 * DAY_MS)["intake lag"]
    assert not found.ok
    assert "signals[0]" in found.detail


def test_a_topic_that_keeps_everything_can_wait() -> None:
    (_, found) = findings_of("sink", {PLACE: PartitionLag(0, 10, 4)}, {PLACE: 400 * DAY_MS}, {})
    assert found.ok


def test_an_offset_below_the_beginning_of_the_log_is_a_loss() -> None:
    found = judged(PartitionLag(5, 10, 4))["intake offsets"]
    assert not found.ok
    assert "SIGNAALWISSEL_ACCEPT_LOSS" in (found.fix or "")


def test_only_markers_of_transactions_behind_a_reader_are_nothing_to_read(
    installation: Installation,
) -> None:
    topic = f"{installation.prefix}signals"
    producer = installation.producer(transactional_id=installation.prefix)
    producer.init_transactions()
    producer.begin_transaction()
    written = producer.send(topic, value=b"one", partition=0)
    producer.commit_transaction()
    producer.close()
    consumer = KafkaConsumer(
        bootstrap_servers=installation.bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    partition = TopicPartition(topic, 0)
    read = lag_of(consumer, [topic], {partition: 1})
    unread = lag_of(consumer, [topic], {})
    assert (read[Place(topic, 0)].lag, unread[Place(topic, 0)].lag) == (1, 2)
    assert waiting_since(consumer, read) == {}
    assert waiting_since(consumer, unread) == {Place(topic, 0): written.get().timestamp}
    consumer.close()


def test_a_topic_that_is_not_there_has_no_lag(installation: Installation) -> None:
    consumer = KafkaConsumer(bootstrap_servers=installation.bootstrap)
    assert lag_of(consumer, [f"{installation.prefix}nothing"], {}) == {}
    consumer.close()
