"""A worker whose table's changelog is lost does not start, says what is missing, and goes on where that is accepted."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import PolicyViolationError
from kafka.structs import OffsetAndMetadata, TopicPartition
from signaalwissel.streams.rocks import FRESH_S, RocksState

from tests.streams.engine_support import Bench, Worker, wait_until

Start = Callable[[dict[str, Any]], Worker]
Accident = Callable[[KafkaAdminClient, Bench], None]


def made_anew(admin: KafkaAdminClient, bench: Bench) -> None:
    admin.delete_topics([bench.changelog])
    wait_until(lambda: bench.changelog not in admin.list_topics(), "the topic is gone")
    bench.make_topics({bench.name(topic): 0 for topic in ("in", "out", "sweeps")})


def commit_with(admin: KafkaAdminClient, bench: Bench, metadata: str) -> None:
    """Commit the same offsets as somebody who knows nothing of changelogs."""
    offsets = {tp: OffsetAndMetadata(at.offset, metadata, -1) for tp, at in bench._committed().items()}
    admin.alter_group_offsets(bench.app_id, offsets)


def emptied(admin: KafkaAdminClient, bench: Bench) -> None:
    # Kafka deletes nothing of a topic that is only compacted: somebody sets it otherwise for a while.
    set_policy(admin, bench, "delete")
    for number in range(bench.partitions):
        place = TopicPartition(bench.changelog, number)
        wait_until(lambda at=place: deleted(admin, at), "the broker knows the new policy and deletes")
    set_policy(admin, bench, "compact")


def deleted(admin: KafkaAdminClient, place: TopicPartition) -> bool:
    """Delete all records of a partition; false while the broker still holds the topic to its policy of before."""
    try:
        admin.delete_records({place: -1})
    except PolicyViolationError:
        return False
    return True


def set_policy(admin: KafkaAdminClient, bench: Bench, policy: str) -> None:
    admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, bench.changelog, {"cleanup.policy": policy})]
    )


def handle(bench: Bench, start_worker: Start, **settings: Any) -> dict[str, Any]:
    worker = start_worker(bench.plan(**settings))
    worker.wait_ready()
    wait_until(lambda: bench.lag() == 0 or not worker.running, "everything is committed")
    return worker.stop()


def numbers(bench: Bench) -> list[bytes | None]:
    return [record.headers["number"] for record in bench.read(bench.name("out"))]


@pytest.mark.parametrize("store", ["memory", "disk"])
@pytest.mark.parametrize(
    ("accident", "found"), [(made_anew, "another topic of the same name"), (emptied, "it holds")]
)
def test_a_changelog_that_is_lost_is_an_error_until_the_loss_is_accepted(
    bench: Bench, start_worker: Start, tmp_path: Path, store: str, accident: Accident, found: str
) -> None:
    settings = {"state_dir": str(tmp_path / "state")} if store == "disk" else {}
    bench.write("in", [(b"same", b"%d" % i) for i in range(10)])
    handle(bench, start_worker, **settings)
    bench.write("in", [(b"same", b"%d" % i) for i in range(10, 15)])
    admin = KafkaAdminClient(bootstrap_servers=bench.bootstrap)
    try:
        accident(admin, bench)
    finally:
        admin.close()

    worker = start_worker(bench.plan(**settings))
    assert worker.wait() == 1
    assert f"{bench.changelog}[" in worker.text
    assert "at the last commit this changelog held offsets 0 up to" in worker.text
    assert found in worker.text
    assert "--accept-loss" in worker.text
    assert len(numbers(bench)) == 10

    assert handle(bench, start_worker, **settings, accept_loss=True)["losses_accepted"] == 1
    assert numbers(bench)[10:] == [b"%d" % number for number in range(1, 6)]
    assert handle(bench, start_worker, **settings)["losses_accepted"] == 0


def stores(folder: Path, pattern: str) -> dict[bytes, bytes]:
    """What all stores hold of which the folder's name matches."""
    held: dict[bytes, bytes] = {}
    for place in folder.glob(f"*/{pattern}"):
        state = RocksState(place)
        held |= dict(state.items.items())
        state.close()
    return held


def make_old(folder: Path) -> None:
    for place in folder.glob("*/[0-9]"):
        state = RocksState(place, lambda: time.time() - 2 * FRESH_S)
        state.caught_up()
        state.close()


@pytest.mark.parametrize("age", ["fresh", "old"])
def test_a_store_whose_changelog_is_lost_is_left_alone_and_set_aside_where_the_loss_is_accepted(
    bench: Bench, start_worker: Start, tmp_path: Path, age: str
) -> None:
    folder = tmp_path / "state"
    bench.write("in", [(b"same", b"%d" % i) for i in range(10)])
    handle(bench, start_worker, state_dir=str(folder))
    if age == "old":
        make_old(folder)
    admin = KafkaAdminClient(bootstrap_servers=bench.bootstrap)
    try:
        made_anew(admin, bench)
    finally:
        admin.close()
    assert start_worker(bench.plan(state_dir=str(folder))).wait() == 1
    assert stores(folder, "[0-9]") == {b"same": b"10"}
    handle(bench, start_worker, state_dir=str(folder), accept_loss=True)
    assert stores(folder, "[0-9]") == {}
    assert stores(folder, "*.lost-1") == {b"same": b"10"}


def test_a_changelog_that_an_open_transaction_holds_back_is_not_told_as_lost(
    bench: Bench, start_worker: Start
) -> None:
    name = bench.changelog.removeprefix(bench.prefix)
    bench.write(name, [(b"same", b"never")], transactional=True, end="leave open")
    bench.write("in", [(b"same", b"%d" % i) for i in range(10)])
    handle(bench, start_worker)
    worker = start_worker(bench.plan(broker_timeout_s=3.0, accept_loss=True))
    assert worker.wait() == 1
    assert "a transaction holds the changelog back: what begins at offset 0 never ended" in worker.text

    bench.write(name, [(b"same", b"never")], transactional=True, end="abort")
    bench.write("in", [(b"same", b"%d" % i) for i in range(10, 15)])
    assert handle(bench, start_worker)["losses_accepted"] == 0
    assert numbers(bench) == [b"%d" % number for number in range(1, 16)]


def test_a_partition_at_rest_that_an_older_version_committed_is_noted_as_soon_as_it_is_taken_over(
    bench: Bench, start_worker: Start
) -> None:
    bench.write("in", [(b"same", b"%d" % i) for i in range(10)])
    handle(bench, start_worker)
    admin = KafkaAdminClient(bootstrap_servers=bench.bootstrap)
    try:
        commit_with(admin, bench, "1700000000000")
        handle(bench, start_worker)
        made_anew(admin, bench)
    finally:
        admin.close()
    worker = start_worker(bench.plan())
    assert worker.wait() == 1
    assert "another topic of the same name" in worker.text


def test_offsets_that_an_older_version_or_an_operator_committed_are_taken_without_a_check(
    bench: Bench, start_worker: Start
) -> None:
    bench.write("in", [(b"same", b"%d" % i) for i in range(10)])
    handle(bench, start_worker)
    admin = KafkaAdminClient(bootstrap_servers=bench.bootstrap)
    try:
        made_anew(admin, bench)
        for metadata in ("1700000000000", ""):
            commit_with(admin, bench, metadata)
            assert handle(bench, start_worker)["losses_accepted"] == 0
    finally:
        admin.close()
