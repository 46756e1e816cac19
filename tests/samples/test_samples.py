"""Every sample publisher is built, run against real Kafka, and passes the case of `conformance` that it plays."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient, NewTopic
from signaalwissel.processors.conformance import packaged_cases
from signaalwissel.schemas import contract

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
    name = f"{topic_prefix}partner"
    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    admin.create_topics([NewTopic(name, PARTITIONS, 1)])
    admin.close()
    return name


def run(command: list[str], **variables: str) -> str:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SIGNAALWISSEL_")}
    ended = subprocess.run(
        command, env={**ours, **variables}, check=False, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_what_a_sample_publishes_keeps_to_the_contract(
    kafka_bootstrap: str, topic: str, tmp_path: Path, name: str
) -> None:
    told = run([*COMMANDS[name](), kafka_bootstrap, topic, str(SCHEMAS), CASE.record_id])
    assert told.splitlines()[-1] == f"published {CASE.record_id} on {topic}"

    junit = tmp_path / "report.xml"
    arguments = [topic, "--as", "signals", "--only", CASE.id, "--json", "--junit", str(junit)]
    report = run(
        [sys.executable, "-m", "signaalwissel.console", "conformance", *arguments],
        SIGNAALWISSEL_KAFKA_BOOTSTRAP=kafka_bootstrap,
    )
    assert [json.loads(line)["status"] for line in report.splitlines()] == ["passed", "passed"]
    assert 'failures="0"' in junit.read_text("utf-8")


def test_a_sample_has_nothing_of_ours() -> None:
    programs = [file for file in SAMPLES.rglob("*") if file.suffix in {".py", ".java", ".mjs"}]
    assert len(programs) == len(COMMANDS)
    for file in programs:
        assert "signaalwissel" not in file.read_text("utf-8").lower().replace("nl.signaalwissel", "")
