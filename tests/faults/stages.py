"""Worker and sink processes under a supervisor that starts again whatever ends, as an installation has one.

In: the environment of an installation, commands, faults to plant. Out: processes that run until they are closed; how
often they were killed, and how often they ended by themselves.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ALWAYS_PLANTED = "short-session"
ROOT = Path(__file__).parents[2]
_LOOK_S = 0.1
_PAUSE_S = 0.5
_STOP_BOUND_S = 30.0


@dataclass
class Stage:
    """One command that is kept running; `plant` says with which faults it starts the next time, and only then."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    faults: str = ""
    kept: str = ""
    """Faults that it has at every start."""
    kills: int = 0
    ended: int = 0
    _process: "subprocess.Popen[bytes] | None" = None
    _changing: threading.RLock = field(default_factory=threading.RLock)
    _closed: bool = False

    @property
    def pid(self) -> int:
        with self._changing:
            assert self._process is not None
            return self._process.pid

    def start(self) -> None:
        with self._changing:
            planted = ",".join(filter(None, (ALWAYS_PLANTED, self.kept, self.faults)))
            self.faults = ""
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tests.faults.launch", planted, *self.command],
                    cwd=ROOT,
                    env=dict(self.environment),
                    stdout=log,
                    stderr=log,
                )

    def look(self) -> None:
        """Start it again where it has ended."""
        with self._changing:
            if self._closed or self._process is None or self._process.poll() is None:
                return
            if self._process.returncode == -signal.SIGKILL:
                self.kills += 1
            else:
                self.ended += 1
                time.sleep(_PAUSE_S)
            self.start()

    def kill(self, faults: str = "") -> None:
        """End it as a crash does, and start it again with these faults."""
        with self._changing:
            self.faults = faults
            if self._process is not None and self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self.look()

    def send(self, number: signal.Signals) -> None:
        with self._changing:
            if self._process is not None and self._process.poll() is None:
                os.kill(self._process.pid, number)

    def close(self, *, by_kill: bool = False) -> None:
        """End it for good."""
        with self._changing:
            self._closed = True
            process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGKILL if by_kill else signal.SIGTERM)
        try:
            process.wait(_STOP_BOUND_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.kills += by_kill


class Supervisor(threading.Thread):
    """Looks after stages until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.stages: list[Stage] = []
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(_LOOK_S):
            for stage in list(self.stages):
                stage.look()

    def add(self, stage: Stage) -> Stage:
        stage.start()
        self.stages.append(stage)
        return stage

    def close(self) -> None:
        self._stopped.set()
        if self.is_alive():
            self.join()
        for stage in self.stages:
            stage.send(signal.SIGCONT)
            stage.send(signal.SIGTERM)
        for stage in self.stages:
            stage.close()

    @property
    def kills(self) -> int:
        return sum(stage.kills for stage in self.stages)
