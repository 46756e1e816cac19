import shutil
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import CoordinatorNotAvailableError
from kafka.structs import OffsetAndMetadata
from signaalwissel.streams.clock import now_ms
from sqlalchemy import text

from tests.console.console_support import CommandLine, Ended, Installation, source
from tests.sinks.sink_support import until

ALL_CHECKS = [
    "program",
    "settings",
    "policies",
    "keys",
    "key files",
    "kafka",
    "topics",
    "intake partitions",
    "intake offsets",
    "intake lag",
    "matcher partitions",
    "matcher offsets",
    "matcher lag",
    "kafka security",
    "postgresql security",
    "rotation",
    "postgresql",
    "migrations",
    "postgresql rights",
    "audit trail",
    "dead letters",
    "outbox",
    "processing log",
    "processing register",
    "clock",
    "follow-up",
    "retention",
    "sink offsets",
    "sink lag",
]


pytestmark = pytest.mark.usefixtures("named_collector")


def wrong(ended: Ended) -> dict[str, dict[str, Any]]:
    """The findings of `doctor --json`, by what was looked at."""
    return {finding["check"]: finding for finding in ended.json if not finding["ok"]}


def test_an_installation_that_is_well_ends_with_0_after_every_check(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    ended = signaalwissel("doctor", "--json")
    assert wrong(ended) == {}
    assert [finding["check"] for finding in ended.json] == ALL_CHECKS
    assert ended.code == 0
    table = signaalwissel("doctor")
    assert table.code == 0
    assert "WRONG" not in table.out


def test_every_finding_comes_with_a_fix(stored: Installation, signaalwissel: CommandLine) -> None:
    ended = signaalwissel("doctor", "--json")
    found = wrong(ended)
    assert set(found) == {"topics", "intake partitions", "matcher partitions"}
    assert all(finding["fix"] for finding in found.values())
    assert "topics apply" in found["topics"]["fix"]
    assert ended.code == 1


def test_a_topic_that_is_set_otherwise_is_a_finding(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    topic = f"{installation.prefix}decisions"
    client = KafkaAdminClient(bootstrap_servers=installation.bootstrap)
    client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "1000"})])
    resource = ConfigResource(ConfigResourceType.TOPIC, topic)
    until(
        lambda: client.describe_configs([resource])["topic"][topic]["retention.ms"]["value"] == "1000",
        "the new retention",
    )
    client.close()
    found = wrong(signaalwissel("doctor", "--json"))
    assert set(found) == {"topics"}
    assert f"{topic} retention.ms is 1000" in found["topics"]["detail"]


def test_unequal_partition_counts_are_a_finding(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    client = KafkaAdminClient(bootstrap_servers=installation.bootstrap)
    topic = f"{installation.prefix}signals"
    client.create_partitions({topic: 3})
    until(lambda: len(client.describe_topics([topic])[0]["partitions"]) == 3, "the new partition")
    client.close()
    found = wrong(signaalwissel("doctor", "--json"))
    assert set(found) == {"topics", "intake partitions"}
    assert "has 3 partitions, not 2" in found["topics"]["detail"]
    assert "apply` mends the rest" in found["topics"]["fix"]


def _set_offset(client: KafkaAdminClient, group: str, partition: TopicPartition) -> bool:
    try:
        client.alter_group_offsets(group, {partition: OffsetAndMetadata(1, "", None)})
    except CoordinatorNotAvailableError:
        return False  # the broker makes its topic of offsets when the first group comes
    return True


def test_a_committed_offset_below_the_beginning_of_the_log_is_a_finding(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    partition = TopicPartition(f"{installation.prefix}signals", 0)
    producer = installation.producer()
    for _ in range(3):
        producer.send(partition.topic, value=b"record", partition=0)
    producer.close()
    client = KafkaAdminClient(bootstrap_servers=installation.bootstrap)
    group = f"{installation.prefix}signaalwissel-intake"
    until(lambda: _set_offset(client, group, partition), "a coordinator of the group")
    behind = signaalwissel("doctor", "--json")
    assert wrong(behind) == {}
    details = {finding["check"]: finding["detail"] for finding in behind.json}
    assert details["intake lag"].startswith("2 records to be read, the oldest for")
    client.delete_records({partition: 2})
    client.close()
    found = wrong(signaalwissel("doctor", "--json"))
    assert set(found) == {"intake offsets"}
    assert f"{partition.topic}[0]" in found["intake offsets"]["detail"]


def test_open_dead_letters_are_a_finding_and_parked_ones_are_not(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    # Of today: an older one would have outlived its period.
    letter = installation.refuse(source()._replace(timestamp=now_ms()))
    found = wrong(signaalwissel("doctor", "--json"))
    assert found["dead letters"]["detail"] == "1 are open"
    signaalwissel("dead-letters", "park", letter.dead_letter_id)
    assert signaalwissel("doctor", "--json").code == 0


def test_what_waits_long_in_the_outbox_is_a_finding(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    insert = (
        "INSERT INTO outbox (aggregate_id, version, topic, key, value, headers, created_at)"
        " VALUES ('t', 1, 'tasks', '', '', '[]', now() - interval '5 minutes')"
    )
    with installation.engine.begin() as connection:
        connection.exec_driver_sql(insert)
    found = wrong(signaalwissel("doctor", "--json"))
    assert set(found) == {"outbox"}
    assert found["outbox"]["detail"].startswith("1 records wait, the oldest for 30")


def test_tables_of_another_version_are_a_finding(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    with installation.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    found = wrong(signaalwissel("doctor", "--json"))
    assert set(found) == {"migrations"}
    assert "9999" in found["migrations"]["detail"]


def test_a_database_without_tables_is_a_finding(unprepared: Installation, signaalwissel: CommandLine) -> None:
    unprepared.make_topics()
    found = wrong(signaalwissel("doctor", "--json"))
    assert set(found) == {"migrations"}
    assert "start the sink" in found["migrations"]["fix"]


def test_keys_and_policies_must_come_in_pairs(installation: Installation, signaalwissel: CommandLine) -> None:
    (installation.policy_dir / "0599.toml").touch()
    assert "a policy but no keys: 0599" in wrong(signaalwissel("doctor", "--json"))["keys"]["detail"]
    installation.keys.create("0599")
    assert signaalwissel("doctor").code == 0
    (installation.policy_dir / "0344.toml").unlink()
    assert "keys but no policy: 0344" in wrong(signaalwissel("doctor", "--json"))["keys"]["detail"]


def test_a_key_that_others_can_read_is_a_finding(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    (installation.key_dir / "0344" / "identity.key").chmod(0o640)
    found = wrong(signaalwissel("doctor", "--json"))["key files"]
    assert "0344/identity.key" in found["detail"]
    assert "chmod" in found["fix"]


def test_a_folder_of_keys_that_is_gone_is_a_finding(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    shutil.rmtree(installation.key_dir)
    assert "keys create" in wrong(signaalwissel("doctor", "--json"))["keys"]["fix"]


def test_a_broken_policy_is_named_and_the_services_are_looked_at_all_the_same(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    (installation.policy_dir / "0344.toml").write_text("[window]\nmonths = 99\n")
    ended = signaalwissel("doctor", "--json")
    assert ended.code == 1
    assert "window.months" in wrong(ended)["policies"]["detail"]
    assert "outbox" in [finding["check"] for finding in ended.json]


def test_services_that_are_away_end_with_3(
    bare_environment: pytest.MonkeyPatch, signaalwissel: CommandLine
) -> None:
    bare_environment.setattr("signaalwissel.console.connections.BOUND_MS", 500)
    bare_environment.setenv("SIGNAALWISSEL_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    bare_environment.setenv("SIGNAALWISSEL_DATABASE_URL", "postgresql://app:s3cret@127.0.0.1:1/app")
    ended = signaalwissel("doctor", "--json")
    assert ended.code == 3
    assert {"kafka", "postgresql"} <= set(wrong(ended))
    assert "s3cret" not in ended.out + ended.err


def test_a_setting_that_cannot_be_read_is_the_only_finding(
    bare_environment: pytest.MonkeyPatch, signaalwissel: CommandLine
) -> None:
    bare_environment.setenv("SIGNAALWISSEL_PARTITIONS", "none")
    ended = signaalwissel("doctor", "--json")
    assert ended.code == 1
    assert [finding["check"] for finding in ended.json] == ["settings"]


def test_what_is_not_set_is_named(signaalwissel: CommandLine) -> None:
    detail = wrong(signaalwissel("doctor", "--json"))["settings"]["detail"]
    for name in ("KAFKA_BOOTSTRAP", "DATABASE_URL", "KEY_DIR"):
        assert f"SIGNAALWISSEL_{name}" in detail


def test_lines_that_go_nowhere_and_policies_without_a_register_are_findings(
    stored: Installation, signaalwissel: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIGNAALWISSEL_PROCESSING_LOG_URL")
    (stored.policy_dir / "default.toml").write_text(
        (stored.policy_dir / "default.toml").read_text("utf-8").split("[privacy]")[0]
    )
    found = wrong(signaalwissel("doctor", "--json"))
    assert "PROCESSING_LOG_URL" in found["processing log"]["fix"]
    assert "0344" in found["processing register"]["detail"]


def test_lines_that_wait_past_the_bound_are_a_finding(
    stored: Installation, signaalwissel: CommandLine
) -> None:
    with stored.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO processing_log (created_at, writer, lines, content)"
                " VALUES (now() - interval '1 hour', 'test', 3, '')"
            )
        )
    found = wrong(signaalwissel("doctor", "--json"))
    assert found["processing log"]["detail"].startswith("3 lines wait")
    assert "take in nothing more" in found["processing log"]["detail"]


def test_a_collector_that_cannot_be_used_is_a_finding(
    stored: Installation, signaalwissel: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNAALWISSEL_PROCESSING_LOG_URL", "http://collector.example/v1/traces")
    found = wrong(signaalwissel("doctor", "--json"))
    assert "https" in found["processing log"]["detail"]
