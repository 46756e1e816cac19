"""Every sample publisher is built, run against real Kafka, and passes the case of `conformance` that it plays."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient, NewTopic
from signaalwissel.console.schemas import fill
from signaalwissel.console.settings import Settings
from signaalwissel.processors.conformance import packaged_cases
from signaalwissel.schemas import contract
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.wire_format import HEADER_SIZE, schema_id_of
from signaalwissel.sources.schema_registry import Registry, RegistrySettings

from tests.console.files_support import run as ours
from tests.samples.toolchains import SAMPLES, java_sample, javascript_sample, python_sample

pytestmark = pytest.mark.timeout(300)

CASE = next(case for case in packaged_cases() if case.id == "signal-bsn")
SCHEMAS = Path(contract.__file__).parent
PARTITIONS = 7
COMMANDS: dict[str, Callable[[], list[str]]] = {
    "kafka-python": lambda: python_sample("kafka_python_signal.py"),
    "confluent-kafka": lambda: python_sample("confluent_signal.py"),
    "java": java_sample,
    "javascript": javascript_sample,
}


@pytest.fixture
def topic(kafka_bootstrap: str, topic_prefix: str) -> str:
    """A test topic of a partner, with so many partitions that another partitioner would hardly go unseen."""
    name = f"{topic_prefix}signals"
    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    admin.create_topics([NewTopic(name, PARTITIONS, 1)])
    admin.close()
    return name


def publish(name: str, bootstrap: str, topic: str, **variables: str) -> None:
    """Run a sample as a partner would, without any setting of ours."""
    around = {key: value for key, value in os.environ.items() if not key.startswith("SIGNAALWISSEL_")}
    ended = subprocess.run(
        [*COMMANDS[name](), bootstrap, topic, str(SCHEMAS), CASE.record_id],
        env={**around, **variables},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.splitlines()[-1] == f"published {CASE.record_id} on {topic}"


@pytest.mark.parametrize("name", COMMANDS)
def test_what_a_sample_publishes_keeps_to_the_contract(
    kafka_bootstrap: str, topic: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(name, kafka_bootstrap, topic)
    monkeypatch.setenv("SIGNAALWISSEL_KAFKA_BOOTSTRAP", kafka_bootstrap)
    report = ours("conformance", topic, "--as", "signals", "--only", CASE.id, "--json")
    assert [json.loads(line)["status"] for line in report.stdout.splitlines()] == ["passed", "passed"], (
        report.stdout
    )
    assert report.exit_code == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_a_sample_takes_its_schema_id_from_the_registry_where_one_is_set(
    kafka_bootstrap: str, topic: str, topic_prefix: str, schema_registry: str, name: str
) -> None:
    with Registry(RegistrySettings(url=schema_registry)) as registry:
        list(fill(registry, Settings(topic_prefix=topic_prefix)))
    publish(name, kafka_bootstrap, topic, SCHEMA_REGISTRY_URL=schema_registry)
    consumer = KafkaConsumer(
        topic, bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=20_000
    )
    value = next(consumer).value
    consumer.close()
    there = httpx.get(f"{schema_registry}/subjects/{topic}-value/versions/latest").json()["id"]
    assert schema_id_of(value) == there != codec("EarlySignal").schema_id
    assert codec("EarlySignal").decode_body(value[HEADER_SIZE:]).signal_id == CASE.record_id


def test_a_sample_has_nothing_of_ours() -> None:
    programs = [file for file in SAMPLES.rglob("*") if file.suffix in {".py", ".java", ".mjs"}]
    assert len(programs) == len(COMMANDS)
    for file in programs:
        assert "signaalwissel" not in file.read_text("utf-8").lower().replace("nl.signaalwissel", "")
