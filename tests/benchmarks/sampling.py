"""Watching one stage from outside. In: its processes, and a look at how far it is. Out: samples."""

import time
from collections.abc import Callable, Mapping, Sequence

import psutil

from tests.benchmarks.report import Place, Sample

PATIENCE_S = 60.0
_PAUSE_S = 0.04
_QUIET_S = 1.5

Look = Callable[[], Mapping[Place, int]]


class Stuck(RuntimeError):
    """A stage ended by itself, or did not end its work in time."""


class Watch:
    """Samples processes until they have done their work.

    Args:
        pids: The stage's processes; their children count too.
        look: Gives the offset behind the last visible output, per partition.
    """

    def __init__(self, pids: Sequence[int], look: Look) -> None:
        self._processes = [psutil.Process(pid) for pid in pids]
        self._look = look
        self._deadline = time.monotonic() + PATIENCE_S
        self.samples: list[Sample] = []

    def until_quiet(self) -> bool:
        """Sample until nothing has changed for a while after something did; False when the time is up."""
        changed_at = None
        while time.monotonic() < self._deadline:
            if self._sample():
                changed_at = time.monotonic()
            elif changed_at is not None and time.monotonic() - changed_at > _QUIET_S:
                return True
            time.sleep(_PAUSE_S)
        return False

    def _sample(self) -> bool:
        sample = Sample(time.monotonic(), self._cpu_s(), self._look())
        earlier = self.samples[-1].next_offsets if self.samples else sample.next_offsets
        self.samples.append(sample)
        return earlier != sample.next_offsets

    def _cpu_s(self) -> float:
        """What the processes and their living children have used, with what the children they outlived had used."""
        try:
            if any(one.status() == psutil.STATUS_ZOMBIE for one in self._processes):
                raise Stuck("the stage ended by itself")
            return sum(map(tree_used_s, self._processes))
        except psutil.NoSuchProcess as gone:
            raise Stuck("the stage ended by itself") from gone


def tree_used_s(process: psutil.Process) -> float:
    """CPU seconds of a process and its children, with those of children that have ended.

    Raises:
        psutil.NoSuchProcess: It is gone.
    """
    return _used_s(process) + sum(map(_used_s_or_gone, process.children(recursive=True)))


def _used_s(process: psutil.Process) -> float:
    return sum(process.cpu_times()[:4])


def _used_s_or_gone(child: psutil.Process) -> float:
    # A process starts helpers that end soon (uname, ldconfig): their time is then in their parent's.
    try:
        return _used_s(child)
    except psutil.NoSuchProcess:
        return 0.0
