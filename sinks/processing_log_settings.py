"""Settings of the way to the processing log's collector.

Flows in: values of the product's settings. Flows out: one frozen object, refused when it cannot work.
"""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class ProcessingLogUnusable(ValueError):
    """A setting cannot be used; names it, never its value where that may be secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingLogSettings:
    """How lines reach the collector, and what happens while they do not; units are the last part of each name.

    Attributes:
        url: The OTLP/HTTP endpoint for traces, up to and including its path.
        token: Bearer token, where the collector wants one; never shown.
        ca_file: Certificates that the collector's is checked against, instead of the machine's.
        fail_open: Whether work goes on though lines are not acknowledged. They stay in the buffer either way.
        timeout_s: How long one acknowledgement may take.
        buffer_s: Fail-closed: a sink takes in nothing more while a line waits for longer.
        buffer_lines: Fail-closed: or while more lines wait.
        keep_days: How long the count of an acknowledged page stays.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    fail_open: bool = False
    timeout_s: float = 10.0
    buffer_s: float = 900.0
    buffer_lines: int = 1_000_000
    keep_days: int = 92

    def __post_init__(self) -> None:
        _check_url(self.url)
        if self.token is not None and not (self.token and self.token.isascii() and self.token.isprintable()):
            raise ProcessingLogUnusable("PROCESSING_LOG_TOKEN must be printable ASCII, not empty")


def _check_url(url: str) -> None:
    # The text is not repeated: somebody may have put a password in it.
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and not (parts.query or parts.fragment)
        )
    except ValueError:
        usable = False
    if not usable:
        raise ProcessingLogUnusable("PROCESSING_LOG_URL is not like https://host:4318/v1/traces")
    if parts.username is not None or parts.password is not None:
        raise ProcessingLogUnusable(
            "PROCESSING_LOG_URL must not hold a user or password; the token is PROCESSING_LOG_TOKEN"
        )
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ProcessingLogUnusable(
            "PROCESSING_LOG_URL must begin with https: lines must not travel in the clear"
        )
