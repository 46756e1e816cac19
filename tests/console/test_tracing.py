"""Traces over OTLP: spans with the right parents, none of what is not sampled, and no waiting for a collector."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from signaalwissel.console import tracing
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.settings import Settings
from signaalwissel.console.tracing import traced
from signaalwissel.deploy.ports import free_ports

from tests.sinks.log_collector import TOKEN, Mood, attributes_of, log_collector
from tests.streams.handler_support import Arrived

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def record(flags: str = "01") -> Arrived:
    headers = [("traceparent", f"00-{TRACE}-{SPAN}-{flags}".encode())]
    return Arrived("signals", b"value", key=b"water-west/S-1", partition=3, offset=42, headers=headers)


def test_a_step_is_a_span_of_its_trace_and_the_parent_of_what_it_sends() -> None:
    with log_collector() as collector:
        settings = Settings(traces_url=collector.url, traces_token=SecretStr(TOKEN))
        with traced(settings, "intake", "intake-group") as tracer:
            assert tracer is not None
            step = tracer.begin(record())
            assert step is not None
            step.end()
        (span,) = collector.spans
        assert collector.tokens == {f"Bearer {TOKEN}"}
        assert collector.services == {span.span_id: "signaalwissel-intake"}
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, SPAN)
    assert step.header == f"00-{TRACE}-{span.span_id.hex()}-01".encode()
    assert span.end_time_unix_nano >= span.start_time_unix_nano


def test_a_span_tells_where_the_record_lay_and_nothing_of_what_it_holds() -> None:
    with log_collector() as collector:
        with traced(Settings(traces_url=collector.url), "sink", None) as tracer:
            assert tracer is not None
            step = tracer.begin(record(), began_ns=1_772_280_000_000_000_000)
            assert step is not None
            step.end(refused=True)
        (span,) = collector.spans
    assert span.name == "process a-prefix.signals"
    assert span.start_time_unix_nano == 1_772_280_000_000_000_000
    assert span.status.message == "the record is a dead letter"
    assert attributes_of(span) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "a-prefix.signals",
        "messaging.destination.partition.id": "3",
        "messaging.kafka.offset": "",  # an integer
    }


@pytest.mark.parametrize("flags", ["00", "02"])
def test_a_trace_that_its_beginner_does_not_sample_leaves_no_span(flags: str) -> None:
    with log_collector() as collector:
        with traced(Settings(traces_url=collector.url), "intake", "g") as tracer:
            assert tracer is not None
            assert tracer.begin(record(flags)) is None
            assert tracer.begin(Arrived("signals", b"value", headers=[("traceparent", b"0344")])) is None
        assert collector.requests == 0


def test_without_a_collector_nothing_is_traced() -> None:
    with traced(Settings(), "intake", "g") as tracer:
        assert tracer is None


def trace_a_record(url: str) -> None:
    with traced(Settings(traces_url=url), "intake", "g") as tracer:
        assert tracer is not None
        step = tracer.begin(record())
        assert step is not None
        step.end()


def test_a_collector_that_hangs_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_STOP_S", 0.1)
    with log_collector() as collector:
        collector.mood = Mood.HANGS
        trace_a_record(collector.url)
        # It was not waited for: it hangs until it is told to go on.
        assert not collector.go_on.is_set()
        assert collector.spans == []


def test_a_collector_that_is_away_costs_spans_and_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_STOP_S", 0.1)
    (port,) = free_ports(1)
    trace_a_record(f"http://127.0.0.1:{port}/v1/traces")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("collector:4318", "is not like https://"),
        ("https://me:geheim@collector/v1/traces", "TRACES_TOKEN"),
        ("http://collector.example.nl/v1/traces", "must begin with https"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_being_repeated(url: str, told: str) -> None:
    with pytest.raises(UsageFailure, match=told) as refused, traced(Settings(traces_url=url), "intake", "g"):
        pass
    assert "geheim" not in str(refused.value)


def test_a_file_of_certificates_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = Settings(traces_url="https://collector/v1/traces", traces_ca_file=tmp_path / "ca.pem")
    with pytest.raises(UsageFailure, match="SIGNAALWISSEL_TRACES_CA_FILE"), traced(settings, "intake", "g"):
        pass
