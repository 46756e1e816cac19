"""Keys of an issuer: kept, renewed when an id is new, bounded in requests, size and age."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, KeySet, RSAKey
from signaalwissel.security.signing_keys import COOLDOWN_S, STALE_S, KeysAway, RemoteKeys

ADDRESS = "https://login.example.nl/keys"


class Provider:
    """Answers with key sets; counts how often it was asked."""

    def __init__(self, *keys: Any) -> None:
        self.keys = list(keys)
        self.status = 200
        self.body: bytes | None = None
        self.asked = 0
        self.now = 0.0
        self.source = RemoteKeys(
            ADDRESS, cache_s=3600, clock=lambda: self.now, transport=httpx.MockTransport(self._answer)
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        assert str(request.url) == ADDRESS
        body = self.body if self.body is not None else json.dumps(KeySet(self.keys).as_dict()).encode()
        return httpx.Response(self.status, content=body, headers={"location": "https://evil.example/keys"})

    def has(self, *kids: str) -> list[bool]:
        async def look() -> list[bool]:
            return [await self.source.key(kid) is not None for kid in kids]

        return asyncio.run(look())


def key(kid: str, **further: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, **further}, private=True)


def test_keys_are_read_once_and_kept() -> None:
    provider = Provider(key("a"), key("b"))
    assert provider.has("a", "b", "a") == [True, True, True]
    assert provider.asked == 1


def test_a_new_key_is_found_as_soon_as_a_token_names_it() -> None:
    provider = Provider(key("a"))
    provider.has("a")
    provider.keys.append(key("b"))
    provider.now += COOLDOWN_S
    assert provider.has("b") == [True]


def test_unknown_ids_do_not_flood_the_issuer() -> None:
    provider = Provider(key("a"))
    provider.has(*(f"x{number}" for number in range(200)))
    assert provider.asked == 1
    provider.now += COOLDOWN_S
    provider.has(*(f"x{number}" for number in range(200)))
    assert provider.asked == 2


def test_a_key_that_was_withdrawn_ends_with_the_cache() -> None:
    provider = Provider(key("a"))
    provider.has("a")
    provider.keys = [key("b")]
    provider.now += 3600
    assert provider.has("a") == [False]


def test_known_keys_serve_while_the_issuer_is_away_but_not_for_ever() -> None:
    provider = Provider(key("a"))
    provider.has("a")
    provider.status = 503
    provider.now += 3600
    assert provider.has("a") == [True]
    provider.now = STALE_S
    with pytest.raises(KeysAway, match=ADDRESS):
        provider.has("a")


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b""), (302, b""), (200, b"x" * 300_000), (200, b"no json"), (200, b"{}"), (200, b'{"keys":5}')],
)
def test_an_answer_that_is_no_key_set_is_an_issuer_away(status: int, body: bytes) -> None:
    provider = Provider(key("a"))
    provider.status, provider.body = status, body
    with pytest.raises(KeysAway):
        provider.has("a")
    assert provider.asked == 1


def test_an_issuer_that_comes_back_serves_again() -> None:
    provider = Provider(key("a"))
    provider.status = 503
    with pytest.raises(KeysAway):
        provider.has("a")
    provider.status = 200
    provider.now += COOLDOWN_S
    assert provider.has("a") == [True]


def test_keys_for_something_else_or_too_short_do_not_verify() -> None:
    with pytest.warns(SecurityWarning, match="2048"):
        short = RSAKey.generate_key(1024, {"kid": "short"})
    provider = Provider(key("a"), key("sealing", use="enc"), short)
    with pytest.warns(SecurityWarning, match="2048"):
        assert provider.has("a", "sealing", "short") == [True, False, False]


def test_keys_of_a_file_are_read_again_too(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(KeySet([key("a")]).as_dict()))
    now = 0.0
    source = RemoteKeys(file, clock=lambda: now)
    assert asyncio.run(source.key("a")) is not None
    file.write_text(json.dumps(KeySet([key("b")]).as_dict()))
    now = COOLDOWN_S
    assert asyncio.run(source.key("b")) is not None


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(KeysAway, match="FileNotFoundError"):
        asyncio.run(RemoteKeys(tmp_path / "none.json").key("a"))
