"""One line for every processing: whatever the collector does, and wherever the sink is killed."""

import gzip
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskUpdateKind
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause
from signaalwissel.schemas.trajectory import TrajectoryEventKind
from signaalwissel.sinks.accounting_tables import processing_log
from signaalwissel.sinks.audit_verify import verify
from signaalwissel.sinks.processing_log import Backlog, Brake, unsent, waiting
from signaalwissel.sinks.processing_log_http import Collector, NotAcknowledged
from signaalwissel.sinks.processing_log_relay import relay_pages
from signaalwissel.sinks.processing_log_settings import ProcessingLogSettings, ProcessingLogUnusable
from signaalwissel.sinks.records import Batch
from signaalwissel.sinks.settings import DECISIONS, TASK_UPDATES
from signaalwissel.sinks.tables import dead_letters, decisions, outbox
from signaalwissel.sinks.writer import Writer
from sqlalchemy import func, select

from tests.processors.followup_support import decision, regular, to_regular, update
from tests.sinks.clock_support import MONDAY, Office, state
from tests.sinks.log_collector import TOKEN, LogCollector, Mood, attributes_of, log_collector
from tests.sinks.sink_support import SinkBench, seal, until
from tests.sinks.test_kill import Worker, answers, progress, publish, story

KILLS = 3
TRACE = "0af7651916cd43dd8448eb211c80319c"
LINES = select(func.coalesce(func.sum(processing_log.c.lines), 0))


@pytest.fixture
def collector() -> Iterator[LogCollector]:
    with log_collector() as running:
        yield running


@pytest.fixture
def office(database_url: str) -> Office:
    return Office(database_url)


def settings(collector: LogCollector, **changes: object) -> ProcessingLogSettings:
    return ProcessingLogSettings(**{"url": collector.url, "token": TOKEN, "timeout_s": 0.5, **changes})  # type: ignore[arg-type]


def relay(office: Office, collector: LogCollector) -> int:
    with Collector(settings(collector)) as way, office.engine.connect() as connection:
        return relay_pages(connection, way)


def buffered(office: Office) -> list[Span]:
    with office.engine.connect() as connection:
        pages = unsent(connection)
    request = ExportTraceServiceRequest.FromString(gzip.decompress(b"".join(page.content for page in pages)))
    spans = [span for one in request.resource_spans for scope in one.scope_spans for span in scope.spans]
    assert len(spans) == sum(page.lines for page in pages)
    return spans


def names(office: Office) -> Counter[str]:
    return Counter(
        attributes_of(span)["dpl.core.processing_activity_id"].split(":")[-1] for span in buffered(office)
    )


def test_each_processing_has_its_line_in_the_transaction_that_stores_it(office: Office) -> None:
    office.store(decision(), regular("s-2"))
    assert names(office) == {"signal-tested": 2, "follow-up": 1}
    office.store(states=[state((TrajectoryEventKind.APPLIED, MONDAY))])
    assert names(office)["trajectory-kept"] == 1


def test_a_line_has_the_fields_of_the_standard_and_nobody_in_the_clear(office: Office) -> None:
    hit = decision()
    office.store(hit)
    span = next(s for s in buffered(office) if s.name.startswith("Signaal getoetst"))
    assert (len(span.trace_id), len(span.span_id)) == (16, 8)
    assert span.status.code == Status.STATUS_CODE_OK
    assert span.start_time_unix_nano == span.end_time_unix_nano == hit.decided_at * 1_000_000
    said = attributes_of(span)
    assert set(said) == {
        "dpl.core.processing_activity_id",
        "dpl.core.data_subject_id",
        "dpl.core.data_subject_id_type",
    }
    everything = span.SerializeToString()
    for secret in (hit.match_key, hit.match_key.hex().encode(), hit.signal_id.encode()):
        assert secret not in everything


def test_a_decision_that_was_stored_before_has_no_second_line(office: Office) -> None:
    office.store(decision())
    office.store(decision())
    assert names(office)["signal-tested"] == 1


def test_an_erasure_is_a_line_of_its_own(office: Office) -> None:
    office.store(decision())
    office.store(to_regular(action=CorrectionAction.WITHDRAWN, cause=CorrectionCause.ERASED))
    assert names(office)["data-erased"] == 1


def test_what_does_not_commit_has_no_line(office: Office) -> None:
    batch = Batch(decisions=[decision()])
    with office.engine.connect() as connection:
        Writer(office.settings, office.policies, seal, office.time).store(connection, batch)
        connection.rollback()
    assert waiting(office.engine).lines == 0


def test_the_trace_of_the_signal_is_that_of_its_line(bench: SinkBench) -> None:
    made = decision()
    header = ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01".encode())
    bench.publish(DECISIONS, b"k", codec("Decision").encode(made), headers=[header])
    bench.drain()
    with bench.engine.connect() as connection:
        request = ExportTraceServiceRequest.FromString(gzip.decompress(unsent(connection)[0].content))
    spans = request.resource_spans[0].scope_spans[0].spans
    assert TRACE in {span.trace_id.hex() for span in spans}


def test_acknowledged_lines_leave_their_count_and_nothing_else(
    office: Office, collector: LogCollector
) -> None:
    office.store(decision(), regular("s-2"))
    expected = {span.span_id for span in buffered(office)}
    count = relay(office, collector)
    assert {span.span_id for span in collector.spans} == expected
    assert collector.tokens == {f"Bearer {TOKEN}"}
    assert (waiting(office.engine).lines, relay(office, collector)) == (0, 0)
    with office.engine.connect() as connection:
        assert connection.execute(LINES).scalar_one() == count
        assert connection.execute(select(processing_log.c.content)).scalars().all() == [None]


@pytest.mark.parametrize("mood", [mood for mood in Mood if mood is not Mood.TAKES])
def test_whatever_the_collector_does_nothing_is_lost_and_a_second_time_is_the_same_line(
    office: Office, collector: LogCollector, mood: Mood
) -> None:
    office.store(*(regular(f"s-{number}") for number in range(5)))
    expected = {span.span_id for span in buffered(office)}
    collector.mood = mood
    for _ in range(2):
        with pytest.raises(NotAcknowledged):
            relay(office, collector)
    assert waiting(office.engine).lines == len(expected)
    collector.mood = Mood.TAKES
    relay(office, collector)
    assert set(collector.times_taken()) == expected
    assert waiting(office.engine).lines == 0


def test_nobody_there_is_not_an_acknowledgement(office: Office, collector: LogCollector) -> None:
    nowhere = ProcessingLogSettings(url="http://127.0.0.1:9/v1/traces")
    with Collector(nowhere) as way, pytest.raises(NotAcknowledged, match="ConnectError"):
        way.send(b"")


@pytest.mark.parametrize(
    ("waits", "held"),
    [(Backlog(10, None, 0.0), False), (Backlog(11, None, 0.0), True), (Backlog(1, None, 60.1), True)],
)
def test_fail_closed_is_a_bound_on_age_and_number(
    collector: LogCollector, waits: Backlog, held: bool
) -> None:
    bounds = {"buffer_lines": 10, "buffer_s": 60.0}
    assert waits.too_much(settings(collector, **bounds)) is held
    assert not waits.too_much(settings(collector, **bounds, fail_open=True))


def test_a_sink_past_the_bound_takes_in_nothing_until_lines_are_acknowledged(
    bench: SinkBench, collector: LogCollector, caplog: pytest.LogCaptureFixture
) -> None:
    collector.mood = Mood.REFUSES
    closed = settings(collector, buffer_lines=1)
    bench.decide([regular("s-1"), regular("s-2")])
    with bench.running(processing_log=closed):
        until(lambda: bench.migrated() and progress(bench) == 2, "the first two")
        until(lambda: "takes in nothing more" in caplog.text, "the brake")
        seen = collector.requests
        bench.decide([regular("s-3")])
        until(lambda: collector.requests > seen, "one more refusal")
        assert len(bench.rows(decisions)) == 2
        collector.mood = Mood.TAKES
        until(lambda: len(collector.times_taken()) == 3, "all three lines")
    assert len(bench.rows(decisions)) == 3


def test_the_brake_looks_at_what_waits(office: Office, collector: LogCollector) -> None:
    office.store(regular("s-1"), regular("s-2"))
    with office.engine.connect() as connection:
        assert Brake(settings(collector, buffer_lines=1)).holds(connection)
        assert not Brake(settings(collector, buffer_lines=2)).holds(connection)
        assert not Brake(settings(collector, buffer_lines=1, fail_open=True)).holds(connection)
        assert not Brake(None).holds(connection)


def test_fail_open_goes_on_and_still_loses_no_line(bench: SinkBench, collector: LogCollector) -> None:
    collector.mood = Mood.REFUSES
    bench.decide([regular("s-1"), regular("s-2")])
    with bench.running(processing_log=settings(collector, buffer_lines=1, fail_open=True)):
        until(lambda: bench.migrated() and progress(bench) == 2, "the first two")
        bench.decide([regular("s-3")])
        until(lambda: progress(bench) == 3, "the third")
        collector.mood = Mood.TAKES
        until(lambda: len(collector.times_taken()) == 3, "all three lines")


def test_killed_at_any_moment_there_are_as_many_lines_as_operations(
    bench: SinkBench, collector: LogCollector, tmp_path: Path
) -> None:
    told = story(800)
    size = len(told) // KILLS
    log = {"url": collector.url, "timeout_s": 5.0}
    for first in range(0, KILLS * size, size):
        publish(bench, told[first : first + size])
        collector.mood = Mood.DROPS if first // size % 2 else Mood.TAKES
        worker = Worker(bench, tmp_path, batch_records=25, linger_s=0.0, processing_log=log)
        goal = first + size // 2
        until(lambda goal=goal: progress(bench) >= goal, "some progress")
        worker.kill()
    publish(bench, told[KILLS * size :])
    collector.mood = Mood.TAKES
    bench.drain(processing_log=settings(collector, timeout_s=5.0))
    bench.report(*answers(bench))
    bench.publish(TASK_UPDATES, b"k", b"no record at all")
    with bench.running(processing_log=settings(collector, timeout_s=5.0)):
        until(lambda: bench.drained() and waiting(bench.engine).lines == 0, "an empty buffer")
    taken = collector.times_taken()
    with bench.engine.connect() as connection:
        assert connection.execute(LINES).scalar_one() == len(taken)
        versions = connection.execute(
            select(func.count()).select_from(outbox).where(outbox.c.topic.endswith("tasks"))
        ).scalar_one()
    by_name = Counter(name.split(":")[-1] for name in names_of(collector))
    assert by_name["signal-tested"] + by_name["signal-retested"] == len(bench.rows(decisions)) == len(told)
    assert by_name["dead-letter-kept"] == len(bench.rows(dead_letters)) > 0
    assert by_name["follow-up"] >= versions > 50
    assert verify(bench.engine).findings == ()


def names_of(collector: LogCollector) -> list[str]:
    by_id = {span.span_id: span for span in collector.spans}
    return [attributes_of(span)["dpl.core.processing_activity_id"] for span in by_id.values()]


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://collector.example/v1/traces", "https"),
        ("https://user:geheim@collector.example/v1/traces", "user or password"),
        ("collector", "not like"),
        ("https://[", "not like"),
    ],
)
def test_a_way_that_would_show_lines_is_refused(url: str, problem: str) -> None:
    with pytest.raises(ProcessingLogUnusable, match=problem) as refused:
        ProcessingLogSettings(url=url)
    assert "pass" not in str(refused.value).replace("password", "")


def test_two_relays_do_not_double_what_is_acknowledged(bench: SinkBench, collector: LogCollector) -> None:
    bench.decide([regular(f"s-{number}") for number in range(40)])
    with (
        bench.running(instance=0, instances=2, processing_log=settings(collector)),
        bench.running(instance=1, instances=2, processing_log=settings(collector)),
    ):
        until(lambda: bench.migrated() and bench.drained() and waiting(bench.engine).lines == 0, "all lines")
    assert set(collector.times_taken().values()) == {1}
    assert len(collector.spans) == 40
    assert verify(bench.engine).findings == ()
    assert threading.active_count() < 50


def test_updates_of_tasks_are_lines_too(office: Office) -> None:
    office.store(decision())
    before = names(office)["follow-up"]
    office.store(updates=[update(TaskUpdateKind.ACCEPTED, office.tasks()[0].task_id)])
    assert names(office)["follow-up"] == before + 1
