"""A whole run: servers, an installation whose stages run by way of the proxies, rows one after the other.

In: settings and rows. Out: gates as they end, and the trials of defects.
"""

import random
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from tests.faults.books import Books
from tests.faults.product import Product
from tests.faults.run import Gate, Loads, Row, Run, Settings, last_look, walk
from tests.faults.servers import servers
from tests.faults.trials import Trial, load_of_trials, try_all
from tests.system.installation import Installation

PARTITIONS = 2
BROKER_TIMEOUT_S = 8


@contextmanager
def running(settings: Settings, *, small_disks: bool) -> Iterator[Run]:
    """Servers and an installation whose stages are not started yet."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with servers(folder, settings.seed, small_disks=small_disks) as started:
            installed = folder / "product"
            installed.mkdir()
            kafka, database = started.kafka, started.postgres.address
            installation = Installation(
                kafka.address, database, "faults-", installed, PARTITIONS,
                extra={"SIGNAALWISSEL_BROKER_TIMEOUT_S": str(BROKER_TIMEOUT_S)},
            )  # fmt: skip
            product = Product(installation, (kafka.proxied, started.through_proxy(database)), settings.store)
            yield Run(started, product, Books(product.settings), settings, random.Random(settings.seed))


class Told(Protocol):
    """Is told what ends, as it ends."""

    def gate(self, gate: Gate, run: Run) -> None:
        """A row is over."""

    def trial(self, trial: Trial) -> None:
        """A defect was tried."""


def walk_all(rows: list[Row], settings: Settings, told: Told, *, trials: bool) -> None:
    """Rows one after the other, everything once more, then the defects."""
    with closing(Loads(settings, rows)) as loads, running(settings, small_disks=True) as run:
        with run.product.running():
            for row in rows:
                told.gate(walk(row, loads.of(row), run), run)
            if rows:
                told.gate(last_look(run, [loads.of(row) for row in rows]), run)
        if trials:
            for trial in try_all(run, load_of_trials(settings)):
                told.trial(trial)
