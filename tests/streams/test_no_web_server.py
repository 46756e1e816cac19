"""Faust would open a web server that shows tables to whoever asks; ours opens no port at all."""

from collections.abc import Callable
from typing import Any

import psutil

from tests.streams.engine_support import Bench, Worker


def test_a_worker_listens_on_no_port(bench: Bench, start_worker: Callable[[dict[str, Any]], Worker]) -> None:
    worker = start_worker(bench.plan())
    worker.wait_ready()
    process = psutil.Process(worker.pid)
    everyone = [process, *process.children(recursive=True)]
    connections = [connection for one in everyone for connection in one.net_connections("inet")]
    worker.stop()
    assert [found for found in connections if found.status == psutil.CONN_ESTABLISHED], (
        "it looked at a worker"
    )
    assert [found.laddr for found in connections if found.status == psutil.CONN_LISTEN] == []
