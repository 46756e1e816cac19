"""The machine that was measured on. In: the running system. Out: facts, to be printed before any figure."""

import os
import platform as python_platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from signaalwissel.deploy.kafka_jars import KAFKA_VERSION

_CPU_INFO = Path("/proc/cpuinfo")
_GIB = 1 << 30


def facts() -> dict[str, Any]:
    """What a figure depends on."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),  # noqa: TID251 the report tells when it was made
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "load_average": load(),
        "memory_gib": round(psutil.virtual_memory().total / _GIB, 1),
        "python": python_platform.python_version(),
        "kafka": f"{KAFKA_VERSION}, one embedded broker",
    }


def sentence(told: Mapping[str, Any]) -> str:
    """The facts as a sentence for a page of the documentation, with the load at the end where it is told."""
    loads = " to ".join(
        f"{told[name][0]:g}" for name in ("load_average", "load_average_at_end") if name in told
    )
    return (
        f"{told['date'][:10]}, {told['cpu']}, {told['cores']} cores for everything (load average {loads}), "
        f"{told['memory_gib']} GiB, Python {told['python']}, Kafka {told['kafka']}."
    )


def load() -> list[float]:
    """Load average of the last 1, 5 and 15 minutes."""
    return [round(value, 2) for value in psutil.getloadavg()]


def _cpu_model() -> str:
    if _CPU_INFO.exists():
        for line in _CPU_INFO.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return python_platform.processor() or python_platform.machine()
