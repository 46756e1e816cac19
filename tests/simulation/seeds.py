"""Which runs are made: a few by default, thousands for `make simulation`, one by SIGNAALWISSEL_SEED."""

from __future__ import annotations

import os

SEED = os.environ.get("SIGNAALWISSEL_SEED")
RUNS = int(os.environ.get("SIGNAALWISSEL_SIMULATIONS", "0"))
"""Runs of each kind; 0 for the short form."""


def seeds(short: int) -> range:
    """The seeds of one test."""
    if SEED is not None:
        return range(int(SEED), int(SEED) + 1)
    return range(RUNS or short)


def stride(short: int) -> int:
    """Every how many-th step is a place for a crash: all of them in the long form."""
    return 1 if RUNS else short
