"""Waiting for processes, engines that may be missing, and programs that stand in for servers."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from signal import SIGKILL, Signals
from typing import ClassVar

import psutil
import pytest
from signaalwissel.deploy.containers import engine_problem
from signaalwissel.deploy.server import OwnedServer, Timing
from signaalwissel.deploy.settings import CONTAINERS_VARIABLE

BOUND_S = 30.0


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Poll until `condition` holds; fail the test when it does not within a bound."""
    deadline = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {BOUND_S:.0f} s"
        time.sleep(0.02)


def need_engine() -> None:
    """Skip the test where containers were not asked for or no engine answers."""
    if os.environ.get(CONTAINERS_VARIABLE) != "1":
        pytest.skip(f"{CONTAINERS_VARIABLE}=1 is not set")
    if problem := engine_problem():
        pytest.skip(problem)


def is_alive(pid: int) -> bool:
    """Tell whether the process runs; one that only waits to be reaped does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


READY = "the stand-in listens"

LISTENING = f"""
import socket, sys, time
from pathlib import Path
port = int(sys.argv[1])
with socket.socket() as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    Path("starts").open("a").write("x")
    print({READY!r}, flush=True)
    time.sleep(3600)
"""
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + LISTENING
ENDING = "for line in range(100): print('line', line)\nraise SystemExit(3)"
NEVER_READY = "import time; print('still busy', flush=True); time.sleep(3600)"


class StandIn(OwnedServer):
    """A server in a few lines of Python."""

    name: ClassVar[str] = "StandIn"
    variable: ClassVar[str] = "STAND_IN_ADDRESS"
    ready_text: ClassVar[str] = READY
    kill_signal: ClassVar[Signals] = SIGKILL

    def __init__(
        self, program: str = LISTENING, folder: Path | None = None, timing: Timing | None = None
    ) -> None:
        super().__init__(folder, timing)
        self.program = program

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._ports[0]}"

    def commands(self, folder: Path) -> list[list[str]]:
        return [[sys.executable, "-I", "-c", self.program, str(self._ports[0])]]

    @property
    def folder(self) -> Path:
        return self._own_folder()
