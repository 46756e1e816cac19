"""The keys with which an issuer signs: from an address or a file, kept for a bounded time, renewed when a kid is new.

In: a key id. Out: its key; None where the issuer has none of that id; KeysAway where the keys cannot be had.
A token never says where its key comes from.
"""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

Key = RSAKey | ECKey | OKPKey

COOLDOWN_S = 30.0
"""Between two looks for a key that was not there: unknown ids cost the issuer at most this many requests."""
STALE_S = 86_400.0
"""How long known keys serve while the issuer does not answer."""
_BYTES_MAX = 262_144
_KEYS_MAX = 100
_TIMEOUT_S = 5.0
_RSA_BITS_MIN = 2048


class KeysAway(RuntimeError):
    """An issuer's keys cannot be had now; names the place, never a token."""


class SigningKeys(Protocol):
    """Where keys come from."""

    async def key(self, kid: str) -> Key | None:
        """The key of an id; raises KeysAway."""


class FixedKeys:
    """Keys that are at hand and never change."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = _by_id(keys)

    async def key(self, kid: str) -> Key | None:
        return self._keys.get(kid)


class RemoteKeys:
    """Keys that are read again from time to time.

    Args:
        place: The address, or the file.
        cache_s: How long they are taken as they are.
        clock: Seconds, from whenever.
        transport: How requests travel, None for the network.
    """

    def __init__(
        self,
        place: str | Path,
        *,
        cache_s: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._place = place
        self._cache_s = cache_s
        self._clock = clock
        self._transport = transport
        self._keys: dict[str, Key] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self._failure: KeysAway | None = None
        self._reading = asyncio.Lock()

    async def key(self, kid: str) -> Key | None:
        """The key of an id, after a look at the issuer where that is due; raises KeysAway."""
        if kid not in self._keys or not self._younger_than(self._cache_s):
            async with self._reading:
                if kid not in self._keys or not self._younger_than(self._cache_s):
                    await self._renew()
        if not self._younger_than(STALE_S):
            raise self._failure or KeysAway(f"the keys of {self._place} were not read yet")
        return self._keys.get(kid)

    def _younger_than(self, age_s: float) -> bool:
        return self._read_at is not None and self._clock() - self._read_at < age_s

    async def _renew(self) -> None:
        now = self._clock()
        if self._tried_at is not None and now - self._tried_at < COOLDOWN_S:
            return
        self._tried_at = now
        try:
            content = await self._read()
            self._keys = _by_id(KeySet.import_key_set(json.loads(content)))
        except (OSError, httpx.HTTPError, ValueError, KeyError, TypeError, JoseError) as error:
            self._failure = KeysAway(f"the keys of {self._place} cannot be read: {type(error).__name__}")
            return
        self._read_at, self._failure = now, None

    async def _read(self) -> bytes:
        if isinstance(self._place, Path):
            return await asyncio.to_thread(_head_of, self._place)
        content = b""
        async with (
            asyncio.timeout(_TIMEOUT_S),
            httpx.AsyncClient(
                transport=self._transport, timeout=_TIMEOUT_S, follow_redirects=False
            ) as client,
            client.stream("GET", self._place, headers={"accept": "application/json"}) as answer,
        ):
            answer.raise_for_status()
            async for part in answer.aiter_bytes():
                content += part
                if len(content) > _BYTES_MAX:
                    raise ValueError("too many bytes")
        return content


def _head_of(file: Path) -> bytes:
    with file.open("rb") as opened:
        content = opened.read(_BYTES_MAX + 1)
    if len(content) > _BYTES_MAX:
        raise ValueError("too many bytes")
    return content


def _by_id(keys: KeySet) -> dict[str, Key]:
    """The keys that may verify a signature: public, for signing, of a sufficient size, by id."""
    usable: dict[str, Key] = {}
    for key in list(keys)[:_KEYS_MAX]:
        if not isinstance(key, RSAKey | ECKey | OKPKey) or _purpose(key) not in {None, "sig"}:
            continue
        if isinstance(key, RSAKey) and key.raw_value.key_size < _RSA_BITS_MIN:
            continue
        if key.kid is not None:
            usable.setdefault(key.kid, key)
    return usable


def _purpose(key: Any) -> str | None:
    return key.get("use")  # type: ignore[no-any-return]
