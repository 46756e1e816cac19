"""A server that this process owns. Flows in: commands and a text that means ready. Flows out: an address.

`start`, `stop`, `kill` and `restart` keep ports and data; `close` ends it for good and removes the data,
unless they lie in a folder that the caller gave.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Final, Self

from signaalwissel.deploy import supervisor
from signaalwissel.deploy.errors import PlatformError, PortTaken, ServerFailed
from signaalwissel.deploy.ports import free_ports

LOG: Final = "server.log"
PID: Final = "server.pid"
LOG_LINES_SHOWN: Final = 20
PORT_ATTEMPTS: Final = 3
POLL_S: Final = 0.03
BIND_REFUSED: Final = "Address already in use"
# Settings of this product and of the servers' own clients are no business of the servers.
NOT_INHERITED: Final = (
    "SIGNAALWISSEL_",
    "PG",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
    "CLASSPATH",
)


@dataclass(frozen=True, slots=True)
class Timing:
    """Bounds on waiting, in seconds."""

    start_bound_s: float = 90.0
    stop_bound_s: float = 20.0


class OwnedServer(ABC):
    """One server on 127.0.0.1; a subclass says which. Its methods may be called from several threads."""

    name: ClassVar[str]
    variable: ClassVar[str]
    """The setting that names a server which runs already."""
    ports_needed: ClassVar[int] = 1
    ready_text: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    kill_signal: ClassVar[signal.Signals] = signal.SIGKILL

    def __init__(self, folder: Path | None = None, timing: Timing | None = None) -> None:
        self._given_folder = folder
        self._folder: Path | None = None
        self._timing = timing or Timing()
        self._ports: list[int] = []
        self._was_ready = False
        self._closed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._changing = threading.Lock()
        self._choosing_folder = threading.Lock()

    @property
    @abstractmethod
    def address(self) -> str:
        """What clients connect to."""

    @abstractmethod
    def commands(self, folder: Path) -> list[list[str]]:
        """Write what the server needs into its `folder`; return the commands, the server's own last."""

    def account(self) -> tuple[int, int] | None:
        """Return the user and group to run as, or None for those of this process."""
        return None

    def after_start(self) -> None:  # noqa: B027 - most servers need nothing more
        """Do what can only be done on a server that runs."""

    @property
    def pid(self) -> int:
        """The process id of the server itself, of its last start."""
        return int((self._own_folder() / PID).read_text(encoding="ascii"))

    def start(self) -> None:
        """Start and wait until ready. Raises ServerFailed with the end of the log, or PlatformError."""
        for attempt in range(1, PORT_ATTEMPTS + 1):
            if not self._was_ready:
                self._ports = free_ports(self.ports_needed)
            try:
                self._launch()
                self.after_start()
            except PortTaken:
                if self._was_ready or attempt == PORT_ATTEMPTS:
                    raise
            else:
                self._was_ready = True
                return

    def stop(self) -> None:
        """Let the server end in good order, or by force after a bound; keep ports and data."""
        self._end(supervisor.STOP)

    def kill(self) -> None:
        """End the server as a crash would; keep ports and data."""
        self._end(supervisor.KILL)

    def restart(self) -> None:
        """Stop and start on the same ports and data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop for good and remove the data; a start that runs in another thread fails."""
        self._closed = True
        self.stop()
        if self._folder is not None and self._given_folder is None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self.close)
            self.start()
            undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _launch(self) -> None:
        folder = self._own_folder()
        with self._changing:
            if self._closed:
                raise PlatformError(f"{self.name} was closed.")
            if self._process is not None:
                raise PlatformError(f"{self.name} runs already.")
            with (folder / LOG).open("ab") as log:
                seen = log.tell()
                self._process = process = subprocess.Popen(
                    [sys.executable, "-I", "-S", supervisor.__file__, json.dumps(self._plan(folder))],
                    bufsize=0,
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    cwd=folder,
                    env={
                        key: value for key, value in os.environ.items() if not key.startswith(NOT_INHERITED)
                    },
                    start_new_session=True,  # Ctrl-C reaches the owner, which then stops its servers in order
                )
        self._await_ready(process, seen)

    def _plan(self, folder: Path) -> supervisor.Plan:
        account = self.account()
        return {
            "commands": self.commands(folder),
            "account": None if account is None else list(account),
            "stop_signal": int(self.stop_signal),
            "kill_signal": int(self.kill_signal),
            "stop_bound_s": self._timing.stop_bound_s,
            "pid_file": str(folder / PID),
            "remove": str(folder) if self._given_folder is None else None,
        }

    def _own_folder(self) -> Path:
        # Of two threads that ask first, none may write where the other does not read.
        with self._choosing_folder:
            if self._folder is None:
                if self._given_folder is None:
                    self._folder = Path(tempfile.mkdtemp(prefix=f"signaalwissel-{self.name.lower()}-"))
                else:
                    self._given_folder.mkdir(parents=True, exist_ok=True)
                    self._folder = self._given_folder.absolute()
            return self._folder

    def _await_ready(self, process: subprocess.Popen[bytes], seen: int) -> None:
        deadline = time.monotonic() + self._timing.start_bound_s
        while True:
            status = process.poll()
            log = self._log(seen)
            if self._closed:
                raise PlatformError(f"{self.name} was closed while it was starting.")
            if self.ready_text in log:
                return
            if status is not None:
                self._end(supervisor.STOP)
                if BIND_REFUSED in log:
                    raise PortTaken(self._failure("found its port taken", log))
                raise ServerFailed(self._failure(f"ended with status {status}", log))
            if time.monotonic() > deadline:
                self._end(supervisor.KILL)
                bound = self._timing.start_bound_s
                raise ServerFailed(self._failure(f"was not ready within {bound:.0f} s", log))
            time.sleep(POLL_S)

    def _log(self, seen: int) -> str:
        try:
            with (self._own_folder() / LOG).open("rb") as log:
                log.seek(seen)
                return log.read().decode("utf-8", errors="replace")
        except FileNotFoundError:  # another thread closes the server
            return ""

    def _failure(self, what: str, log: str) -> str:
        shown = "\n  ".join(log.splitlines()[-LOG_LINES_SHOWN:]) or "(empty)"
        return (
            f"{self.name} {what} while it was starting. Its log ends with:\n  {shown}\n"
            f"Check that about 500 MB of memory and disk are free and start again, "
            f"or set {self.variable} to a {self.name} that runs."
        )

    def _end(self, order: bytes) -> None:
        with self._changing:
            process, self._process = self._process, None
            if process is None or process.stdin is None:
                return
            with suppress(BrokenPipeError):  # it has ended by itself
                process.stdin.write(order)
            try:
                process.wait(self._timing.stop_bound_s + 10)
            except subprocess.TimeoutExpired:
                process.kill()  # the server dies with its supervisor
                process.wait()
            process.stdin.close()
