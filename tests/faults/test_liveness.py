"""A worker whose handler never comes back ends itself, and the next one does its work."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from signaalwissel.console.failures import Exit

from tests.system.installation import Installation
from tests.system.lines import signal

pytestmark = pytest.mark.timeout(240)


def test_a_worker_whose_handler_blocks_ends_itself_with_nothing_lost_or_doubled(
    install: Callable[..., Installation],
) -> None:
    product = install(
        partitions=1,
        extra={"SIGNAALWISSEL_PROGRESS_TIMEOUT_S": "20", "SIGNAALWISSEL_BROKER_TIMEOUT_S": "20"},
    )
    product.start("worker", "--only", "intake")
    with (product.folder / "blocked.log").open("wb") as log:
        blocked = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.launch", "blocked-handler", "worker", "--only", "matcher"],
            env={**product.environment, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=log,
            stderr=log,
        )
    product.processes.append(blocked)
    product.publish([signal("S-1", "2026-03-02")])
    assert blocked.wait(180) == Exit.STUCK, product.logs()
    told = (product.folder / "blocked.log").read_text()
    assert "matcher is stuck: a chunk of 1 records is under way" in told
    assert "in blocked" in told
    assert product.decisions() == []

    product.start("worker", "--only", "matcher")
    product.settle()
    assert [decision.signal_id for decision in product.decisions()] == ["S-1"]
