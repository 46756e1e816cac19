"""Sealing: AES-256-GCM under a key of the municipality, bound to the record that it lies in (design 7).

In: bytes, a key, and what the seal belongs to. Out: one self-describing byte string, and back. No seal opens in
another record, municipality or signal than it was made for: all that is associated data.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from signaalwissel.processors.pseudonyms import MatchVersions, PseudonymKeys

NONCE_SIZE = 12
KEY_SIZE = 32
_VERSION = b"\x01"
_ASCII_SIZE_AT = 1


class SealBroken(ValueError):
    """A seal does not open: another key, another record, or changed bytes. Tells nothing of what is inside."""


class KeyUnavailable(RuntimeError):
    """A key cannot be had now: work stops, nothing is written in the clear and nothing is acknowledged."""


class KeyDestroyed(KeyUnavailable):
    """A day key was destroyed with its retention: what it sealed is gone, and no new one is made for the day."""


@dataclass(frozen=True, repr=False)
class SealingKey:
    """An AES-256 key and its id, which travels with every seal."""

    key_id: str
    secret: bytes

    @cached_property
    def cipher(self) -> AESGCM:
        """The cipher under this key: to make it costs as much as to seal a subject."""
        return AESGCM(self.secret)


class KeyProvider(Protocol):
    """Owns every secret: creates, returns and destroys them. Raises KeyUnavailable when it is away."""

    def knows(self, municipality: str) -> bool:
        """Whether the municipality has keys at all."""

    def pseudonym_keys(self, municipality: str, versions: MatchVersions | None = None) -> PseudonymKeys:
        """The secrets behind the municipality's match keys and hashes.

        Without `versions` the lowest version of the match secret that was not destroyed: the one in use where no
        rotation was ever told of. Raises KeyDestroyed where a version that is asked for is gone.
        """

    def day_key(self, municipality: str, day: date) -> SealingKey:
        """The data key of a municipality and Amsterdam day of receipt; made when first asked for."""

    def identity_key(self, municipality: str) -> SealingKey:
        """The key that seals the identity of a trajectory's clients in intake's table."""

    def system_key(self) -> SealingKey:
        """The key of dead letters in which no municipality can be read."""

    def by_id(self, key_id: str) -> SealingKey:
        """The key that a seal names; raises KeyDestroyed when it is gone for good."""


def seal(content: bytes, key: SealingKey, belongs_to: str, nonce: bytes) -> bytes:
    """Seal `content`.

    Args:
        content: What to seal.
        key: The key; its id is written into the seal in the clear.
        belongs_to: What the seal belongs to, such as record type, municipality and signal: associated data.
        nonce: 12 random bytes, never used twice under one key.
    """
    key_id = key.key_id.encode()
    sealed = key.cipher.encrypt(nonce, content, _associated(belongs_to, key_id))
    return _VERSION + len(key_id).to_bytes(1, "big") + key_id + nonce + sealed


def key_id_of(sealed: bytes) -> str:
    """The id of the key that sealed these bytes; raises SealBroken where they are no seal."""
    if sealed[:_ASCII_SIZE_AT] != _VERSION or len(sealed) < _ASCII_SIZE_AT + 1:
        raise SealBroken("these bytes are no seal of ours")
    start = _ASCII_SIZE_AT + 1
    try:
        return sealed[start : start + sealed[_ASCII_SIZE_AT]].decode()
    except UnicodeDecodeError:
        raise SealBroken("these bytes are no seal of ours") from None


def unseal(sealed: bytes, belongs_to: str, key_by_id: Callable[[str], SealingKey]) -> bytes:
    """Open a seal.

    Raises:
        SealBroken: Another key, another record or changed bytes.
        KeyUnavailable: The key cannot be had.
    """
    key_id = key_id_of(sealed)
    at = _ASCII_SIZE_AT + 1 + len(key_id.encode())
    key = key_by_id(key_id)
    nonce, content = sealed[at : at + NONCE_SIZE], sealed[at + NONCE_SIZE :]
    try:
        return key.cipher.decrypt(nonce, content, _associated(belongs_to, key_id.encode()))
    except (InvalidTag, ValueError):
        raise SealBroken(f"the seal under key {key_id} does not open for this record") from None


def _associated(belongs_to: str, key_id: bytes) -> bytes:
    return belongs_to.encode() + b"\x00" + key_id
