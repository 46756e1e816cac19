"""A municipality that left the installation: its policy and its keys are gone, and some of its data may still be there.

In: policies and keys. Out: yes or no. What is sealed of such a municipality nobody can open, and no keyed hash of it can
be made any more; what lies beside the seals stays until its period is over.
"""

from signaalwissel.processors.policy import Policies
from signaalwissel.processors.sealing import KeyProvider


def has_left(municipality: str, policies: Policies, keys: KeyProvider) -> bool:
    """Whether a municipality has neither policy nor keys.

    One that has a policy and no keys did not leave: its keys were lost, or lie elsewhere, and that must be mended.

    Raises:
        KeyUnavailable: The key provider does not answer.
    """
    return policies.get(municipality) is None and not keys.knows(municipality)
