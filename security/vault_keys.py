"""The key provider for production: a transit engine of Vault or OpenBao (design 7, ADR 7).

In: a municipality, a day, the id of a key. Out: the key. Behind each key lies one transit key of its own, which never
leaves the service:

    system    0344-identity    0344-match-1    0344-day-2026-02-28

What leaves is the HMAC of the key's id under version 1: the same in every process, and computable by nobody once that
version is gone. To destroy a day key, or a match secret that was rotated away, is to trim version 1 away. The transit key stays, without it, so no fresh one
can take its place. A process keeps a key for a bounded time; then it asks again, and stops where nobody answers.
"""

import base64
import binascii
import re
import time
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from signaalwissel.processors.pseudonyms import MatchSecret, MatchVersions, PseudonymKeys
from signaalwissel.processors.sealing import KEY_SIZE, KeyDestroyed, KeyUnavailable, SealingKey
from signaalwissel.security.key_ids import (
    DAY_KEY_ID,
    IDENTITY_KEY_ID,
    MUNICIPALITY,
    SYSTEM_KEY_ID,
    day_key_id,
    destroyed,
    hashing_secret,
    identity_key_id,
    match_secret_id,
)
from signaalwissel.security.remembered import Remembered
from signaalwissel.security.vault_http import Answer, VaultRequests
from signaalwissel.security.vault_settings import VaultSettings

_USED_VERSION = 1
_HMAC = re.compile(r"vault:v1:([A-Za-z0-9+/=]+)")
_NEW_KEY = {"type": "aes256-gcm96", "exportable": False, "allow_plaintext_backup": False}


class _State(NamedTuple):
    """Versions of a transit key: the newest, and the first that was not trimmed away."""

    latest: int
    first_kept: int

    @property
    def destroyed(self) -> bool:
        return self.first_kept > _USED_VERSION


class VaultKeys:
    """Keys from a transit engine.

    Args:
        settings: The engine, and how long a key is kept.
        requests: What asks it.
        clock: Seconds, from whenever; says when a key must be asked for again.
    """

    def __init__(
        self,
        settings: VaultSettings,
        requests: VaultRequests,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._mount = settings.mount
        self._requests = requests
        self._clock = clock
        self._keys: Remembered[SealingKey] = Remembered(settings.kept_s, clock)
        self._pseudonym_keys: Remembered[PseudonymKeys] = Remembered(settings.kept_s, clock)
        self._first: dict[str, int] = {}
        self._known: Remembered[bool] = Remembered(settings.kept_s, clock)

    @property
    def away(self) -> bool:
        """Whether the service gave no answer when it was asked last."""
        return self._requests.away

    def create(self, municipality: str) -> None:
        """Make the keys of a municipality that has none; what is there already stays."""
        if not MUNICIPALITY.fullmatch(municipality):
            raise KeyUnavailable(f"{municipality!r} is not a municipality code of four digits")
        # The last one's presence says that the municipality is complete.
        for key_id in (SYSTEM_KEY_ID, identity_key_id(municipality), match_secret_id(municipality, 1)):
            self._make(key_id)
        self._known.drop(municipality)

    def knows(self, municipality: str) -> bool:
        if not MUNICIPALITY.fullmatch(municipality):
            return False
        known = self._known.get(municipality)
        if known is None:
            asked = self._clock()
            known = self._known.keep(
                municipality, self._state(match_secret_id(municipality, 1)) is not None, asked
            )
        return known

    def pseudonym_keys(self, municipality: str, versions: MatchVersions | None = None) -> PseudonymKeys:
        found = self._pseudonym_keys.get((municipality, versions))
        if found is None:
            asked = self._clock()
            made = (
                self._first_keys(municipality)
                if versions is None
                else self._keys_under(municipality, versions)
            )
            found = self._pseudonym_keys.keep((municipality, versions), made, asked)
        return found

    def match_versions(self, municipality: str) -> tuple[int, ...]:
        """The versions of the match secret that were made and not destroyed, rising."""
        found, version = [], 1
        while (state := self._state(match_secret_id(municipality, version))) is not None:
            if not state.destroyed:
                found.append(version)
            version += 1
        return tuple(found)

    def make_match_secret(self, municipality: str, version: int) -> None:
        """Make a version of the match secret; one that is there, or was destroyed, stays as it is."""
        self._make(match_secret_id(municipality, version))

    def destroy_match_secret(self, municipality: str, version: int) -> None:
        """Destroy a version of the match secret: whoever has old match keys can test no guess on them any more.

        Raises:
            KeyUnavailable: It is not destroyed for certain; do it again.
        """
        self._destroy(match_secret_id(municipality, version))

    def day_key(self, municipality: str, day: date) -> SealingKey:
        key_id = day_key_id(municipality, day)
        return self._keys.get(key_id) or self._fetched(key_id, make=True)

    def identity_key(self, municipality: str) -> SealingKey:
        key_id = identity_key_id(municipality)
        return self._keys.get(key_id) or self._fetched(key_id, make=False)

    def system_key(self) -> SealingKey:
        return self._keys.get(SYSTEM_KEY_ID) or self._fetched(SYSTEM_KEY_ID, make=True)

    def by_id(self, key_id: str) -> SealingKey:
        if key_id != SYSTEM_KEY_ID and not any(
            known.fullmatch(key_id) for known in (DAY_KEY_ID, IDENTITY_KEY_ID)
        ):
            raise KeyUnavailable(f"{key_id!r} is not the id of a key of this provider")
        return self._keys.get(key_id) or self._fetched(key_id, make=False)

    def destroy_day_key(self, municipality: str, day: date) -> None:
        """Destroy a day's key: what it sealed is unreadable in every copy, and no new one is made for that day.

        Raises:
            KeyUnavailable: It is not destroyed for certain; do it again. What was done already stays done.
        """
        key_id = day_key_id(municipality, day)
        self._keys.drop(key_id)
        self._destroy(key_id)

    def _destroy(self, key_id: str) -> None:
        state = self._state(key_id) or self._made(key_id)
        if state.destroyed:
            return
        keys = f"{self._mount}/keys/{_name(key_id)}"
        gone_before = _USED_VERSION + 1
        if state.latest < gone_before:
            _done(self._requests.post(f"{keys}/rotate", {}), key_id)
        closed = {"min_decryption_version": gone_before, "min_encryption_version": gone_before}
        _done(self._requests.post(f"{keys}/config", closed), key_id)
        _done(self._requests.post(f"{keys}/trim", {"min_available_version": gone_before}), key_id)
        left = self._state(key_id)
        if left is None or not left.destroyed:
            raise KeyUnavailable(
                f"key {key_id}: the key service still has it after it was told to destroy it"
            )

    def _first_keys(self, municipality: str) -> PseudonymKeys:
        """Those of the lowest version that was not destroyed; a destroyed one never comes back."""
        version = self._first.get(municipality, 1)
        while True:
            try:
                return self._keys_under(municipality, MatchVersions(version, (version,)))
            except KeyDestroyed:
                version = self._first[municipality] = version + 1

    def _keys_under(self, municipality: str, versions: MatchVersions) -> PseudonymKeys:
        secrets = {
            version: MatchSecret(version, self._secret(match_secret_id(municipality, version), make=False))
            for version in versions.trajectories
        }
        hashing = hashing_secret(self._fetched(identity_key_id(municipality), make=False))
        return PseudonymKeys(municipality, hashing, secrets[versions.signals], tuple(secrets.values()))

    def _fetched(self, key_id: str, *, make: bool) -> SealingKey:
        asked = self._clock()
        return self._keys.keep(key_id, SealingKey(key_id, self._secret(key_id, make=make)), asked)

    def _secret(self, key_id: str, *, make: bool) -> bytes:
        answer = self._hmac(key_id)
        if not answer.ok:
            if make and self._state(key_id) is None:
                self._make(key_id)
            # Again in any case: another process may have made it between two of our requests.
            answer = self._hmac(key_id)
        if not answer.ok:
            raise self._missing(key_id)
        return _secret_in(answer, key_id)

    def _hmac(self, key_id: str) -> Answer:
        asked = {
            "input": base64.b64encode(f"signaalwissel/{key_id}".encode()).decode(),
            "algorithm": "sha2-256",
            # Whoever rotates the transit key must not change ours with it.
            "key_version": _USED_VERSION,
        }
        return self._requests.post(f"{self._mount}/hmac/{_name(key_id)}", asked)

    def _missing(self, key_id: str) -> KeyUnavailable:
        state = self._state(key_id)
        if state is None:
            return KeyUnavailable(f"key {key_id}: the key service has none; see `signaalwissel keys create`")
        if state.destroyed:
            return destroyed(key_id)
        return KeyUnavailable(
            f"key {key_id}: version {_USED_VERSION} of {_name(key_id)} is closed and not destroyed: destroy it, or set"
            f" min_encryption_version and min_decryption_version back to {_USED_VERSION}"
        )

    def _made(self, key_id: str) -> _State:
        self._make(key_id)
        state = self._state(key_id)
        if state is None:
            raise KeyUnavailable(f"key {key_id}: the key service does not have it after it made it")
        return state

    def _make(self, key_id: str) -> None:
        _done(self._requests.post(f"{self._mount}/keys/{_name(key_id)}", _NEW_KEY), key_id)

    def _state(self, key_id: str) -> _State | None:
        answer = self._requests.get(f"{self._mount}/keys/{_name(key_id)}")
        if not answer.ok and answer.status == 404 and not answer.error:
            return None
        _done(answer, key_id)
        data = answer.data.get("data")
        latest = data.get("latest_version") if isinstance(data, dict) else None
        first_kept = data.get("min_available_version", 0) if isinstance(data, dict) else None
        if not isinstance(latest, int) or not isinstance(first_kept, int):
            raise KeyUnavailable(
                f"key {key_id}: the key service does not tell its versions; is it a transit engine?"
            )
        return _State(latest, first_kept)


def _name(key_id: str) -> str:
    return key_id.replace("/", "-")


def _done(answer: Answer, key_id: str) -> None:
    if not answer.ok:
        raise KeyUnavailable(
            f"key {key_id}: the key service refuses it: HTTP {answer.status}: {answer.error or 'no reason given'};"
            " is the transit engine enabled at SIGNAALWISSEL_VAULT_MOUNT?"
        )


def _secret_in(answer: Answer, key_id: str) -> bytes:
    data = answer.data.get("data")
    found = _HMAC.fullmatch(str(data.get("hmac"))) if isinstance(data, dict) else None
    try:
        secret = base64.b64decode(found[1], validate=True) if found else b""
    except binascii.Error:
        secret = b""
    if len(secret) != KEY_SIZE:
        raise KeyUnavailable(f"key {key_id}: the key service answers with something that is no key")
    return secret
