"""A partner is told on his own topic: each notice once for who reads committed records, and only what is his."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from signaalwissel.processors.feedback import record_of
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.publishers import Publisher, Publishers
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import Feedback, TaskUpdateKind
from signaalwissel.sinks.feedback_channels import NotDelivered
from signaalwissel.sinks.feedback_settings import FeedbackSettings, FeedbackUnusable
from signaalwissel.sinks.feedback_tables import feedback_deliveries
from signaalwissel.sinks.feedback_topics import PartnerTopics
from signaalwissel.sinks.feedback_worker import FeedbackDelivery
from signaalwissel.sinks.reader import open_consumer
from signaalwissel.sinks.settings import SinkSettings
from signaalwissel.sinks.tables import notices

from tests.processors.followup_support import POLICY, decision, update
from tests.processors.test_feedback import TOLD
from tests.sinks.clock_support import Office
from tests.sinks.sink_support import until

PARTNER = decision().partner.partner_id
TOPIC = f"feedback.{PARTNER}"
PARTITIONS = 2


def policies() -> Policies:
    content = POLICY.model_dump(mode="json")
    channel = {"kind": "topic", "publisher": PARTNER}
    content["channels"] = {"regular_side_too": True, "partners": {PARTNER: channel}}
    return Policies(type(POLICY).model_validate(content), for_every_code=True)


def hears(*partners: str, municipalities: frozenset[str] | None = None) -> Publishers:
    return Publishers({TOPIC: Publisher(partners=frozenset(partners), municipalities=municipalities)})


def long_ago() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


class Bench:
    """A sink's database, the topic of a partner, and what tells him there."""

    def __init__(self, bootstrap: str, database_url: str, prefix: str) -> None:
        self.known = policies()
        self.office = Office(database_url, self.known, bootstrap=bootstrap, topic_prefix=prefix)
        self.topic = f"{prefix}{TOPIC}"

    @property
    def settings(self) -> SinkSettings:
        return self.office.settings

    def make_topic(self) -> None:
        with closing(KafkaAdminClient(bootstrap_servers=self.settings.bootstrap)) as admin:
            admin.create_topics([NewTopic(self.topic, PARTITIONS, 1)])

    def reach(self, number: int = 1) -> None:
        """A signal whose resident was reached."""
        self.office.store(decision(f"s-{number}", trajectory_id=f"T-{number}"))
        task = next(one for one in self.office.tasks() if one.trajectory_id == f"T-{number}")
        said = update(TaskUpdateKind.CONTACT_MADE, task.task_id, update_id=f"u-{number}")
        self.office.store(updates=[said])

    @contextmanager
    def telling(self, publishers: Publishers | None = None) -> Iterator[FeedbackDelivery]:
        feedback = FeedbackSettings(
            publishers=publishers or hears(PARTNER),
            backoff_s=0.05,
            backoff_max_s=0.1,
            pause_s=0.1,
            pause_max_s=0.2,
        )
        thread = FeedbackDelivery(self.settings, feedback, self.known)
        thread.start()
        try:
            yield thread
        finally:
            thread.stop()
        assert thread.failure is None

    def rows(self) -> list[dict[str, Any]]:
        return self.office.rows(feedback_deliveries)

    def all_sent(self) -> bool:
        return all(row["sent_at"] is not None for row in self.rows())

    def tell_all(self) -> None:
        with self.telling():
            until(self.all_sent, "the partner to be told")

    def forget_what_was_sent(self) -> None:
        """As if the sink had ended between the record and its mark."""
        with self.office.engine.begin() as connection:
            connection.execute(feedback_deliveries.update().values(sent_at=None))

    def read(self) -> list[Any]:
        """All that is committed, as a partner reads it."""
        partitions = [TopicPartition(self.topic, number) for number in range(PARTITIONS)]
        with closing(open_consumer(self.settings, auto_offset_reset="earliest")) as consumer:
            consumer.assign(partitions)
            consumer.seek_to_beginning(*partitions)
            ends = consumer.end_offsets(partitions)
            found: list[Any] = []
            while any((consumer.position(one) or 0) < end for one, end in ends.items()):
                for records in consumer.poll(timeout_ms=200).values():
                    found += records
        return found


@pytest.fixture
def bench(kafka_bootstrap: str, database_url: str, topic_prefix: str) -> Bench:
    bench = Bench(kafka_bootstrap, database_url, topic_prefix)
    bench.make_topic()
    return bench


def ids(records: list[Any]) -> list[str]:
    return sorted(dict(record.headers)["ce_id"].decode() for record in records)


def test_a_partner_reads_his_own_number_one_word_and_the_day(bench: Bench) -> None:
    bench.reach()
    bench.tell_all()
    [record] = bench.read()
    told = codec("PartnerFeedback").decode(record.value)
    [notice] = [one for one in bench.office.rows(notices) if one["feedback"] is not None]
    assert record.key == f"0344/{PARTNER}/s-1".encode()
    assert told == (notice["notice_id"], "0344", PARTNER, "s-1", Feedback.TAKEN_UP, notice["occurred_on"])
    headers = {name: value.decode() for name, value in record.headers}
    assert datetime.fromisoformat(headers.pop("ce_time")).tzinfo is not None
    assert headers == {
        "ce_id": notice["notice_id"],
        "ce_source": "urn:nld:signaalwissel",
        "ce_specversion": "1.0",
        "ce_type": "nl.vroegsignalering.signaal-teruggekoppeld",
        "content-type": "application/avro",
    }


def test_a_sink_that_ended_before_its_mark_tells_nothing_twice_and_the_rest_once(bench: Bench) -> None:
    for number in range(1, 4):
        bench.reach(number)
    bench.tell_all()
    before = ids(bench.read())
    bench.forget_what_was_sent()
    bench.reach(4)
    bench.tell_all()
    after = ids(bench.read())
    assert len(after) == len(set(after)) == 4
    assert set(before) < set(after)


def test_what_a_sink_left_uncommitted_is_told_by_the_next_one(bench: Bench) -> None:
    bench.reach()
    [row] = bench.rows()
    ended = PartnerTopics(bench.settings)
    producer = ended._opened()
    producer.begin_transaction()
    key, value = record_of(TOLD)
    headers = [("ce_id", row["notice_id"].encode())]
    producer.send(bench.topic, key=key, value=value, headers=headers)
    producer.flush()
    assert bench.read() == []
    bench.tell_all()
    assert ids(bench.read()) == [row["notice_id"]]
    # Whoever was thought to have ended cannot end its transaction any more.
    with pytest.raises(NotDelivered):
        ended.deliver(PARTNER, TOLD, long_ago)
    assert ids(bench.read()) == [row["notice_id"]]
    ended._drop()


def test_what_was_told_behind_another_writers_open_transaction_is_found(bench: Bench) -> None:
    bench.reach()
    other = KafkaProducer(bootstrap_servers=bench.settings.bootstrap, transactional_id=f"{bench.topic}-other")
    other.init_transactions()
    other.begin_transaction()
    for partition in range(PARTITIONS):
        other.send(bench.topic, key=b"theirs", value=b"", partition=partition)
    other.flush()
    bench.tell_all()
    # Nobody sees it yet: the other one is before it.
    assert bench.read() == []
    bench.forget_what_was_sent()
    with bench.telling():
        other.abort_transaction()
        other.close()
        until(bench.all_sent, "the partner to be told")
    assert len(bench.read()) == 1


@pytest.mark.parametrize(
    "publishers",
    [hears("another"), hears(PARTNER, municipalities=frozenset({"0363"}))],
    ids=["partner", "municipality"],
)
def test_a_topic_gets_nothing_that_its_reader_may_not_hear_of(bench: Bench, publishers: Publishers) -> None:
    bench.reach()
    with bench.telling(publishers):
        until(lambda: any(row["attempts"] for row in bench.rows()), "a try")
    [row] = bench.rows()
    assert row["sent_at"] is None
    assert "may not hear" in row["last_error"]
    assert bench.read() == []


def test_without_its_topic_it_waits_and_says_what_to_do(
    kafka_bootstrap: str, database_url: str, topic_prefix: str
) -> None:
    bench = Bench(kafka_bootstrap, database_url, topic_prefix)
    bench.reach()
    with bench.telling():
        until(lambda: any(row["attempts"] for row in bench.rows()), "a try")
        assert "topics apply" in bench.rows()[0]["last_error"]
        bench.make_topic()
        until(bench.all_sent, "the partner to be told")
    assert len(bench.read()) == 1


def test_while_kafka_is_away_it_waits_and_the_sink_goes_on(database_url: str) -> None:
    bench = Bench("127.0.0.1:1", database_url, "away-")
    bench.reach()
    with pytest.raises(NotDelivered, match="topic: "), PartnerTopics(bench.settings) as topics:
        topics.deliver(PARTNER, TOLD, long_ago)


@pytest.mark.parametrize(
    "publishers", [Publishers(), hears("another")], ids=["no such topic", "not of this partner"]
)
def test_a_topic_that_the_publishers_file_does_not_give_ends_the_start(publishers: Publishers) -> None:
    channels = policies().default.channels.partners.items()
    with pytest.raises(FeedbackUnusable, match=rf"PUBLISHERS_FILE: .*feedback\.{PARTNER}.*{PARTNER}"):
        FeedbackSettings(publishers=publishers).check(channels)
    FeedbackSettings(publishers=hears(PARTNER)).check(channels)
