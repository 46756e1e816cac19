"""CPython's collector of cycles, kept away from what stays.

Flows in: the moments at which state is complete or chunks are done. Flows out: nothing; full collections do not walk
over the tables' indexes again and again.

Why: a worker holds hundreds of thousands of small objects that live for weeks and are in no cycle. CPython looks at all
of them whenever a quarter as many have come, which stops the world for 0.1 s per 300,000 objects (measured), in the
middle of a chunk. What survived a round here is put out of its sight; it still goes when its last reference goes.
A sink settles once, before its first batch: the rows and lines of a batch all live until its commit. A gateway does before
its first answer.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG_OBJECTS = 50_000
"""New objects before the collector looks at the youngest: a chunk or batch makes tens of thousands that it drops itself."""


@contextmanager
def filling() -> Iterator[None]:
    """While a recovery fills the tables, nothing is garbage; at its end all of it stays."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        settle()


def settle() -> None:
    """Collect what came since the last time, then put what is left out of sight."""
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
    gc.collect()
    gc.freeze()
