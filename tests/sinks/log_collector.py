"""A collector of OTLP/HTTP traces that decodes what it gets, and misbehaves when it is told to."""

import gzip
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

TOKEN = "secret-of-the-collector"


class Mood(Enum):
    """TAKES all; REFUSES with 503; REFUSES_A_PART; HANGS until it may go on; DROPS the connection after taking all,
    so that its acknowledgement is lost; NO_OTLP answers as a web page does."""

    TAKES = auto()
    REFUSES = auto()
    REFUSES_A_PART = auto()
    HANGS = auto()
    DROPS = auto()
    NO_OTLP = auto()


class LogCollector:
    """What came in, and what was acknowledged of it."""

    def __init__(self) -> None:
        self.mood = Mood.TAKES
        self.url = ""
        self.requests = 0
        self.spans: list[Span] = []
        self.services: dict[bytes, str] = {}
        self.tokens: set[str | None] = set()
        self.go_on = threading.Event()

    def attributes(self) -> list[dict[str, str]]:
        return [attributes_of(span) for span in self.spans]

    def times_taken(self) -> Counter[bytes]:
        """How often each line came in, by span id."""
        return Counter(span.span_id for span in self.spans)


def attributes_of(span: Span) -> dict[str, str]:
    return {attribute.key: attribute.value.string_value for attribute in span.attributes}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, collector: LogCollector) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.collector = collector


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: Any) -> None: ...

    def do_POST(self) -> None:
        collector = self.server.collector
        body = self.rfile.read(int(self.headers["Content-Length"]))
        collector.requests += 1
        collector.tokens.add(self.headers.get("Authorization"))
        if collector.mood is Mood.HANGS:
            collector.go_on.wait(30)
            self.close_connection = True
        elif collector.mood is Mood.REFUSES:
            self._answer(503, b"", **{"Retry-After": "0"})
        elif collector.mood is Mood.NO_OTLP:
            self._answer(200, b"<html/>", **{"Content-Type": "text/html"})
        else:
            self._take(body, collector)

    def _take(self, body: bytes, collector: LogCollector) -> None:
        assert self.headers["Content-Type"] == "application/x-protobuf"
        assert self.headers["Content-Encoding"] == "gzip"
        request = ExportTraceServiceRequest.FromString(gzip.decompress(body))
        spans = [span for one in request.resource_spans for scope in one.scope_spans for span in scope.spans]
        for one in request.resource_spans:
            named = {a.key: a.value.string_value for a in one.resource.attributes}.get("service.name", "")
            collector.services |= {span.span_id: named for scope in one.scope_spans for span in scope.spans}
        answer = ExportTraceServiceResponse()
        if collector.mood is Mood.REFUSES_A_PART:
            answer.partial_success.rejected_spans = 1
            spans = spans[1:]
        collector.spans += spans
        if collector.mood is Mood.DROPS:
            self.close_connection = True
            return
        self._answer(200, answer.SerializeToString())

    def _answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/x-protobuf", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def log_collector() -> Iterator[LogCollector]:
    """A collector on a port of its own."""
    collector = LogCollector()
    server = _Server(collector)
    collector.url = f"http://127.0.0.1:{server.server_address[1]}/v1/traces"
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield collector
    finally:
        collector.go_on.set()
        server.shutdown()
        server.server_close()
        serving.join(10)
