"""A supervised process never outlives its owner."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from signaalwissel.deploy import supervisor
from signaalwissel.deploy.supervisor import KILL, STOP, Plan

from tests.deploy.support import is_alive, wait_until

SLEEPING = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(3600)"]
IGNORING = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
DEAF = [sys.executable, "-c", IGNORING + "print('up', flush=True); time.sleep(3600)"]
PARENT = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.run([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(3600)"])
"""
WITH_CHILD = [sys.executable, "-c", PARENT]

Run = Callable[..., "Supervised"]


class Supervised:
    """A supervisor and the one process that it keeps."""

    def __init__(self, folder: Path, commands: list[list[str]], stop_bound_s: float, remove: bool) -> None:
        self.folder = folder
        self.log = folder.with_suffix(".log")
        plan: Plan = {
            "commands": commands,
            "account": None,
            "stop_signal": int(signal.SIGTERM),
            "kill_signal": int(signal.SIGKILL),
            "stop_bound_s": stop_bound_s,
            "pid_file": str(folder / "pid"),
            "remove": str(folder) if remove else None,
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", supervisor.__file__, json.dumps(plan)],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        assert self.process.stdin is not None
        self.orders = self.process.stdin

    def wait_up(self) -> int:
        """Wait until the process runs; return its id."""
        wait_until(lambda: "up" in self.log.read_text(), "the supervised process is up")
        return int((self.folder / "pid").read_text())


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    runs: list[Supervised] = []

    def start(*commands: list[str], stop_bound_s: float = 20.0, remove: bool = False) -> Supervised:
        folder = tmp_path / f"run{len(runs)}"
        folder.mkdir()
        runs.append(Supervised(folder, list(commands), stop_bound_s, remove))
        return runs[-1]

    yield start
    for supervised in runs:
        supervised.orders.close()
        supervised.process.kill()
        supervised.process.wait()


@pytest.mark.parametrize("order", [STOP, KILL])
def test_an_order_ends_the_server_and_then_the_supervisor(run: Run, order: bytes) -> None:
    supervised = run(SLEEPING)
    pid = supervised.wait_up()
    supervised.orders.write(order)
    supervised.process.wait(20)
    assert not is_alive(pid)


def test_signals_that_the_owner_blocked_still_stop_the_server(run: Run) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGCHLD])
    try:
        supervised = run(SLEEPING)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    supervised.wait_up()
    supervised.orders.write(STOP)
    supervised.process.wait(10)  # half of the bound after which it would be killed


def test_the_owners_end_ends_the_server_and_removes_its_folder(run: Run) -> None:
    supervised = run(SLEEPING, remove=True)
    pid = supervised.wait_up()
    supervised.orders.close()  # what the system does when the owner is killed
    supervised.process.wait(20)
    assert not is_alive(pid)
    assert not supervised.folder.exists()


def test_a_folder_that_the_caller_gave_stays_when_the_owner_dies(run: Run) -> None:
    supervised = run(SLEEPING)
    supervised.wait_up()
    supervised.orders.close()
    supervised.process.wait(20)
    assert supervised.folder.exists()


def test_an_ordered_stop_keeps_the_folder(run: Run) -> None:
    supervised = run(SLEEPING, remove=True)
    supervised.wait_up()
    supervised.orders.write(STOP)
    supervised.process.wait(20)
    assert supervised.folder.exists()


@pytest.mark.parametrize("stubborn", [DEAF, WITH_CHILD], ids=["deaf", "deaf with a child"])
def test_a_server_that_does_not_stop_within_its_bound_is_killed_with_its_children(
    run: Run, stubborn: list[str]
) -> None:
    supervised = run(stubborn, stop_bound_s=0.2)
    server = psutil.Process(supervised.wait_up())
    family = [server.pid, *(child.pid for child in server.children(recursive=True))]
    supervised.orders.write(STOP)
    supervised.process.wait(20)
    wait_until(lambda: not any(map(is_alive, family)), "the whole family ends")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_server_dies_with_a_supervisor_that_is_killed(run: Run) -> None:
    supervised = run(SLEEPING)
    pid = supervised.wait_up()
    supervised.process.kill()
    wait_until(lambda: not is_alive(pid), "the server dies with its supervisor")


def test_the_server_starts_after_its_preparations(run: Run) -> None:
    supervised = run([sys.executable, "-c", "print('prepared', flush=True)"], SLEEPING)
    supervised.wait_up()
    assert supervised.log.read_text().split() == ["prepared", "up"]


def test_a_preparation_that_fails_is_the_end(run: Run) -> None:
    supervised = run([sys.executable, "-c", "raise SystemExit(7)"], SLEEPING)
    assert supervised.process.wait(20) == 7
    assert supervised.log.read_text() == ""
