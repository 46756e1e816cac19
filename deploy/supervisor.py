"""Keeps a server from outliving its owner. Run as a program of its own, with the standard library only.

Flows in: a plan (JSON, the only argument) and on standard input one letter, STOP or KILL. Flows out: the
server's end. Standard input also ends when the owner died, however it died; then the server is stopped and
the plan's `remove` folder goes. It is a process and not a thread or a `preexec_fn` of the owner, because
the kernel's parent-death signal follows the *thread* that started a child, and owners have threads.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypedDict

STOP: Final = b"s"
KILL: Final = b"k"
OWNER_GONE: Final = b""
OWNER_CHECK_S: Final = 1.0
PR_SET_PDEATHSIG: Final = 1


class Plan(TypedDict):
    """One run of a server."""

    commands: list[list[str]]
    """Run in turn; the last one is the server, the ones before it prepare."""
    account: list[int] | None
    """User and group to run as, or None for the supervisor's own."""
    stop_signal: int
    kill_signal: int
    stop_bound_s: float
    """How long a signal may take before SIGKILL."""
    pid_file: str
    remove: str | None
    """The folder that goes with the owner."""


class Supervisor:
    """Runs the commands of one plan until they end, the owner says so, or the owner is gone."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._owner = os.getppid()
        self._wake, wake = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake, False)
        # An owner may have blocked the signals that stop a server, and children inherit that.
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
        self._preexec = _die_with_supervisor()

    def run(self) -> int:
        """Return the exit status of the last command that ran."""
        status = 0
        for command in self._plan["commands"]:
            status = self._run(command)
            if status != 0:
                break
        if self._plan["remove"] and self._owner_gone():
            shutil.rmtree(self._plan["remove"], ignore_errors=True)
        return status

    def _run(self, command: list[str]) -> int:
        user, group = self._plan["account"] or (None, None)
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
            process_group=0,
            preexec_fn=self._preexec,  # noqa: PLW1509 - this process has one thread
        )
        Path(self._plan["pid_file"]).write_text(str(child.pid), encoding="ascii")
        while (status := child.poll()) is None:
            order = self._order()
            if order is not None:
                return self._end(child, order)
        return status

    def _order(self) -> bytes | None:
        """Wait until the child ends, the owner speaks or dies, or a second passes."""
        ready, _, _ = select.select([0, self._wake], [], [], OWNER_CHECK_S)
        if self._wake in ready:
            os.read(self._wake, 4096)
        if 0 in ready:
            return os.read(0, 1)
        # The owner's end of the pipe may live on in a process that the owner forked.
        return OWNER_GONE if os.getppid() != self._owner else None

    def _end(self, child: subprocess.Popen[bytes], order: bytes) -> int:
        child.send_signal(self._plan["kill_signal"] if order == KILL else self._plan["stop_signal"])
        try:
            child.wait(self._plan["stop_bound_s"])
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        return 1

    def _owner_gone(self) -> bool:
        ready, _, _ = select.select([0], [], [], 0)
        return os.getppid() != self._owner or (bool(ready) and os.read(0, 1) == OWNER_GONE)


def _die_with_supervisor() -> Callable[[], None] | None:
    """Return what makes a child die when this process is killed, where the system can do that."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


if __name__ == "__main__":
    sys.exit(Supervisor(json.loads(sys.argv[1])).run())
