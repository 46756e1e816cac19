"""CPU and memory of the processes under measurement, from outside. In: their ids. Out: CPU seconds, peak memory."""

import time
from collections.abc import Iterable

import psutil

from tests.benchmarks.sampling import Stuck

_LOOK_FOR_CHILDREN_S = 1.0
_MIB = 1 << 20


class Tree:
    """Processes and all that they start.

    Args:
        roots: The processes that were started.

    Attributes:
        peak_mib: Highest sum of resident memory so far.
    """

    def __init__(self, roots: Iterable[int]) -> None:
        self._roots = [psutil.Process(pid) for pid in roots]
        self._all = list(self._roots)
        self._spent: dict[int, float] = {}
        self._looked_at = 0.0
        self.peak_mib = 0.0

    def cpu_s(self) -> float:
        """User and system seconds until now, those of ended children included.

        Raises:
            Stuck: One of the processes that were started has ended.
        """
        # Looking for children walks through every process of the machine: not at every sample.
        if time.monotonic() - self._looked_at > _LOOK_FOR_CHILDREN_S:
            self._look()
        memory = 0
        for process in self._all:
            try:
                times = process.cpu_times()
                memory += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
            self._spent[process.pid] = times.user + times.system
        self.peak_mib = max(self.peak_mib, memory / _MIB)
        return sum(self._spent.values())

    def _look(self) -> None:
        self._looked_at = time.monotonic()
        try:
            if any(root.status() == psutil.STATUS_ZOMBIE for root in self._roots):
                raise Stuck("the peer ended by itself")
            self._all = [one for root in self._roots for one in (root, *root.children(recursive=True))]
        except psutil.NoSuchProcess as gone:
            raise Stuck("the peer ended by itself") from gone
