"""The metrics page: what each collector tells, and that labels are names of ours."""

from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from signaalwissel.console.metrics import MetricsPage
from signaalwissel.console.metrics_http import HttpMetrics
from signaalwissel.console.metrics_process import KeyMetrics, ProgressMetrics
from signaalwissel.console.metrics_sink import SLOW_LOOK_S, DatabaseMetrics, SinkMetrics
from signaalwissel.processors.progress import Standing
from signaalwissel.schemas.routing import Route, TrueReason
from signaalwissel.security.http_middleware import Answered
from signaalwissel.sinks.counts import SinkCounts
from signaalwissel.sinks.records import Place
from signaalwissel.streams.rocks import StateSize
from signaalwissel.streams.stats import EngineStats

from tests.console.metrics_support import FakeDatabase, Looked, every_page, families, value, worker_metrics


def engine() -> EngineStats:
    signals = TopicPartition("signals", 3)
    stats = EngineStats(
        next_offsets={signals: 10},
        end_offsets={signals: 17},
        handled_ms={signals: 1_000},
        commits=4,
        in_recovery=False,
    )
    stats.note_chunk("signals", 250, 0.02)
    stats.note_sent("regular-flow", 200)
    stats.note_sent("regular-flow", 50)
    return stats


def test_a_worker_tells_lag_per_partition_and_how_old_the_oldest_record_is() -> None:
    told = families(worker_metrics(engine()))
    assert value(told["signaalwissel_lag_records"], stage="intake", topic="signals", partition="3") == 7
    assert value(told["signaalwissel_oldest_unread_seconds"], topic="signals") > 1e9


def test_where_nothing_is_unread_nothing_is_old() -> None:
    stats = engine()
    stats.end_offsets = {}
    assert value(families(worker_metrics(stats))["signaalwissel_oldest_unread_seconds"]) == 0


def test_a_worker_tells_records_by_topic_chunks_and_commits() -> None:
    told = families(worker_metrics(engine()))
    sent, read = told["messaging_client_sent_messages"], told["messaging_client_consumed_messages"]
    assert value(sent, messaging_destination_name="regular-flow", messaging_system="kafka") == 250
    assert value(read, messaging_destination_name="signals") == 250
    assert value(told["messaging_process_duration_seconds"], messaging_destination_name="signals") == 1
    buckets = {
        sample.labels["le"]: sample.value
        for sample in told["signaalwissel_chunk_records"].samples
        if sample.name.endswith("_bucket")
    }
    assert (buckets["100.0"], buckets["300.0"], buckets["+Inf"]) == (0, 1, 1)
    assert value(told["signaalwissel_transactions"]) == 4
    assert value(told["signaalwissel_in_recovery"]) == 0


def test_before_the_first_commit_there_is_no_age_of_it() -> None:
    assert families(worker_metrics())["signaalwissel_last_commit_age_seconds"].samples == []
    stats = engine()
    stats.note_commit(0.0, 0.1)
    assert value(families(worker_metrics(stats))["signaalwissel_last_commit_age_seconds"]) > 0


def test_the_size_of_a_table_is_that_of_its_partitions_together() -> None:
    parts = {n: SimpleNamespace(size=lambda: StateSize(5, 1000)) for n in range(3)}
    told = families(worker_metrics(tables=(SimpleNamespace(name="signals", held=parts),)))
    assert value(told["signaalwissel_state_entries"], table="signals") == 15
    assert value(told["signaalwissel_state_disk_bytes"], table="signals") == 3000


def test_a_sink_tells_decisions_corrections_and_refusals_from_0_on() -> None:
    counts = SinkCounts(lag={Place("decisions", 1): 12})
    counts.decisions["REGULAR_FLOW", "NO_TRAJECTORY"] = 8
    told = families(SinkMetrics(counts))
    decisions = told["signaalwissel_decisions"]
    assert value(decisions, route="REGULAR_FLOW", reason="NO_TRAJECTORY") == 8
    assert len([s for s in decisions.samples if s.value == 0]) == len(Route) * len(TrueReason) - 1
    assert value(told["signaalwissel_dlq"], refused_by="intake", cause="UNREADABLE") == 0
    assert value(told["signaalwissel_corrections"], action="WITHDRAWN", cause="LIFECYCLE") == 0
    assert value(told["signaalwissel_lag_records"], stage="sink", topic="decisions", partition="1") == 12


def test_the_database_is_told_as_it_was_found_last() -> None:
    database = FakeDatabase()
    metrics = DatabaseMetrics(database)
    assert value(families(metrics)["signaalwissel_database_up"]) == 0
    metrics.look(0.0)
    told = families(metrics)
    assert value(told["signaalwissel_database_up"]) == 1
    assert value(told["signaalwissel_outbox_pending"]) == 3
    assert value(told["signaalwissel_tasks_overdue"], kind="CONTACT_ON_RELAPSE", status="ESCALATED") == 2
    assert value(told["signaalwissel_tasks_escalated"]) == 4
    assert value(told["signaalwissel_followup_unattended"]) == 2
    assert value(told["signaalwissel_erasure_overdue"]) == 3
    database.away = True
    metrics.look(1.0)
    told = families(metrics)
    assert value(told["signaalwissel_database_up"]) == 0
    assert value(told["signaalwissel_outbox_pending"]) == 3


def test_the_thorough_look_is_taken_once_in_an_hour() -> None:
    database = FakeDatabase()
    metrics = DatabaseMetrics(database)
    for now_s in (0.0, 15.0, SLOW_LOOK_S - 1, SLOW_LOOK_S, SLOW_LOOK_S + 1):
        metrics.look(now_s)
    assert database.slow_looks == 2


@pytest.mark.parametrize(
    ("looked", "live", "ready"),
    [
        (Looked(), 1, 1),
        (Looked(Standing(None, 0, ("the gate is shut",))), 1, 0),
        (Looked(idle_s=400.0, live=False), 0, 0),
    ],
)
def test_liveness_and_readiness_are_those_of_the_probes(looked: Looked, live: int, ready: int) -> None:
    told = families(ProgressMetrics("matcher", looked))
    assert value(told["signaalwissel_live"], stage="matcher") == live
    assert value(told["signaalwissel_ready"], stage="matcher") == ready
    assert value(told["signaalwissel_idle_seconds"], stage="matcher") == looked.idle_s


def test_a_key_service_that_does_not_answer_is_told() -> None:
    keys = SimpleNamespace(away=True)
    assert value(families(KeyMetrics("sink", keys))["signaalwissel_key_unavailable"], stage="sink") == 1


def test_answers_are_counted_by_method_route_and_status() -> None:
    metrics = HttpMetrics()
    for took_s in (0.02, 0.2):
        metrics.observe(Answered("GET", "/taken/{task_id}", 200, took_s))
    metrics.observe(Answered("POST", "/v1/signalen", 503, 1.0))
    told = families(metrics)["http_server_request_duration_seconds"]
    assert value(told, http_route="/taken/{task_id}", http_response_status_code="200") == 2
    assert value(told, http_route="/v1/signalen", http_response_status_code="503") == 1


def test_the_page_is_readable_in_both_formats_that_prometheus_asks_for() -> None:
    page = MetricsPage("intake", [worker_metrics(engine())])
    asked = page.told("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")
    assert asked.content_type.startswith("application/openmetrics-text")
    names = {family.name for family in openmetrics(asked.body.decode())}
    assert {"signaalwissel_build_info", "signaalwissel_lag_records", "process_cpu_seconds"} <= names
    assert page.told("").content_type.startswith("text/plain")


def test_each_metric_of_ours_says_what_it_is() -> None:
    for page in every_page().values():
        for name, family in page.items():
            assert family.documentation.rstrip(".;") or name == "", name
            assert name.startswith(
                ("signaalwissel_", "messaging_", "http_server_", "process_", "python_gc_")
            ), name
