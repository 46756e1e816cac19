"""`worker`: intake and matcher, each in a process of its own, supervised; and `sink`."""

import os
import signal
import subprocess
import sys
import threading
import time
from typing import Annotated, Literal

import typer
from signaalwissel.console import environment, runtime
from signaalwissel.console.failures import CommandFailure, Exit, ServiceAway
from signaalwissel.console.settings import Settings
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.sinks.process import run_sink
from signaalwissel.sinks.settings import ServiceAway as SinkServiceAway
from signaalwissel.sinks.settings import SinkError
from signaalwissel.streams.agents import build_intake, build_matcher
from signaalwissel.streams.runner import run_app

_STAGES = ("intake", "matcher")
_LOOK_S = 0.2
_RESTARTS_MAX = 5
_RESTART_WINDOW_S = 120.0
_STOP_BOUND_S = 40.0


def worker(
    only: Annotated[
        Literal["intake", "matcher"] | None, typer.Option(help="Run one of the two in this process.")
    ] = None,
    *,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Go on where records were deleted before they were read.")
    ] = False,
    lifeline: Annotated[bool, typer.Option("--lifeline", hidden=True)] = False,
) -> None:
    """Run intake and matcher until SIGTERM: read signals and lifecycle events, route each signal exactly once.

    Each runs in a process of its own. One that is killed is started again; one that ends with an error ends the
    worker with that status. Settings come from SIGNAALWISSEL_*; see `signaalwissel config show`.

    Example: SIGNAALWISSEL_KAFKA_BOOTSTRAP=kafka:9092 signaalwissel worker
    """
    settings = _settings(accept_loss=accept_loss)
    if lifeline:
        _end_with_parent()
    if only is None:
        # Wrong settings show here, once, and not in two logs.
        runtime.agent_settings(settings)
        runtime.rules(settings)
        raise typer.Exit(Supervisor(("--accept-loss",) if accept_loss else ()).run())
    runtime.log_to(only)
    build = build_intake if only == "intake" else build_matcher
    app = build(runtime.agent_settings(settings), runtime.rules(settings))
    status = run_app(app)
    raise typer.Exit(Exit.UNAVAILABLE if status else Exit.DONE)


def sink(
    instance: Annotated[int, typer.Option(help="Which of several sink processes this is, from 0.")] = 0,
    instances: Annotated[int, typer.Option(help="How many there are.")] = 1,
    *,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Go on where records were deleted before they were read.")
    ] = False,
    lifeline: Annotated[bool, typer.Option("--lifeline", hidden=True)] = False,
) -> None:
    """Run the sink until SIGTERM: decisions into PostgreSQL, tasks out on `tasks`.

    Example: SIGNAALWISSEL_DATABASE_URL=postgresql+psycopg://app@db/app signaalwissel sink
    """
    settings = _settings(accept_loss=accept_loss)
    if lifeline:
        _end_with_parent()
    runtime.log_to("sink")
    try:
        seal = runtime.SinkSeal(runtime.keys(settings))
        status = run_sink(
            runtime.sink_settings(settings, instance, instances), runtime.policies(settings), seal
        )
    except (SinkServiceAway, KeyUnavailable) as error:
        raise ServiceAway(str(error)) from error
    except SinkError as error:
        raise SinkFailure(str(error)) from error
    raise typer.Exit(status)


def _settings(*, accept_loss: bool) -> Settings:
    settings = environment.settings()
    return settings.model_copy(update={"accept_loss": True}) if accept_loss else settings


class SinkFailure(CommandFailure):
    """The sink cannot go on; the text says what to do."""

    exit_code = Exit.FINDINGS


class Supervisor:
    """Keeps intake and matcher running side by side.

    Args:
        options: Handed to both.
    """

    def __init__(self, options: tuple[str, ...] = ()) -> None:
        self._options = options
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._restarts: list[float] = []
        self._told_to_stop = threading.Event()

    def run(self) -> int:
        """Run until told to stop or one of the two ends; the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._told_to_stop.set())
        try:
            for stage in _STAGES:
                self._running[stage] = child("worker", "--only", stage, *self._options)
            return self._watch()
        finally:
            end_all(list(self._running.values()))

    def _watch(self) -> int:
        while not self._told_to_stop.wait(_LOOK_S):
            for stage, process in self._running.items():
                status = process.poll()
                if status is None:
                    continue
                if status >= 0 or not self._may_restart():
                    print(f"signaalwissel worker: {stage} ended with status {status}", file=sys.stderr)
                    return abs(status) or Exit.UNAVAILABLE
                # Killed, not failed: what it had not committed is read again.
                print(
                    f"signaalwissel worker: {stage} was killed by signal {-status}; starting it again",
                    file=sys.stderr,
                )
                self._running[stage] = child("worker", "--only", stage, *self._options)
        return Exit.DONE

    def _may_restart(self) -> bool:
        now = time.monotonic()
        self._restarts = [at for at in self._restarts if now - at < _RESTART_WINDOW_S] + [now]
        return len(self._restarts) <= _RESTARTS_MAX


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


def _end_with_parent() -> None:
    """Stop when the parent is gone: it holds the other end of our standard input and never writes."""

    def wait() -> None:
        # Not sys.stdin: its lock, held by a daemon thread, would abort the interpreter at its end.
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
