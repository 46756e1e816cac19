"""A schema registry with Confluent's REST API: Confluent's own, Apicurio's `/apis/ccompat/v7`, and others.

Flows in: subjects and Avro schemas. Flows out: what the registry holds, and its ids.
"""

import json
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit

import httpx
from signaalwissel.processors.contract_topics import Registered
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential_jitter

COMPATIBILITY: Final = "BACKWARD_TRANSITIVE"
_JSON: Final = "application/vnd.schemaregistry.v1+json"
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_TOO_MANY: Final = 429
_BROKEN: Final = 500
_BODY_MAX: Final = 4_000_000


class RegistryUnusable(ValueError):
    """A setting cannot be used; names it, never its value where that may be secret."""


class RegistryAway(Exception):
    """The registry does not answer, or not as a registry does; the text says what and where.

    Attributes:
        passes: Whether it may answer when asked again.
    """

    def __init__(self, text: str, *, passes: bool = False) -> None:
        super().__init__(text)
        self.passes = passes


class Incompatible(Exception):
    """The registry refuses a schema because of what it holds under the subject already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """The way to the registry.

    Attributes:
        url: Up to and including the path of the API.
        username: For basic authentication, where the registry wants it.
        password: Goes with the name; never shown.
        ca_file: Certificates that the registry's is checked against, instead of the machine's.
        timeout_s: How long each step of a request may take.
        patience_s: For how long a request is repeated that may succeed later.
    """

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    timeout_s: float = 5.0
    patience_s: float = 30.0

    def __post_init__(self) -> None:
        _check_url(self.url)
        if (self.username is None) != (self.password is None):
            raise RegistryUnusable("SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD go together")


class Registry:
    """Asks over one connection that is kept; raises RegistryUnusable where the certificates cannot be read."""

    def __init__(self, settings: RegistrySettings) -> None:
        self._where = f"the schema registry at {settings.url}"
        self._patience_s = settings.patience_s
        login = None
        if settings.username is not None and settings.password is not None:
            login = httpx.BasicAuth(settings.username, settings.password)
        self._client = httpx.Client(
            base_url=settings.url.rstrip("/"),
            headers={"Accept": f"{_JSON}, application/json"},
            timeout=httpx.Timeout(settings.timeout_s),
            auth=login,
            verify=_trusted(settings.ca_file),
            # A redirect could carry the password elsewhere.
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def held(self, subject: str) -> Sequence[Registered]:
        """Every schema under a subject, oldest first; none where the subject is unknown. Raises RegistryAway."""
        path = f"/subjects/{quote(subject, safe='')}/versions"
        numbers = self._ask("GET", path, {_NOT_FOUND})
        return [self._version(f"{path}/{int(number)}") for number in numbers or ()]

    def knows(self, schema_id: int) -> bool:
        """Whether the registry gave this id to a schema. Raises RegistryAway."""
        return self._ask("GET", f"/schemas/ids/{schema_id}", {_NOT_FOUND}) is not None

    def compatibility(self, subject: str) -> str | None:
        """The rule that is set for a subject itself, None where none is. Raises RegistryAway."""
        told = self._ask("GET", f"/config/{quote(subject, safe='')}", {_NOT_FOUND})
        return None if told is None else str(self._of(told, "compatibilityLevel"))

    def enforce(self, subject: str) -> None:
        """Set BACKWARD_TRANSITIVE for a subject. Raises RegistryAway."""
        self._ask("PUT", f"/config/{quote(subject, safe='')}", frozenset(), {"compatibility": COMPATIBILITY})

    def register(self, subject: str, schema: Any) -> int:
        """Register a schema, or find the one that is there; its id.

        Raises:
            Incompatible: What is there already cannot be read with it.
            RegistryAway: No answer, or one that is no registry's.
        """
        content = {"schema": json.dumps(schema), "schemaType": "AVRO"}
        told = self._ask("POST", f"/subjects/{quote(subject, safe='')}/versions", {_CONFLICT}, content)
        if told is None:
            raise Incompatible(f"{subject}: the registry refuses it as not {COMPATIBILITY}")
        return int(self._of(told, "id"))

    def _version(self, path: str) -> Registered:
        told = self._ask("GET", path, frozenset())
        try:
            return Registered(
                int(self._of(told, "version")),
                int(self._of(told, "id")),
                json.loads(self._of(told, "schema")),
            )
        except (TypeError, ValueError) as error:
            raise RegistryAway(f"{self._where}: {path} holds no schema that can be read") from error

    def _of(self, told: Any, key: str) -> Any:
        if not isinstance(told, dict) or key not in told:
            raise RegistryAway(f"{self._where}: the answer has no {key}; is this Confluent's REST API?")
        return told[key]

    def _ask(self, method: str, path: str, none_for: frozenset[int] | set[int], content: Any = None) -> Any:
        """The answer's JSON; None for a status of `none_for`."""
        again = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, RegistryAway) and error.passes),
            stop=stop_after_delay(self._patience_s),
            wait=wait_exponential_jitter(multiplier=0.2, max=3),
            reraise=True,
        )
        return again(self._once, method, path, none_for, content)

    def _once(self, method: str, path: str, none_for: frozenset[int] | set[int], content: Any) -> Any:
        try:
            with self._client.stream(method, path, json=content) as response:
                body = self._read(response)
        except httpx.HTTPError as error:
            raise RegistryAway(f"{self._where}: {type(error).__name__}", passes=True) from error
        status = response.status_code
        if status in none_for:
            return None
        if not response.is_success:
            passes = status >= _BROKEN or status == _TOO_MANY
            raise RegistryAway(f"{self._where}: {method} {path}: HTTP {status}", passes=passes)
        try:
            return json.loads(body)
        except ValueError as error:
            raise RegistryAway(f"{self._where}: answers no JSON; is this Confluent's REST API?") from error

    def _read(self, response: httpx.Response) -> bytes:
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > _BODY_MAX:
                raise RegistryAway(f"{self._where}: an answer is larger than {_BODY_MAX} bytes")
        return bytes(content)


def _trusted(ca_file: Path | None) -> ssl.SSLContext | bool:
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise RegistryUnusable(
            f"SCHEMA_REGISTRY_CA_FILE: {ca_file} holds no certificates that can be read"
        ) from error


def _check_url(url: str) -> None:
    # The text is not repeated: somebody may have put a password in it.
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        usable = usable and not (parts.query or parts.fragment)
    except ValueError:
        usable = False
    if not usable:
        raise RegistryUnusable("SCHEMA_REGISTRY_URL is not like https://host:8081")
    if parts.username is not None or parts.password is not None:
        raise RegistryUnusable(
            "SCHEMA_REGISTRY_URL must not hold a user or password: they are SCHEMA_REGISTRY_USERNAME and _PASSWORD"
        )
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise RegistryUnusable(
            "SCHEMA_REGISTRY_URL must begin with https: whoever changes an id on its way changes what records mean"
        )
