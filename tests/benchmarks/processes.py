"""Commands of the program as processes to measure. In: an installation. Out: a process for the length of a block."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from signaalwissel.console.worker import end_all

from tests.benchmarks.sampling import Stuck
from tests.system.installation import Installation


@contextmanager
def running(installation: Installation, *command: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A command of the program for the length of the block; it also ends when this process does."""
    with (installation.folder / f"{'-'.join(command)}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "signaalwissel.console", *command, "--lifeline"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=installation.environment,
            start_new_session=True,
        )
    try:
        yield process
    except Stuck as stuck:
        raise Stuck(f"{' '.join(command)}: {stuck}\n{installation.logs()}") from stuck
    finally:
        end_all([process])
