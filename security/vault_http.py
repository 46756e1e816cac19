"""Requests to a Vault or OpenBao: logged in, bounded in time and size, tried again while it may come back.

Flows in: method, path and body. Flows out: the answer's data, or KeyUnavailable, whose text says where and what to
do and never holds a token, a body or a key.
"""

import json
import ssl
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import httpx
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.security.vault_settings import VaultSettings, VaultUnusable
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

Json: TypeAlias = dict[str, Any]

_BODY_MAX = 1_000_000
_PAUSE_S_MAX = 2.0
_ERROR_LENGTH_MAX = 200
_LEASE_USED = 2 / 3
_OK = frozenset({200, 204})
_ANSWERED = frozenset({400, 404})
_FORBIDDEN = 403
_PASSING = frozenset({412, 429, 472, 473, 500, 502, 503, 504})
"""Behind its leader, busy, a standby, broken or sealed: each may be over in a moment."""
_MEANING = {
    412: "it has not caught up with its leader yet",
    429: "it is too busy, or a standby",
    472: "it is a standby of another site",
    473: "it is a standby",
    503: "it is sealed or in maintenance: unseal it",
}


class Answer(NamedTuple):
    """An answer of the service.

    Attributes:
        ok: Whether it did what was asked; otherwise it refused (400) or does not have it (404).
        status: HTTP's.
        data: What it answered.
        error: Its own words where it did not.
    """

    ok: bool
    status: int
    data: Json
    error: str = ""


class _Passing(KeyUnavailable):
    """It does not answer now; another try may do."""


class _Forbidden(KeyUnavailable):
    """It does not take the token, or the token may not do this."""


class VaultRequests:
    """Sends requests over connections that are kept.

    Args:
        settings: Where to, as whom, and how long to wait.
        clock: Seconds, from whenever; says when a login must be renewed.
        sleep: Waits between two tries.
        transport: How requests travel, None for the network.

    Attributes:
        away: Whether the last attempt got no answer, or was not let in.

    Raises:
        VaultUnusable: The file of certificates cannot be used.
    """

    def __init__(
        self,
        settings: VaultSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.away = False
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._token: str | None = None
        self._token_until: float | None = None
        self._client = httpx.Client(
            base_url=settings.url.rstrip("/") + "/v1/",
            headers={"X-Vault-Request": "true", "Accept": "application/json"},
            timeout=httpx.Timeout(settings.timeout_s),
            verify=_trust(settings),
            transport=transport,
            # A redirect or a proxy of the environment could carry token and keys elsewhere.
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str) -> Answer:
        """What is there."""
        return self._bounded("GET", path, None)

    def post(self, path: str, body: Json) -> Answer:
        """Ask for something. It may arrive twice, so only ask for what may be done twice."""
        return self._bounded("POST", path, body)

    def _bounded(self, method: str, path: str, body: Json | None) -> Answer:
        retrying = Retrying(
            retry=retry_if_exception_type(_Passing),
            stop=stop_after_delay(self._settings.patience_s),
            wait=wait_random_exponential(multiplier=0.1, max=_PAUSE_S_MAX),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(self._logged_in, method, path, body)
        except _Passing as error:
            tried = f"tried for {self._settings.patience_s:g} s"
            fix = "nothing was written or acknowledged; start it, or mend SIGNAALWISSEL_VAULT_*"
            raise KeyUnavailable(f"key service at {self._settings.url}: {error}; {tried}; {fix}") from error
        except _Forbidden as error:
            fix = "look at its login, its policies and SIGNAALWISSEL_VAULT_*"
            raise KeyUnavailable(f"key service at {self._settings.url}: {error}; {fix}") from error

    def _logged_in(self, method: str, path: str, body: Json | None) -> Answer:
        try:
            answer = self._let_in(method, path, body)
        except KeyUnavailable:
            self.away = True
            raise
        self.away = False
        return answer

    def _let_in(self, method: str, path: str, body: Json | None) -> Answer:
        try:
            return self._send(method, path, body, self._valid_token())
        except _Forbidden:
            # A token may have been revoked or replaced before its time: one fresh login decides.
            self._token = None
            return self._send(method, path, body, self._valid_token())

    def _valid_token(self) -> str:
        over = self._token_until is not None and self._clock() >= self._token_until
        if self._token is None or over:
            self._token, self._token_until = None, None
            self._token = self._fresh_token()
        return self._token

    def _fresh_token(self) -> str:
        login = self._settings.login
        credentials = login.credentials()
        if login.path is None:
            return credentials["token"]
        asked = self._clock()
        answer = self._send("POST", login.path, credentials, None)
        auth = answer.data.get("auth")
        granted: Json = auth if isinstance(auth, dict) else {}
        token, lease_s = granted.get("client_token"), granted.get("lease_duration")
        if not isinstance(token, str) or not token:
            raise _Forbidden(
                f"POST {login.path}: HTTP {answer.status}: no login: {answer.error or 'no token'}"
            )
        if isinstance(lease_s, int) and lease_s > 0:
            self._token_until = asked + lease_s * _LEASE_USED
        return token

    def _send(self, method: str, path: str, body: Json | None, token: str | None) -> Answer:
        where = f"{method} {path}"
        headers = {} if token is None else {"X-Vault-Token": token}
        if self._settings.namespace is not None:
            headers["X-Vault-Namespace"] = self._settings.namespace
        deadline = time.monotonic() + self._settings.timeout_s
        try:
            with self._client.stream(method, path, json=body, headers=headers) as response:
                content = _read(response, where, deadline)
        except httpx.TimeoutException as error:
            raise _Passing(f"{where}: no answer within {self._settings.timeout_s:g} s") from error
        except httpx.TransportError as error:
            raise _Passing(f"{where}: {_described(error)}") from error
        except httpx.HTTPError as error:
            raise KeyUnavailable(f"{where}: the answer cannot be read: {type(error).__name__}") from error
        return _answer(response.status_code, content, where)


def _trust(settings: VaultSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise VaultUnusable(
            f"VAULT_CA_FILE: {settings.ca_file}: holds no certificates that can be read"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _read(response: httpx.Response, where: str, deadline: float) -> bytes:
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > _BODY_MAX:
            raise KeyUnavailable(f"{where}: the answer is larger than {_BODY_MAX} bytes")
        # The client bounds the wait for each piece; a server that drips would hold us for ever.
        if time.monotonic() > deadline:
            raise _Passing(f"{where}: the answer takes too long")
    return bytes(content)


def _answer(status: int, content: bytes, where: str) -> Answer:
    if status in _OK:
        return Answer(ok=True, status=status, data=_object(content, where) if content else {})
    text = f"{where}: HTTP {status}"
    if status in _PASSING:
        raise _Passing(f"{text}: {_MEANING.get(status, 'it failed')}")
    error = _own_words(content)
    if status == _FORBIDDEN:
        raise _Forbidden(f"{text}: not allowed: {error}")
    if status not in _ANSWERED:
        raise KeyUnavailable(f"{text}: is SIGNAALWISSEL_VAULT_URL the address of its active node? {error}")
    return Answer(ok=False, status=status, data={}, error=error)


def _object(content: bytes, where: str) -> Json:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise KeyUnavailable(
            f"{where}: the answer is no JSON object; is SIGNAALWISSEL_VAULT_URL a key service?"
        )
    return found


def _own_words(content: bytes) -> str:
    try:
        errors = json.loads(content).get("errors")
        first = errors[0] if errors else ""
    except (ValueError, RecursionError, AttributeError, LookupError, TypeError):
        return ""
    words = str(first)[:_ERROR_LENGTH_MAX]
    return "".join(letter if letter.isprintable() else " " for letter in words).strip()


def _described(error: httpx.TransportError) -> str:
    cause = str(error)
    return f"{type(error).__name__}: {cause[:_ERROR_LENGTH_MAX]}" if cause else type(error).__name__
