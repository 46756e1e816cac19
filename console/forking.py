"""Several processes of ours that answer on one address: forked once it is bound, stopped together.

Flows in: how many, and what each does. Flows out: the exit code of the first that ended by itself, or 0 after a stop.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType

import typer
from signaalwissel.console.failures import CommandFailure, Exit

_DEFECT = 70


def run_in(count: int, work: Callable[[int], None]) -> int:
    """Run `work` in so many children until SIGTERM or SIGINT, or until one of them ends; then all end.

    Must be called before any thread is there that `work` needs: a fork takes the calling one along, and no other.

    Args:
        count: Of children.
        work: Given the number of its child, from 0. Returns after an orderly stop; may raise what a command raises.
    """
    watched, held = os.pipe()
    children = {_child(partial(work, number), watched, held) for number in range(count)}
    os.close(watched)
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()
        _tell(children)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    first = Exit.DONE.value
    while children:
        pid, waited = os.wait()
        children.discard(pid)
        status = os.waitstatus_to_exitcode(waited)
        if not stopping.is_set():
            # One that is gone would leave its share of the connections to the others, and nobody would know.
            stopping.set()
            first = status if status >= 0 else _DEFECT
            _tell(children)
    os.close(held)
    return first


def _tell(children: set[int]) -> None:
    for pid in children:
        os.kill(pid, signal.SIGTERM)


def _child(work: Callable[[], None], watched: int, held: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    os.close(held)
    threading.Thread(target=_end_with_parent, args=(watched,), name="lifeline", daemon=True).start()
    status = _DEFECT
    try:
        work()
        status = Exit.DONE.value
    except typer.Exit as ended:
        status = ended.exit_code
    except CommandFailure as failure:
        print(f"signaalwissel: {failure}", file=sys.stderr)
        status = failure.exit_code
    finally:
        if status == _DEFECT:
            sys.excepthook(*sys.exc_info())
        sys.stdout.flush()
        sys.stderr.flush()
        # Whatever the parent meant to do at its end is the parent's.
        os._exit(status)


def _end_with_parent(watched: int) -> None:
    # The parent holds the other end and never writes.
    while os.read(watched, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
