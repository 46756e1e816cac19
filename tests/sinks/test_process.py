from datetime import date

import pytest
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import NewPartitions
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskStatus, TaskUpdateKind
from signaalwissel.schemas.internal import Fact, ResidentCommandKind, TrajectoryState
from signaalwissel.schemas.trajectory import Counsellor, TrajectoryEventKind
from signaalwissel.sinks.offsets import Zombie
from signaalwissel.sinks.process import run_sink
from signaalwissel.sinks.reader import OffsetLost
from signaalwissel.sinks.settings import DECISIONS, NOTICES, RESIDENT_EVENTS, TASKS, SinkError
from signaalwissel.sinks.tables import consumed_offsets, dead_letters, decisions, outbox, tasks

from tests.processors.followup_support import address_only, decision, regular, to_regular, update
from tests.sinks.sink_support import POLICIES, SinkBench, seal, until


def counsellor_state(version: int, counsellor: Counsellor) -> TrajectoryState:
    fact = Fact(
        f"e-{version}",
        version,
        date(2026, 3, 1),
        1_772_400_000_000 + version,
        TrajectoryEventKind.COUNSELLOR_ASSIGNED,
        counsellor=counsellor,
    )
    return TrajectoryState("0344", "T-1", version, False, fact.event_id, (fact,), (b"k" * 33,))


def test_a_hit_becomes_an_audit_row_and_a_published_task(bench: SinkBench) -> None:
    bench.decide([decision(), regular("s-2")])
    bench.drain()
    assert {row["reason"] for row in bench.rows(decisions)} == {"RUNNING_TRAJECTORY", "NO_TRAJECTORY"}
    (event,) = bench.task_events(1)
    (row,) = bench.rows(tasks)
    assert (event.task_id, event.version, event.status) == (row["task_id"], 1, TaskStatus.OPEN)
    (record,) = bench.published(TASKS, 1)
    headers = {name: value.decode() for name, value in record.headers}
    assert record.key == event.task_id.encode()
    assert headers.pop("ce_time").endswith("Z")
    assert headers == {
        "ce_id": f"{event.task_id}:1",
        "ce_source": "urn:nld:signaalwissel",
        "ce_specversion": "1.0",
        "ce_type": "nl.schuldhulpverlening.taak-gewijzigd",
        "content-type": "application/avro",
    }


def test_tasks_follow_decisions_updates_and_counsellors_over_restarts(bench: SinkBench) -> None:
    bench.tell(counsellor_state(1, Counsellor("b-17", "team-noord")))
    bench.decide([decision()])
    bench.drain()
    task_id = bench.rows(tasks)[0]["task_id"]
    bench.tell(
        counsellor_state(3, Counsellor("b-18", "team-zuid")), counsellor_state(2, Counsellor("b-17", "x"))
    )
    bench.drain()
    accepted = update(TaskUpdateKind.ACCEPTED, task_id, by="b-18")
    bench.report(accepted, accepted, update(TaskUpdateKind.CONTACT_MADE, task_id, update_id="u-2", by="b-18"))
    bench.drain()
    bench.decide([to_regular()])
    bench.drain()
    events = bench.task_events(5)
    assert [event.version for event in events] == [1, 2, 3, 4, 5]
    assert [step.what for step in events[-1].history] == [
        "OPENED",
        "COUNSELLOR_CHANGED",
        "ACCEPTED",
        "CONTACT_MADE",
        "SIGNAL_LEFT",
    ]
    assert (events[-1].status, events[-1].assignee) == (TaskStatus.DONE, "b-18")
    told = [row["topic"].removeprefix(bench.settings.topic_prefix) for row in bench.rows(outbox)]
    assert (told.count(TASKS), told.count(NOTICES)) == (5, 1)


def test_an_answer_about_identity_goes_to_the_matcher(bench: SinkBench) -> None:
    made = address_only()
    bench.decide([made])
    bench.drain()
    task_id = bench.rows(tasks)[0]["task_id"]
    bench.report(update(TaskUpdateKind.IDENTITY_CONFIRMED, task_id, trajectory_id="T-1", client=0))
    bench.drain()
    (record,) = bench.published(RESIDENT_EVENTS, 1)
    command = codec("ResidentCommand").decode(record.value)
    assert record.key == made.match_key
    assert (command.kind, command.trajectory_id) == (ResidentCommandKind.CONFIRM_IDENTITY, "T-1")


def test_a_bad_record_becomes_a_sealed_dead_letter_and_the_partition_goes_on(bench: SinkBench) -> None:
    bench.publish(DECISIONS, b"k", b"\x00\x00\x00\x00\x65rubbish", partition=0, headers=[("h", b"v")])
    bench.publish(DECISIONS, b"k", b"no wire format", partition=0)
    bench.publish(DECISIONS, b"k", None, partition=0)
    bench.publish(DECISIONS, b"k", codec("TaskUpdate").encode(update(TaskUpdateKind.ACCEPTED)), partition=0)
    bench.publish(DECISIONS, b"k", codec("Decision").encode(decision("a\x00b")), partition=0)
    bench.publish(DECISIONS, b"k", codec("Decision").encode(decision()), partition=0)
    bench.report(update(TaskUpdateKind.ACCEPTED, "no-such-task", update_id="u-9"))
    bench.drain()
    assert [row["signal_id"] for row in bench.rows(decisions)] == ["s-1"]
    letters = {(row["topic"][-9:], row["offset"], row["code"]) for row in bench.rows(dead_letters)}
    assert letters == {
        ("decisions", 0, "UNREADABLE"),
        ("decisions", 1, "NOT_WIRE_FORMAT"),
        ("decisions", 2, "NULL_VALUE"),
        ("decisions", 3, "UNKNOWN_SCHEMA_ID"),
        ("decisions", 4, "INVALID_FIELD"),
        ("k-updates", 0, "UNKNOWN_TASK"),
    }
    (refused,) = [row for row in bench.rows(dead_letters) if row["code"] == "UNKNOWN_TASK"]
    assert (refused["stage"], refused["field"], refused["record_id"]) == ("sink", "task_id", "u-9")
    (rubbish,) = [
        row for row in bench.rows(dead_letters) if row["topic"].endswith(DECISIONS) and not row["offset"]
    ]
    original = codec("OriginalRecord").decode_body(bytes(rubbish["sealed"])[len("sealed:") :][::-1])
    assert (original.key, original.value) == (b"k", b"\x00\x00\x00\x00\x65rubbish")
    assert original.headers == (("h", b"v"),)


def test_only_committed_records_are_read_and_markers_count_as_read(bench: SinkBench) -> None:
    producer = bench.producer(transactional_id=bench.settings.topic_prefix + "tx")
    producer.init_transactions()
    for signal_id, commit in (("s-1", True), ("s-2", False), ("s-3", True), ("s-4", False)):
        producer.begin_transaction()
        bench.decide([regular(signal_id)], producer)
        if commit:
            producer.commit_transaction()
        else:
            producer.abort_transaction()
    bench.drain()
    assert {row["signal_id"] for row in bench.rows(decisions)} == {"s-1", "s-3"}


def test_a_decision_that_was_published_twice_stands_once(bench: SinkBench) -> None:
    bench.decide([decision(), decision(), decision("s-2", arrears=90_000)])
    bench.drain()
    bench.decide([decision("s-2", arrears=90_000)])
    bench.drain()
    assert len(bench.rows(decisions)) == 2
    assert [event.version for event in bench.task_events(2)] == [1, 2]


def test_two_instances_share_the_partitions_and_one_relay_works(bench: SinkBench) -> None:
    bench.decide(
        [regular(f"r-{i}") for i in range(40)] + [decision(f"s-{i}", arrears=i) for i in range(1, 41)]
    )
    with bench.running(instances=2, instance=0), bench.running(instances=2, instance=1):
        until(bench.drained, "both instances")
    assert len(bench.rows(decisions)) == 80
    (row,) = bench.rows(tasks)
    assert row["version"] == 40
    assert [event.version for event in bench.task_events(40)] == list(range(1, 41))


def test_a_second_sink_for_the_same_partitions_ends_with_a_clear_error(bench: SinkBench) -> None:
    with bench.running():
        until(bench.drained, "the first sink")
        with pytest.raises(SinkError, match=r"another sink reads this partition \(PostgreSQL session"):
            run_sink(bench.settings_with(retry_s=1.0), POLICIES, seal)


def test_a_sink_whose_offsets_were_moved_ends_as_a_zombie(bench: SinkBench) -> None:
    bench.decide([regular()])
    with bench.running(failing=True) as sink:
        until(bench.drained, "the first record")
        with bench.engine.begin() as connection:
            connection.execute(
                consumed_offsets.update().values(next_offset=consumed_offsets.c.next_offset + 1)
            )
        bench.decide([regular("s-2"), regular("s-3"), regular("s-4"), regular("s-5")])
        until(lambda: sink.failure is not None, "the end of the zombie")
    assert isinstance(sink.failure, Zombie)
    assert [row["signal_id"] for row in bench.rows(decisions)] == ["s-1"]


def test_a_missing_topic_is_named(bench: SinkBench) -> None:
    with pytest.raises(SinkError, match="there is no topic elsewhere-trajectory-states"):
        run_sink(bench.settings_with(topic_prefix="elsewhere-"), POLICIES, seal)


def test_records_that_were_deleted_unread_stop_the_sink_until_the_loss_is_accepted(bench: SinkBench) -> None:
    bench.decide([regular(f"s-{i}") for i in range(20)])
    bench.drain()
    with bench.engine.begin() as connection:
        connection.execute(consumed_offsets.update().values(next_offset=0))
    bench.decide([regular("s-last")])
    admin = KafkaAdminClient(bootstrap_servers=bench.settings.bootstrap)
    topic = bench.settings.topic(DECISIONS)
    admin.delete_records({TopicPartition(topic, 0): 5, TopicPartition(topic, 1): 5})
    admin.close()
    with pytest.raises(OffsetLost, match=r"decisions\[0\]: the next record to read is offset 0, .* 5 up to"):
        run_sink(bench.settings, POLICIES, seal)
    bench.drain(accept_loss=True)
    assert len(bench.rows(decisions)) == 21


def test_a_database_that_stays_away_ends_the_sink_with_a_clear_error(bench: SinkBench) -> None:
    away = bench.settings_with(database_url="postgresql+psycopg://nobody@127.0.0.1:9/none", retry_s=0.5)
    with pytest.raises(SinkError, match=r"gave up after 0\.5 s\. PostgreSQL: .*start the sink again"):
        run_sink(away, POLICIES, seal)


def test_a_broker_that_stays_away_ends_the_sink_with_a_clear_error(bench: SinkBench) -> None:
    with pytest.raises(SinkError, match=r"gave up after 0\.5 s\. Kafka: "):
        run_sink(bench.settings_with(bootstrap="127.0.0.1:9", retry_s=0.5), POLICIES, seal)


def test_an_unreadable_database_url_is_refused_without_being_repeated(bench: SinkBench) -> None:
    with pytest.raises(SinkError, match="DATABASE_URL") as refused:
        run_sink(bench.settings_with(database_url="secret nonsense"), POLICIES, seal)
    assert "secret" not in str(refused.value)


def test_new_partitions_are_read_after_a_restart(bench: SinkBench) -> None:
    bench.decide([regular()])
    bench.drain()
    admin = KafkaAdminClient(bootstrap_servers=bench.settings.bootstrap)
    admin.create_partitions({bench.settings.topic(DECISIONS): NewPartitions(3)})
    admin.close()
    # A producer that knows of them.
    value = codec("Decision").encode(regular("s-2"))
    bench.producer().send(bench.settings.topic(DECISIONS), key=b"k", value=value, partition=2).get(timeout=30)
    bench.drain()
    assert {row["signal_id"] for row in bench.rows(decisions)} == {"s-1", "s-2"}
