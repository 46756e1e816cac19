"""`worker`: intake and matcher, each in a process of its own, supervised."""

import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import Annotated, Literal

import typer
from signaalwissel.console import environment, key_service, runtime
from signaalwissel.console.failures import Exit
from signaalwissel.console.health import Watched, watched
from signaalwissel.console.kafka_login import check_login
from signaalwissel.console.metrics_process import KeyMetrics
from signaalwissel.console.processes import child, end_all, end_with_parent
from signaalwissel.console.registry_ids import adopt
from signaalwissel.console.tracing import traced

_STAGES = ("intake", "matcher")
_LOOK_S = 0.2
_RESTARTS_MAX = 5
_RESTART_WINDOW_S = 120.0


def worker(
    only: Annotated[
        Literal["intake", "matcher"] | None, typer.Option(help="Run one of the two in this process.")
    ] = None,
    *,
    accept_loss: Annotated[
        bool,
        typer.Option(
            "--accept-loss",
            help="Go on where records were deleted before they were read; at the first assignment alone.",
        ),
    ] = False,
    lifeline: Annotated[bool, typer.Option("--lifeline", hidden=True)] = False,
) -> None:
    """Run intake and matcher until SIGTERM: read signals and lifecycle events, route each signal exactly once.

    Each runs in a process of its own. One that is killed, or is stuck and ends itself, is started again; one that ends
    with an error ends the worker with that status. Settings come from SIGNAALWISSEL_*; see `signaalwissel config show`.

    Example: SIGNAALWISSEL_KAFKA_BOOTSTRAP=kafka:9092 signaalwissel worker
    """
    settings = environment.settings(accept_loss=accept_loss)
    if lifeline:
        end_with_parent()
    if only is None:
        # Wrong settings show here, once, and not in two logs.
        runtime.agent_settings(settings)
        runtime.rules(settings)
        check_login(settings)
        adopt(settings)
        raise typer.Exit(Supervisor(("--accept-loss",) if accept_loss else ()).run())
    runtime.log_to(only)
    check_login(settings)
    adopt(settings)
    # The supervisor and every other command do without the engine, which takes longest to import.
    from signaalwissel.console.metrics_worker import WorkerMetrics  # noqa: PLC0415
    from signaalwissel.streams.agents import build_intake, build_matcher  # noqa: PLC0415
    from signaalwissel.streams.runner import run_app  # noqa: PLC0415
    from signaalwissel.streams.standing import standing_of  # noqa: PLC0415

    build = build_intake if only == "intake" else build_matcher
    keys, streams = key_service.answering(settings), runtime.agent_settings(settings)
    group = streams.names.intake_app if only == "intake" else streams.names.matcher_app
    with traced(settings, only, group) as tracer:
        app = build(replace(streams, tracer=tracer), runtime.rules(settings, keys))
        metrics = (WorkerMetrics(only, app), KeyMetrics(only, keys))
        with watched(settings, Watched(only, _STAGES.index(only), lambda: standing_of(app), metrics)):
            status = run_app(app)
    if status:
        # A login that was taken away while it ran shows only as a broker that does not answer.
        check_login(settings)
    raise typer.Exit(Exit.UNAVAILABLE if status else Exit.DONE)


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
                if (status >= 0 and status != Exit.STUCK) or not self._may_restart():
                    print(f"signaalwissel worker: {stage} ended with status {status}", file=sys.stderr)
                    return abs(status) or Exit.UNAVAILABLE
                # Killed or stuck, not failed: what it had not committed is read again.
                why = "was stuck" if status == Exit.STUCK else f"was killed by signal {-status}"
                print(f"signaalwissel worker: {stage} {why}; starting it again", file=sys.stderr)
                self._running[stage] = child("worker", "--only", stage, *self._options)
        return Exit.DONE

    def _may_restart(self) -> bool:
        now = time.monotonic()
        self._restarts = [at for at in self._restarts if now - at < _RESTART_WINDOW_S] + [now]
        return len(self._restarts) <= _RESTARTS_MAX
