"""Throw-away keys: made in memory for every municipality code, gone with the process (design 6).

For `simulate` and tests: what they seal is opened by nobody.
"""

import os
from collections import defaultdict
from datetime import date

from signaalwissel.processors.pseudonyms import MatchSecret, MatchVersions, PseudonymKeys
from signaalwissel.processors.sealing import KEY_SIZE, KeyUnavailable, SealingKey

_FIRST = MatchVersions(1, (1,))


class ThrowawayKeys:
    """A key provider without memory of its own after the process."""

    def __init__(self) -> None:
        self._secrets: defaultdict[str, bytes] = defaultdict(lambda: os.urandom(KEY_SIZE))
        self._pseudonym_keys: dict[tuple[str, MatchVersions | None], PseudonymKeys] = {}

    def knows(self, municipality: str) -> bool:
        return bool(municipality)

    def pseudonym_keys(self, municipality: str, versions: MatchVersions | None = None) -> PseudonymKeys:
        found = self._pseudonym_keys.get((municipality, versions))
        if found is None:
            signals, trajectories = versions or _FIRST
            secrets = {
                version: MatchSecret(version, self._secrets[f"{municipality}/match/{version}"])
                for version in trajectories
            }
            hashing = self._secrets[f"{municipality}/hashing"]
            found = PseudonymKeys(municipality, hashing, secrets[signals], tuple(secrets.values()))
            self._pseudonym_keys[municipality, versions] = found
        return found

    def day_key(self, municipality: str, day: date) -> SealingKey:
        return self._key(f"{municipality}/day/{day.isoformat()}")

    def identity_key(self, municipality: str) -> SealingKey:
        return self._key(f"{municipality}/identity")

    def system_key(self) -> SealingKey:
        return self._key("system")

    def by_id(self, key_id: str) -> SealingKey:
        if key_id not in self._secrets:
            raise KeyUnavailable(f"key {key_id} was never made in this process")
        return self._key(key_id)

    def _key(self, key_id: str) -> SealingKey:
        return SealingKey(key_id, self._secrets[key_id])
