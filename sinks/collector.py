"""CPython's collector of cycles, told what a batch is like.

Flows in: the moment at which a sink is ready to work. Flows out: nothing; collections come once in a batch, not
hundreds of times, and do not walk over what stays.

Why: the rows, lines and decisions of a batch are tens of thousands of small objects that all live until its commit and
are in no cycle. By its own settings CPython looks at them again after every 700 new ones.
"""

import gc

YOUNG_OBJECTS = 50_000
"""New objects before the collector looks at the youngest: about those of a full batch."""


def spare_batches() -> None:
    """Set the collector to batches, and put what is there already out of its sight; for the whole process."""
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
    gc.collect()
    gc.freeze()
