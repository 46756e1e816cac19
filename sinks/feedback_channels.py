"""The channels in which partners are told: a webhook with signed requests, or a file in a folder.

Flows in: a message. Flows out: nothing once the partner has it; NotDelivered says why not, without a body or a secret.
"""

import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver
from http_message_signatures.algorithms import HMAC_SHA256
from signaalwissel.processors.feedback import Told
from signaalwissel.sinks.feedback_settings import FeedbackSettings, FeedbackUnusable

LABEL = "signaalwissel"
_COVERED = ("@method", "@target-uri", "content-type")
_MEDIA = "application/cloudevents+json"
_TAKEN = range(200, 300)
_BUSY = frozenset({408, 425, 429})
_RETRY_AFTER_S_MAX = 3600.0


class NotDelivered(Exception):
    """A partner does not have it.

    Attributes:
        alive: His side answers, and does not take this one message.
        retry_after_s: How long he asks to be left alone.
    """

    def __init__(self, text: str, *, alive: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.alive = alive
        self.retry_after_s = retry_after_s


class Webhook:
    """Posts messages, each signed with the partner's secret (RFC 9421, hmac-sha256)."""

    def __init__(self, settings: FeedbackSettings) -> None:
        self._settings = settings
        self._client = httpx.Client(
            timeout=httpx.Timeout(settings.timeout_s),
            # A redirect would carry what was meant for one partner to whomever he names.
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def deliver(self, url: str, told: Told, body: bytes) -> None:
        """Return once the partner answered that he has it; raises NotDelivered."""
        request = self._client.build_request(
            "POST",
            url,
            content=body,
            headers={"content-type": _MEDIA, "idempotency-key": told.notice_id},
        )
        self._sign(request, told.partner_id, body)
        deadline = time.monotonic() + self._settings.timeout_s
        try:
            answer = self._client.send(request, stream=True)
            try:
                _read(answer, deadline)
            finally:
                answer.close()
        except httpx.TimeoutException as error:
            raise NotDelivered(f"webhook: no answer within {self._settings.timeout_s:g} s") from error
        except httpx.HTTPError as error:
            raise NotDelivered(f"webhook: {type(error).__name__}") from error
        if answer.status_code not in _TAKEN:
            raise _refusal(answer)

    def _sign(self, request: httpx.Request, partner_id: str, body: bytes) -> None:
        try:
            secret = self._settings.secret(partner_id)
        except FeedbackUnusable as error:
            raise NotDelivered(str(error)) from error
        signer = HTTPMessageSigner(signature_algorithm=HMAC_SHA256, key_resolver=_Secret(secret))
        signer.sign(request, key_id=partner_id, label=LABEL, covered_component_ids=_COVERED, body=body)


class _Secret(HTTPSignatureKeyResolver):
    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def resolve_private_key(self, key_id: str) -> Any:
        return self._secret


def put_file(folder: Path, told: Told, body: bytes) -> None:
    """Put a message into the partner's folder, whole or not at all; doing it twice is doing it once.

    Args:
        folder: The settings'; below it `<municipality>/<partner_id>/<notice_id>.json`.
        told: Names the file.
        body: Stands in it.

    Raises:
        NotDelivered: It cannot be written.
    """
    place = folder / told.municipality / told.partner_id
    file = place / f"{told.notice_id}.json"
    # A name that begins with a dot is not taken for a file that is whole.
    unfinished = place / f".{told.notice_id}.part"
    try:
        place.mkdir(parents=True, exist_ok=True)
        # The partner may write there too: a link of his must not lead to a file of ours.
        unfinished.unlink(missing_ok=True)
        with unfinished.open("xb") as opened:
            opened.write(body)
            opened.flush()
            os.fsync(opened.fileno())
        unfinished.replace(file)
        directory = os.open(place, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise NotDelivered(f"file: {error.strerror}") from error


def _read(answer: httpx.Response, deadline: float) -> None:
    """See whether an answer ends in time; what it says is not asked for."""
    size = 0
    for chunk in answer.iter_raw():
        size += len(chunk)
        # The client bounds the wait for each piece; a server that drips would hold us for ever.
        if time.monotonic() > deadline or size > 1_000_000:
            raise NotDelivered("webhook: the answer takes too long, or is too large")


def _refusal(answer: httpx.Response) -> NotDelivered:
    status = answer.status_code
    busy = status in _BUSY or status not in range(400, 500)
    asked = answer.headers.get("retry-after", "")
    retry_after_s = min(float(asked), _RETRY_AFTER_S_MAX) if busy and asked.isdecimal() else None
    return NotDelivered(f"webhook: HTTP {status}", alive=not busy, retry_after_s=retry_after_s)
