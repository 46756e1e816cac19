"""Lines of the processing log to their collector over OTLP/HTTP, and its acknowledgement.

Flows in: OTLP export requests in protobuf, packed by gzip. Flows out: nothing, when every line was taken; or why not. OpenTelemetry's
own exporter is not used: it counts a request of which the collector refused a part as a success.
"""

import ssl
import time
from types import TracebackType
from typing import Self

import httpx
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from signaalwissel.sinks.bounded_http import read_bounded
from signaalwissel.sinks.processing_log_settings import ProcessingLogSettings, ProcessingLogUnusable

_BODY_MAX = 1_000_000
_TAKEN = 200
_RETRY_AFTER_S_MAX = 3600.0
_PROTOBUF = "application/x-protobuf"


class NotAcknowledged(Exception):
    """The collector did not acknowledge every line; the text says what and where, and repeats nothing of them.

    Attributes:
        retry_after_s: How long it asks to be left alone.
    """

    def __init__(self, text: str, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class Collector:
    """Sends over one connection that is kept.

    Args:
        settings: Where to, and how long to wait.

    Raises:
        ProcessingLogUnusable: The file of certificates cannot be read.
    """

    def __init__(self, settings: ProcessingLogSettings) -> None:
        self._url = settings.url
        self._timeout_s = settings.timeout_s
        headers = {"Content-Type": _PROTOBUF, "Content-Encoding": "gzip", "Accept": _PROTOBUF}
        if settings.token is not None:
            headers["Authorization"] = f"Bearer {settings.token}"
        self._client = httpx.Client(
            headers=headers,
            timeout=httpx.Timeout(settings.timeout_s),
            verify=_trusted(settings),
            # A redirect could carry lines and token elsewhere.
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def send(self, request: bytes) -> None:
        """Send a request and return when every line in it is acknowledged.

        Raises:
            NotAcknowledged: One of them may not be.
        """
        where = "the collector of the processing log"
        deadline = time.monotonic() + self._timeout_s
        try:
            with self._client.stream("POST", self._url, content=request) as response:
                content = read_bounded(
                    response, _BODY_MAX, deadline, lambda told: NotAcknowledged(f"{where}: {told}")
                )
        except httpx.TimeoutException as error:
            raise NotAcknowledged(f"{where}: no answer within {self._timeout_s:g} s") from error
        except httpx.HTTPError as error:
            raise NotAcknowledged(f"{where}: {type(error).__name__}") from error
        if response.status_code != _TAKEN:
            raise NotAcknowledged(f"{where}: HTTP {response.status_code}", _retry_after_s(response))
        if not response.headers.get("Content-Type", "").startswith(_PROTOBUF):
            raise NotAcknowledged(f"{where}: answers no protobuf; is PROCESSING_LOG_URL that of OTLP traces?")
        _check_all_taken(content, where)


def _trusted(settings: ProcessingLogSettings) -> ssl.SSLContext | bool:
    if settings.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(settings.ca_file))
    except (OSError, ssl.SSLError) as error:
        raise ProcessingLogUnusable(
            f"PROCESSING_LOG_CA_FILE: {settings.ca_file} holds no certificates that can be read"
        ) from error


def _check_all_taken(content: bytes, where: str) -> None:
    try:
        answer = ExportTraceServiceResponse.FromString(content)
    except DecodeError as error:
        raise NotAcknowledged(f"{where}: the answer cannot be read") from error
    refused = answer.partial_success.rejected_spans
    if refused:
        # Which ones it does not say, so none counts as taken: what it took comes again with the same span id.
        raise NotAcknowledged(f"{where}: refuses {refused} lines of a request")


def _retry_after_s(response: httpx.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return min(float(text), _RETRY_AFTER_S_MAX) if text.isascii() and text.isdigit() else None
