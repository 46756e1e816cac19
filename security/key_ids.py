"""What keys are called, whoever keeps them, and what is derived from one (design 7).

In: a municipality, a day, an identity key. Out: the ids that travel with seals, and the secret behind keyed hashes.
"""

import re
from datetime import date

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from signaalwissel.processors.sealing import KEY_SIZE, KeyDestroyed, SealingKey

MUNICIPALITY = re.compile(r"[0-9]{4}")
DAY_KEY_ID = re.compile(r"([0-9]{4})/day/([0-9]{4}-[0-9]{2}-[0-9]{2})")
IDENTITY_KEY_ID = re.compile(r"([0-9]{4})/identity")
SYSTEM_KEY_ID = "system"


def day_key_id(municipality: str, day: date) -> str:
    """The id of the key of a municipality and day."""
    return f"{municipality}/day/{day.isoformat()}"


def identity_key_id(municipality: str) -> str:
    """The id of the key of a municipality's identities."""
    return f"{municipality}/identity"


def match_secret_id(municipality: str, version: int) -> str:
    """The id of a version of the secret behind a municipality's match keys."""
    return f"{municipality}/match/{version}"


def destroyed(key_id: str) -> KeyDestroyed:
    """That a key is gone for good, and why."""
    if "/match/" in key_id:
        return KeyDestroyed(
            f"key {key_id} was destroyed at the end of its rotation; it matches nobody any more"
        )
    return KeyDestroyed(f"key {key_id} was destroyed with its retention; what it sealed is gone")


def hashing_secret(identity: SealingKey) -> bytes:
    """The secret of hashes that are compared: they must outlive a rotation of the match secret."""
    purpose = b"signaalwissel hashing"
    return HKDF(algorithm=SHA256(), length=KEY_SIZE, salt=None, info=purpose).derive(identity.secret)
