"""A running installation as those who watch it see it: metrics, traces and logs of all processes at once."""

import json
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from kafka import KafkaProducer
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from signaalwissel.deploy.databases import fresh_database
from signaalwissel.deploy.platform import Platform
from signaalwissel.deploy.ports import free_ports
from signaalwissel.schemas.contract import codec
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.health import health

from tests.console.metrics_support import every_page, value
from tests.sinks.log_collector import attributes_of, log_collector
from tests.system.installation import Installation
from tests.system.lines import BSN, applied, signal

pytestmark = pytest.mark.timeout(300)

STAGES = ("intake", "matcher", "sink")
TRACE, PARTNERS_SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
UNSAMPLED = "1bf7651916cd43dd8448eb211c80319d"
PREFIX = f"observed-{uuid.uuid4().hex[:12]}-"
TRACED, UNTRACED, TRAJECTORY = "signal-with-trace", "signal-without", "traject-of-somebody"


@dataclass
class Seen:
    """What was to be seen of an installation that handled a trajectory, a traced signal and a broken record."""

    metrics: dict[str, dict[str, Metric]]
    pages: dict[str, str]
    spans: list[Span]
    services: dict[bytes, str]
    logs: list[str]

    def step(self, service: str, topic: str) -> Span:
        """The one step of a process about a record of a topic."""
        (found,) = (
            span
            for span in self.spans
            if self.services[span.span_id] == f"signaalwissel-{service}"
            and attributes_of(span)["messaging.destination.name"] == PREFIX + topic
        )
        return found


@pytest.fixture(scope="module")
def seen(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("observed")
    with log_collector() as collector, fresh_database(platform.database_url, "test_observed") as database_url:
        (port,) = free_ports(1)
        extra = {
            "SIGNAALWISSEL_HEALTH_PORT": str(port),
            "SIGNAALWISSEL_TRACES_URL": collector.url,
        }
        product = Installation(
            platform.kafka_bootstrap, database_url, PREFIX, folder, partitions=2, extra=extra
        )
        with stopping(product):
            product.start("worker")
            product.start("sink")
            product.publish([applied("2026-01-01", trajectory_id=TRAJECTORY)])
            product.settle(sink=True)
            send_signals(product)
            product.settle(sink=True)
            product.wait_until(lambda: the_outbox_is_empty(database_url), "every task is published")
            product.wait_until(lambda: told_of_the_database(port), "the sink looked at the database")
            pages = {stage: page(port + number) for number, stage in enumerate(STAGES)}
        yield Seen(
            metrics={
                stage: {family.name: family for family in text_string_to_metric_families(text)}
                for stage, text in pages.items()
            },
            pages=pages,
            spans=collector.spans,
            services=collector.services,
            logs=[
                line for file in folder.glob("*.log") for line in file.read_text("utf-8").splitlines() if line
            ],
        )


@contextmanager
def stopping(product: Installation) -> Iterator[None]:
    try:
        yield
    finally:
        product.stop()


def send_signals(product: Installation) -> None:
    """One whose trace is sampled, one whose trace is not, and a record that is none."""
    encoder = codec("EarlySignal")
    producer = KafkaProducer(bootstrap_servers=product.bootstrap)
    for signal_id, trace, flags in ((TRACED, TRACE, "01"), (UNTRACED, UNSAMPLED, "00")):
        line = signal(signal_id, "2026-02-10")
        producer.send(
            PREFIX + "signals",
            key=f"woonstichting/{signal_id}".encode(),
            value=encoder.encode(encoder.from_json(line["value"])),
            headers=[("traceparent", f"00-{trace}-{PARTNERS_SPAN}-{flags}".encode())],
        )
    producer.send(PREFIX + "signals", key=b"x", value=b"no record")
    producer.flush()
    producer.close()


def the_outbox_is_empty(database_url: str) -> bool:
    found = health(open_engine(database_url, name="test"))
    return found.outbox_unsent == 0 and bool(found.dead_letters)


def page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answered:
        text: str = answered.read().decode()
        return text


def told_of_the_database(port: int) -> bool:
    text = page(port + STAGES.index("sink"))
    return "signaalwissel_dlq_open 1.0" in text and "signaalwissel_outbox_pending 0.0" in text


def test_every_process_exports_what_rules_and_dashboards_are_checked_against(seen: Seen) -> None:
    promised = every_page()
    for stage in STAGES:
        assert {*seen.metrics[stage]} == {*promised[stage]}, stage


def test_the_metrics_tell_what_was_done(seen: Seen) -> None:
    intake, matcher, sink = (seen.metrics[stage] for stage in STAGES)
    assert (
        value(intake["messaging_client_consumed_messages"], messaging_destination_name=PREFIX + "signals")
        == 3
    )
    assert (
        value(matcher["messaging_client_sent_messages"], messaging_destination_name=PREFIX + "decisions") == 2
    )
    assert (
        value(sink["signaalwissel_decisions"], reason="RUNNING_TRAJECTORY", route="COUNSELLOR_FOLLOWUP") == 2
    )
    assert value(sink["signaalwissel_dlq"], refused_by="intake", cause="NOT_WIRE_FORMAT") == 1
    assert value(sink["signaalwissel_tasks_running"], kind="CONTACT_ON_RELAPSE", status="OPEN") == 1
    for stage in STAGES:
        told = seen.metrics[stage]
        assert value(told["signaalwissel_live"], stage=stage) == 1
        assert value(told["signaalwissel_ready"], stage=stage) == 1
        assert value(told["signaalwissel_transactions"], stage=stage) > 0
        assert {sample.value for sample in told["signaalwissel_lag_records"].samples} == {0.0}, stage
    assert value(intake["signaalwissel_state_entries"], table="trajectories") == 1
    assert value(matcher["signaalwissel_assigned_partitions"]) == 2


def test_the_trace_of_a_signal_goes_through_all_processes_each_step_the_parent_of_the_next(
    seen: Seen,
) -> None:
    at_intake, at_matcher = seen.step("intake", "signals"), seen.step("matcher", "resident-events")
    at_sink = seen.step("sink", "decisions")
    assert {span.trace_id.hex() for span in (at_intake, at_matcher, at_sink)} == {TRACE}
    assert at_intake.parent_span_id.hex() == PARTNERS_SPAN
    assert at_matcher.parent_span_id == at_intake.span_id
    assert at_sink.parent_span_id == at_matcher.span_id
    assert at_intake.start_time_unix_nano <= at_matcher.start_time_unix_nano <= at_sink.start_time_unix_nano


def test_a_trace_that_its_partner_does_not_sample_leaves_no_span(seen: Seen) -> None:
    assert len(seen.spans) == 3
    assert UNSAMPLED not in {span.trace_id.hex() for span in seen.spans}


def test_nothing_that_is_watched_names_a_resident_a_signal_or_a_trajectory(seen: Seen) -> None:
    told = [*seen.pages.values(), *map(str, seen.spans), *seen.logs]
    for secret in (BSN, TRAJECTORY, TRACED, UNTRACED, "woonstichting"):
        assert not [line for line in told if secret in line], secret


def test_every_line_of_every_log_is_json_that_names_moment_level_and_stage(seen: Seen) -> None:
    assert seen.logs
    for line in seen.logs:
        told = json.loads(line)
        assert {"event", "level", "logger", "at", "stage"} <= told.keys(), line
        assert told["stage"] in STAGES, line
    assert {json.loads(line)["stage"] for line in seen.logs} == set(STAGES)
