"""Idempotency keys: the same request again gets the same answer, and does nothing (Idempotency-Key header).

In: who asks, where, the key and the body. Out: the answer that was given before, or leave to go on. Bounded in number
and age; what is forgotten is still recognised by intake, by the record's own id.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from signaalwissel.security.http_problems import Problem

KEYS_MAX = 50_000
BYTES_MAX = 64 << 20
"""Of all answers together: one to a batch may be long."""
AGE_S = 86_400.0
_FORM = re.compile(r"[\x21-\x7e]{1,255}")


class Answer(NamedTuple):
    """What a request was answered: HTTP's status and the JSON text."""

    status: int
    body: bytes


@dataclass(slots=True)
class _Entry:
    digest: bytes
    began_s: float
    answer: Answer | None = None


class IdempotencyKeys:
    """Remembers answers.

    Args:
        clock: Seconds, from whenever.
    """

    def __init__(self, clock: Callable[[], float], keys_max: int = KEYS_MAX) -> None:
        self._clock = clock
        self._keys_max = keys_max
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def begin(self, subject: str, path: str, key: str, body: bytes) -> Answer | None:
        """The answer that this request was given before; None where it may go on.

        Raises:
            Problem: 400 for a key of another form, or one that came with another body; 409 while it is under way.
        """
        if not _FORM.fullmatch(key):
            raise Problem(400, "Idempotency-Key heeft 1 tot 255 zichtbare ASCII-tekens.")
        digest = hashlib.sha256(body).digest()
        self._forget_old()
        entry = self._entries.get(_name(subject, path, key))
        if entry is None:
            self._entries[_name(subject, path, key)] = _Entry(digest, self._clock())
            self._bound()
            return None
        if entry.digest != digest:
            raise Problem(400, "Deze Idempotency-Key is al gebruikt voor een ander verzoek.")
        if entry.answer is None:
            raise Problem(
                409, "Een verzoek met deze Idempotency-Key is nog bezig.", headers={"retry-after": "1"}
            )
        return entry.answer

    def end(self, subject: str, path: str, key: str, answer: Answer | None) -> None:
        """Keep an answer, or forget the key where None: the sender may try again."""
        name = _name(subject, path, key)
        if answer is None:
            self._drop(name)
        elif name in self._entries:
            self._entries[name].answer = answer
            self._bytes += len(answer.body)
            self._bound()

    def _bound(self) -> None:
        while self._entries and (len(self._entries) > self._keys_max or self._bytes > BYTES_MAX):
            self._drop(next(iter(self._entries)))

    def _drop(self, name: str) -> None:
        entry = self._entries.pop(name, None)
        if entry is not None and entry.answer is not None:
            self._bytes -= len(entry.answer.body)

    def _forget_old(self) -> None:
        now = self._clock()
        while self._entries:
            name, entry = next(iter(self._entries.items()))
            if now - entry.began_s < AGE_S:
                return
            self._drop(name)


def _name(subject: str, path: str, key: str) -> str:
    return "\x1f".join((subject, path, key))
