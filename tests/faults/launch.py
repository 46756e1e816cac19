"""The program `signaalwissel` with faults planted in it: `python -m tests.faults.launch FAULT[,FAULT...] COMMAND ...`.

Never part of the product: a fault replaces a function of it in this process, before its own main runs. Faults are
`blocked-handler`, `short-session`, `point:POINT:N` (crashes), `defect:NAME` (defects), `clock:SECONDS` and `relay:held`.
"""

import asyncio
import faulthandler
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from signaalwissel.console.main import main
from signaalwissel.streams import agent_settings
from signaalwissel.streams.chunk import Outputs, Record
from signaalwissel.streams.matcher import MatcherHandler
from signaalwissel.streams.settings import EngineSettings


def block_handler() -> None:
    """The matcher's handler never comes back; the loop of the whole process stands still with it."""

    def blocked(
        _self: MatcherHandler, _partition: int, _records: Sequence[Record], _outputs: Outputs
    ) -> None:
        threading.Event().wait()

    MatcherHandler.handle = blocked  # type: ignore[method-assign]


def short_session() -> None:
    """The group gives up a dead worker after 3 s instead of 10, and tables are swept every 2 s: no fault, less waiting."""
    given = EngineSettings.__init__.__kwdefaults__
    assert given is not None
    given.update(session_timeout_s=3.0, heartbeat_s=0.5, rebalance_timeout_s=10.0)
    agent_settings._SWEEP_INTERVAL_S = 2.0


def shift_clock(seconds: str) -> None:
    """The wall clock of this process is wrong; `3600~-3600` goes from one to the other after ten seconds."""
    first, _, then = seconds.partition("~")
    real, real_ns, began = time.time, time.time_ns, time.monotonic()

    def wrong() -> float:
        return float(then if then and time.monotonic() - began > 10 else first)

    time.time = lambda: real() + wrong()
    time.time_ns = lambda: real_ns() + int(wrong()) * 1_000_000_000


def hold_relay() -> None:
    """The outbox is not relayed at all."""
    from signaalwissel.sinks import relay  # noqa: PLC0415 a worker does without the sink

    relay.relay_window = lambda *_: 0  # type: ignore[assignment]


def crash(at: str) -> None:
    """Die at a named point."""
    from tests.faults import crashes  # noqa: PLC0415 imports engine and sink

    point, nth = at.split(":")
    crashes.plant(point, int(nth))


def defect(name: str) -> None:
    """Be wrong in one of the ways that the checker must see."""
    from tests.faults.defects import DEFECTS  # noqa: PLC0415 imports engine and sink

    DEFECTS[name].plant()


FAULTS: dict[str, Callable[[], None]] = {"blocked-handler": block_handler, "short-session": short_session}
FAULTS_WITH: dict[str, Callable[[str], None]] = {
    "clock": shift_clock,
    "point": crash,
    "defect": defect,
    "relay": lambda _held: hold_relay(),
}


def plant(faults: str) -> None:
    """Plant every fault of a list."""
    for fault in faults.split(","):
        kind, _, argument = fault.partition(":")
        FAULTS_WITH[kind](argument) if argument else FAULTS[kind]()


def tell_tasks(*_: object) -> None:
    """What every task of every loop waits for, on standard error; and the threads."""
    faulthandler.dump_traceback(all_threads=True)
    for task in list(asyncio.tasks._all_tasks):  # those of all loops, which no public function gives
        print(f"-- {task.get_name()} {task.get_coro()!r}", file=sys.stderr)
        waiting: Any = task.get_coro()
        while (frame := getattr(waiting, "cr_frame", None) or getattr(waiting, "ag_frame", None)) is not None:
            print(f"   {frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_name}", file=sys.stderr)
            waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "ag_await", None)
        print(f"   on {waiting!r}"[:300], file=sys.stderr)
    sys.stderr.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, tell_tasks)
    plant(sys.argv.pop(1))
    main()
