"""A process of the product at DEBUG, libraries too, that may crash: `python -m tests.privacy.process worker --only intake`.

`CANARY_CRASH=S-1` lets intake's handler stumble over the signal S-1, with the resident in the error's text, in its cause
and in the variables of its frames.
"""

import logging
import os
from collections.abc import Callable
from functools import partial

from signaalwissel.console import main, runtime
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.streams import intake, runner

CRASH_VARIABLE = "CANARY_CRASH"


def main_at_debug() -> None:
    """Run a command of the product with everything logged that can be."""
    log_to = runtime.log_to

    def at_debug(stage: str) -> None:
        log_to(stage, level=logging.DEBUG)
        logging.getLogger().setLevel(logging.DEBUG)

    runtime.log_to = at_debug
    runner.LIBRARIES = ()
    if signal_id := os.environ.get(CRASH_VARIABLE):
        intake.read_early_signal = partial(_stumble, intake.read_early_signal, signal_id)
    main.main()


def _stumble(read: Callable[[bytes], EarlySignal], signal_id: str, data: bytes) -> EarlySignal:
    signal = read(data)
    if signal.signal_id == signal_id:
        person = signal.subject
        try:
            raise KeyError(person.bsn, person.surname)
        except KeyError as missing:
            error = RuntimeError(f"{tuple(person)} cannot be handled; {data!r}")
            error.add_note(f"it was {person.email}")
            raise error from missing
    return signal


if __name__ == "__main__":
    main_at_debug()
