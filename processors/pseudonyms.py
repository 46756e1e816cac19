"""Match keys and keyed hashes: how a resident is found without being named (design 3).

In: a subject in the clear and the municipality's keys. Out: a match key to look under, and keyed hashes to compare.
A plain hash of a BSN falls in minutes, so everything here is HMAC-SHA256 under a secret of the municipality.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from signaalwissel.processors.keyed_hash import KeyedHash
from signaalwissel.processors.validation import plain
from signaalwissel.schemas.internal import ClientPseudonym
from signaalwissel.schemas.signal import Subject

_HASH_SIZE = 16
_BSN, _ADDRESS = "b:", "a:"
_ADDRESS_BIT = 0x8000
"""Set in the key version of an address key: housekeeping treats the two kinds of keys differently."""
_VERSION_SIZE = 2
SECRET_VERSION_MAX = _ADDRESS_BIT - 1
"""The highest version of a match secret that fits a key."""
# Whatever is no letter separates words, a hyphen as well as a space.
_NO_LETTERS = re.compile(r"[\W\d_]+")
# Voorvoegsels, as the Dutch civil registry knows them, and the foreign ones that it meets most.
_PREFIXES = frozenset(
    [
        "aan",
        "af",
        "al",
        "am",
        "auf",
        "aus",
        "bij",
        "bin",
        "boven",
        "d",
        "da",
        "dal",
        "dalla",
        "das",
        "de",
        "degli",
        "dei",
        "del",
        "dela",
        "della",
        "den",
        "der",
        "des",
        "di",
        "die",
        "do",
        "don",
        "dos",
        "du",
        "el",
        "en",
        "het",
        "im",
        "in",
        "l",
        "la",
        "las",
        "le",
        "les",
        "lo",
        "los",
        "of",
        "onder",
        "op",
        "over",
        "s",
        "t",
        "te",
        "ten",
        "ter",
        "tho",
        "thoe",
        "thor",
        "to",
        "toe",
        "tot",
        "uijt",
        "uit",
        "van",
        "vanden",
        "ver",
        "vom",
        "von",
        "voor",
        "vor",
        "zu",
        "zum",
        "zur",
    ]
)
_NOT_DECOMPOSED = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "þ": "th"})


class MatchVersions(NamedTuple):
    """Which versions of a municipality's match secret are in use.

    Attributes:
        signals: The one under which signals are looked up.
        trajectories: Those under which trajectories are written, rising; more than one during a rotation.
    """

    signals: int
    trajectories: tuple[int, ...]


@dataclass(frozen=True, repr=False)
class MatchSecret:
    """One version of the secret behind a municipality's match keys; rotation brings a next version."""

    version: int
    secret: bytes

    @cached_property
    def hashed(self) -> KeyedHash:
        """The hash under this secret: to prepare it costs more than to hash a match key."""
        return KeyedHash(self.secret)


@dataclass(frozen=True, repr=False)
class PseudonymKeys:
    """The keyed-hash secrets of one municipality.

    Attributes:
        municipality: Four digits; part of every hashed text, so that municipalities never meet (domain 8.13).
        hashing: Key of the hashes that are compared; lives as long as the municipality's identity key.
        signal_secret: The one version under which signals are looked up.
        trajectory_secrets: Every version under which trajectories are written; more than one during a rotation.
    """

    municipality: str
    hashing: bytes
    signal_secret: MatchSecret
    trajectory_secrets: tuple[MatchSecret, ...]

    @cached_property
    def hashed(self) -> KeyedHash:
        """The hash under `hashing`."""
        return KeyedHash(self.hashing)

    def pseudonym(self, subject: Subject) -> ClientPseudonym:
        """The keyed hashes of whatever identifies the subject."""
        address = address_of(subject)
        surname = fold_surname(subject.surname) if subject.surname else ""
        return ClientPseudonym(
            bsn=self._hash("b", subject.bsn) if subject.bsn is not None else None,
            birth_date=self._hash("d", subject.birth_date.isoformat())
            if subject.birth_date is not None
            else None,
            surname=self._hash("n", surname) if surname else None,
            address=self._hash("a", address) if address is not None else None,
        )

    def signal_match_key(self, subject: Subject) -> bytes:
        """The one key under which a signal is looked up: of the BSN, or else of the address."""
        if subject.bsn is not None:
            return self._match_key(self.signal_secret, f"{_BSN}{subject.bsn}")
        return self._match_key(self.signal_secret, f"{_ADDRESS}{address_of(subject)}")

    def signal_match_keys(self, subject: Subject) -> list[bytes]:
        """The key of `signal_match_key` under every secret that trajectories are written under.

        For whoever asks and is in no partition: during a rotation he cannot know under which of them a signal is
        looked up, and a trajectory lies under each one that counts.
        """
        address = address_of(subject)
        text = f"{_BSN}{subject.bsn}" if subject.bsn is not None else f"{_ADDRESS}{address}"
        return [self._match_key(secret, text) for secret in self.trajectory_secrets]

    def trajectory_match_keys(self, subject: Subject) -> list[bytes]:
        """Every key under which a trajectory of this client is written: BSN and address, every secret."""
        address = address_of(subject)
        texts = [f"{_BSN}{subject.bsn}"] if subject.bsn is not None else []
        texts += [f"{_ADDRESS}{address}"] if address is not None else []
        return [self._match_key(secret, text) for secret in self.trajectory_secrets for text in texts]

    def digest(self, content: bytes) -> bytes:
        """Keyed hash of a whole record: tells the same content from other content without keeping it."""
        return self.hashed(b"r:" + content)[:_HASH_SIZE]

    def _match_key(self, secret: MatchSecret, text: str) -> bytes:
        message = f"{self.municipality}:{text}".encode()
        version = secret.version | (_ADDRESS_BIT if text.startswith(_ADDRESS) else 0)
        return version.to_bytes(_VERSION_SIZE, "big") + secret.hashed(message)

    def _hash(self, kind: str, text: str) -> bytes:
        return self.hashed(f"{kind}:{text}".encode())[:_HASH_SIZE]


def is_address_key(match_key: bytes) -> bool:
    """Whether a match key is that of an address, not of a BSN."""
    return bool(int.from_bytes(match_key[:_VERSION_SIZE], "big") & _ADDRESS_BIT)


def secret_version(match_key: bytes) -> int:
    """The version of the secret that a match key was made under."""
    return int.from_bytes(match_key[:_VERSION_SIZE], "big") & ~_ADDRESS_BIT


def address_of(subject: Subject) -> str | None:
    """Postcode, house number and folded addition as one text, or None without an address (domain 8.8)."""
    if subject.postcode is None or subject.house_number is None:
        return None
    return f"{plain(subject.postcode)}:{subject.house_number}:{plain(subject.house_number_addition or '')}"


def fold_surname(surname: str) -> str:
    """A surname without prefixes, diacritics and case: "van den Bérg" and "Berg" are the same (domain 8.8)."""
    decomposed = unicodedata.normalize("NFKD", surname)
    plain_letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    letters = plain_letters.lower().translate(_NOT_DECOMPOSED)
    words = [word for word in _NO_LETTERS.split(letters) if word]
    # A name made of prefixes alone ("Op den Ven" has one left, "Van In" none) keeps its words.
    return "".join([word for word in words if word not in _PREFIXES] or words)
