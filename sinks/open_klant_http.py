"""Requests to Open Klant: bounded in time and size, and each failure told apart by what it asks for.

Flows in: method, path, query and body. Flows out: JSON objects, or one of four failures. No text of a failure holds
the token, a query or a body.
"""

import json
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, TypeAlias

import httpx
from signaalwissel.sinks.bounded_http import read_bounded
from signaalwissel.sinks.open_klant_settings import OpenKlantSettings
from tenacity import Retrying, retry_if_exception, stop_after_attempt
from tenacity import wait_random_exponential as wait_growing

Json: TypeAlias = dict[str, Any]

_BODY_MAX = 1_000_000
_TRIES = 3
_PAUSE_S_MAX = 2.0
_RETRY_AFTER_S_MAX = 3600.0
_OK = range(200, 300)
_FORBIDDEN = frozenset({401, 403})
_GONE = frozenset({404, 410})
_BUSY = frozenset({408, 425, 429})
_PASSING = frozenset({502, 503, 504})


class OpenKlantFailure(Exception):
    """Open Klant did not do what was asked; the text says what and where."""


class OpenKlantAway(OpenKlantFailure):
    """It does not answer, answers too late, is too busy, or is not an Open Klant; worth another try later.

    Attributes:
        passing: Another try at once may do.
        retry_after_s: How long it asks to be left alone.
    """

    def __init__(self, text: str, *, passing: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.passing = passing
        self.retry_after_s = retry_after_s


class OpenKlantForbidden(OpenKlantFailure):
    """It does not take the token; nothing works until somebody mends that."""


class OpenKlantGone(OpenKlantFailure):
    """What was asked for is not there, or not any more."""


class OpenKlantRefused(OpenKlantFailure):
    """It does not take this one request.

    Attributes:
        taken: Fields whose value must be unique and is taken.
    """

    def __init__(self, text: str, taken: frozenset[str]) -> None:
        super().__init__(text)
        self.taken = taken


class Requests:
    """Sends requests over one connection that is kept.

    Args:
        settings: Where to, and how long to wait.
        stopped: Ends a pause between two tries.
    """

    def __init__(self, settings: OpenKlantSettings, stopped: threading.Event) -> None:
        self._timeout_s = settings.timeout_s
        self._stopped = stopped
        self._client = httpx.Client(
            base_url=settings.url,
            headers={"Authorization": f"Token {settings.token}", "Accept": "application/json"},
            timeout=httpx.Timeout(settings.timeout_s),
            # A redirect could carry the token elsewhere.
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        """What is there; a failure that passes is tried again."""
        return self._retrying()(self._send, "GET", path, query=query)

    def patch(self, path: str, body: Json) -> Json:
        """Change what is there; doing it twice is doing it once, so a failure that passes is tried again."""
        return self._retrying()(self._send, "PATCH", path, body=body)

    def post(self, path: str, body: Json) -> Json:
        """Make something. Tried once: whoever tries again must look first whether it was made."""
        return self._send("POST", path, body=body)

    def _retrying(self) -> Retrying:
        return Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, OpenKlantAway) and error.passing),
            stop=stop_after_attempt(_TRIES),
            wait=wait_growing(multiplier=0.2, max=_PAUSE_S_MAX),
            sleep=self._pause,
            reraise=True,
        )

    def _pause(self, pause_s: float) -> None:
        self._stopped.wait(pause_s)

    def _send(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Json | None = None
    ) -> Json:
        where = f"{method} {path}"
        deadline = time.monotonic() + self._timeout_s
        try:
            with self._client.stream(method, path, params=query, json=body) as response:
                content = read_bounded(
                    response, _BODY_MAX, deadline, lambda told: OpenKlantAway(f"{where}: {told}")
                )
        except httpx.TimeoutException as error:
            raise OpenKlantAway(f"{where}: no answer within {self._timeout_s:g} s") from error
        except httpx.TransportError as error:
            raise OpenKlantAway(f"{where}: {type(error).__name__}", passing=True) from error
        except httpx.HTTPError as error:
            raise OpenKlantAway(f"{where}: the answer cannot be read: {type(error).__name__}") from error
        if response.status_code not in _OK:
            raise _failure(response, content, where)
        return _object(content, where)


def _object(content: bytes, where: str) -> Json:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise OpenKlantAway(f"{where}: the answer is not JSON; is OPEN_KLANT_URL that of the API?") from error
    if not isinstance(found, dict):
        raise OpenKlantAway(f"{where}: the answer is no JSON object; is OPEN_KLANT_URL that of the API?")
    return found


def _failure(response: httpx.Response, content: bytes, where: str) -> OpenKlantFailure:
    status = response.status_code
    text = f"{where}: HTTP {status}"
    if status in _FORBIDDEN:
        return OpenKlantForbidden(f"{text}: the token is not accepted")
    if status in _GONE and _field(content, "code") == "not_found":
        return OpenKlantGone(f"{text}: it is not there")
    if status in _GONE:
        # Not the API's own answer: nothing of ours may be taken for deleted because a URL is wrong.
        return OpenKlantAway(f"{text}: is OPEN_KLANT_URL that of the API?")
    if status in _BUSY or status not in range(400, 500):
        return OpenKlantAway(text, passing=status in _PASSING, retry_after_s=_retry_after_s(response))
    wrong = _wrong_fields(content)
    # Names and codes of fields only: a reason could repeat what was sent.
    listed = ", ".join(f"{name} ({code})" for name, code in wrong)
    taken = frozenset(name.rsplit(".", 1)[-1] for name, code in wrong if code == "unique")
    return OpenKlantRefused(f"{text}: {listed}" if listed else text, taken)


def _wrong_fields(content: bytes) -> list[tuple[str, str]]:
    try:
        return [(str(item["name"]), str(item["code"])) for item in _field(content, "invalidParams") or ()]
    except (KeyError, TypeError):
        return []


def _field(content: bytes, name: str) -> Any:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found.get(name) if isinstance(found, dict) else None


def _retry_after_s(response: httpx.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return min(float(text), _RETRY_AFTER_S_MAX) if text.isdecimal() else None
