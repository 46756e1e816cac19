"""A municipality that left the installation, keys and all, while some of its data may still be there.

In: who is said to have left, and keys. Out: yes or no, or the keyed hash that the ledger's ids are made with. What is
sealed of such a municipality nobody can open, and no keyed hash of it can be made any more; what lies beside the seals
stays until its period is over. Somebody must say so: keys that are not there may be lost, or not yet put back after a
disaster, and what is done without them cannot be undone.
"""

from collections.abc import Collection

from signaalwissel.processors.sealing import KeyProvider, KeyUnavailable
from signaalwissel.processors.subject_ledger import LedgerIds


def has_left(municipality: str, departed: Collection[str], keys: KeyProvider) -> bool:
    """Whether a municipality is said to have left and has no keys.

    With its keys put back, all of an erasure can be told.

    Raises:
        KeyUnavailable: The key provider does not answer.
    """
    return municipality in departed and not keys.knows(municipality)


def ledger_ids(municipality: str, keys: KeyProvider) -> LedgerIds:
    """What makes the ledger's ids of a municipality.

    Raises:
        KeyUnavailable: A key cannot be had now; says what to do where it is gone for good.
    """
    try:
        return LedgerIds(keys.pseudonym_keys(municipality).hashed)
    except KeyUnavailable as error:
        raise KeyUnavailable(
            f"{error}; without it erasures of municipality {municipality} cannot be done again: put its keys back from their"
            " backup, or name it in SIGNAALWISSEL_DEPARTED if it left and its keys are gone for good"
        ) from error
