"""Nonces for sealing: 96 random bits, from the operating system."""

import os

from signaalwissel.processors.sealing import NONCE_SIZE


def fresh_nonce() -> bytes:
    """Twelve bytes that were never used before."""
    return os.urandom(NONCE_SIZE)
