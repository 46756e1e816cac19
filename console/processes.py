"""Processes of ours that one command starts: they end with it, however it ends."""

import os
import signal
import subprocess
import sys
import threading
import time

_STOP_BOUND_S = 40.0


def child(*arguments: str, env: dict[str, str] | None = None) -> "subprocess.Popen[bytes]":
    """Start a command of ours as a child that ends with this process, however that ends."""
    command = [sys.executable, "-m", "signaalwissel.console", *arguments, "--lifeline"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, env=env, start_new_session=True)


def end_all(processes: list["subprocess.Popen[bytes]"]) -> None:
    """Stop processes in an orderly way, and with force where they do not stop."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + _STOP_BOUND_S
    for process in processes:
        try:
            process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()


def end_with_parent() -> None:
    """Stop when the parent is gone: it holds the other end of our standard input and never writes."""

    def wait() -> None:
        # Not sys.stdin: its lock, held by a daemon thread, would abort the interpreter at its end.
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
