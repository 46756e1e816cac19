"""The program `signaalwissel` with one fault planted in it: `python -m tests.faults.launch FAULT COMMAND ...`.

Never part of the product: a fault replaces one function of it in this process, before its own main runs.
"""

import sys
import threading
from collections.abc import Callable, Sequence

from signaalwissel.console.main import main
from signaalwissel.streams.chunk import Outputs, Record
from signaalwissel.streams.matcher import MatcherHandler


def block_handler() -> None:
    """The matcher's handler never comes back; the loop of the whole process stands still with it."""

    def blocked(
        _self: MatcherHandler, _partition: int, _records: Sequence[Record], _outputs: Outputs
    ) -> None:
        threading.Event().wait()

    MatcherHandler.handle = blocked  # type: ignore[method-assign]


FAULTS: dict[str, Callable[[], None]] = {"blocked-handler": block_handler}

if __name__ == "__main__":
    FAULTS[sys.argv.pop(1)]()
    main()
