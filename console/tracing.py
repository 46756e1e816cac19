"""Traces over OTLP: the steps of sampled traces through intake, matcher and sink.

Flows in: records whose trace whoever sent them wants to be recorded. Flows out: spans, in batches, from a thread of their
own. A collector that is away costs spans, never work: what does not fit its queue is dropped. A span says where a record
lay and how long its step took; a step that a crash repeats is told twice.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import requests
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from signaalwissel.console import runtime
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.settings import Settings
from signaalwissel.processors.traces import Span, TracedRecord, TraceParent, Tracer, read_parent
from signaalwissel.security.access_settings import LOOPBACK

_QUEUE = 16_384
_BATCH = 512
_EVERY_MS = 1000.0
_TIMEOUT_S = 10.0
_STOP_S = 5.0
"""How long a stop waits for the last spans; a collector that is away must not hold it up."""


@contextmanager
def traced(settings: Settings, stage: str, group: str | None) -> Iterator[Tracer | None]:
    """A tracer for the length of the block; None where no collector is set.

    Args:
        settings: Where the collector is.
        stage: The process that takes the steps.
        group: Its consumer group, where it has one.

    Raises:
        UsageFailure: A setting of the collector cannot be used.
    """
    if settings.traces_url is None:
        yield None
        return
    provider = TracerProvider(
        # Whoever began a trace decided whether it is recorded; we begin none.
        sampler=ParentBased(root=ALWAYS_OFF),
        resource=Resource(
            {
                "service.namespace": "signaalwissel",
                "service.name": f"signaalwissel-{stage}",
                "service.version": runtime.product_version(),
            }
        ),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(
        BatchSpanProcessor(
            _exporter(settings, settings.traces_url),
            max_queue_size=_QUEUE,
            schedule_delay_millis=_EVERY_MS,
            max_export_batch_size=_BATCH,
        )
    )
    try:
        yield OtlpTracer(provider.get_tracer("signaalwissel"), group)
    finally:
        closing = threading.Thread(target=provider.shutdown, name="traces-end", daemon=True)
        closing.start()
        closing.join(_STOP_S)


class OtlpTracer:
    """Records steps of sampled traces.

    Args:
        tracer: Takes them.
        group: The consumer group that reads the records, where there is one.
    """

    def __init__(self, tracer: trace.Tracer, group: str | None) -> None:
        self._tracer = tracer
        self._about: dict[str, str] = {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
        }
        if group is not None:
            self._about["messaging.consumer.group.name"] = group

    def begin(self, record: TracedRecord, began_ns: int | None = None) -> Span | None:
        """A step begins; see `Tracer`."""
        parent = read_parent(record.headers)
        if parent is None or not parent.sampled:
            return None
        context = trace.set_span_in_context(
            trace.NonRecordingSpan(
                trace.SpanContext(parent.trace_id, parent.span_id, True, trace.TraceFlags(parent.flags))
            )
        )
        # Neither key nor id of the record: they name a signal or a trajectory.
        about: dict[str, str | int] = {
            **self._about,
            "messaging.destination.name": record.topic,
            "messaging.destination.partition.id": str(record.partition),
            "messaging.kafka.offset": record.offset,
        }
        started = self._tracer.start_span(
            f"process {record.topic}", context, trace.SpanKind.CONSUMER, about, start_time=began_ns
        )
        return _OtlpSpan(started, parent)


class _OtlpSpan:
    __slots__ = ("_span", "header")

    def __init__(self, span: trace.Span, parent: TraceParent) -> None:
        self._span = span
        self.header = parent.header(span.get_span_context().span_id)

    def end(self, *, refused: bool = False) -> None:
        if refused:
            self._span.set_status(trace.Status(trace.StatusCode.ERROR, "the record is a dead letter"))
        self._span.end()


def bound_session() -> requests.Session:
    """A session that brings traces to the address of the settings and nowhere else."""
    session = requests.Session()
    # A proxy or a login of the environment could carry traces elsewhere.
    session.trust_env = False
    # Nor does an answer say where they go.
    session.max_redirects = 0
    return session


def _exporter(settings: Settings, url: str) -> OTLPSpanExporter:
    _check_url(url)
    ca_file, token = settings.traces_ca_file, settings.traces_token
    if ca_file is not None and not ca_file.is_file():
        raise UsageFailure(f"SIGNAALWISSEL_TRACES_CA_FILE: {ca_file} is not a file")
    return OTLPSpanExporter(
        endpoint=url,
        certificate_file=None if ca_file is None else str(ca_file),
        headers={} if token is None else {"authorization": f"Bearer {token.get_secret_value()}"},
        timeout=_TIMEOUT_S,
        compression=Compression.Gzip,
        session=bound_session(),
    )


def _check_url(url: str) -> None:
    # The text is not repeated: somebody may have put a password in it.
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.query
    except ValueError:
        usable = False
    if not usable or parts.username is not None or parts.password is not None:
        raise UsageFailure(
            "SIGNAALWISSEL_TRACES_URL is not like https://host:4318/v1/traces; a token is SIGNAALWISSEL_TRACES_TOKEN"
        )
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise UsageFailure(
            "SIGNAALWISSEL_TRACES_URL must begin with https: http is for a collector on this machine"
        )
