"""A whole run: servers, an installation whose stages run by way of the proxies, rows one after the other.

In: settings and rows. Out: gates as they end, and the trials of defects.
"""

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

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
            product = Product(installation, (kafka.proxied, started.through_proxy(database)))
            yield Run(started, product, Books(product.settings), settings, random.Random(settings.seed))


def walk_all(
    rows: list[Row], settings: Settings, tell: Callable[[Gate, Run], None], *, trials: bool
) -> tuple[list[Gate], list[Trial]]:
    """Rows one after the other, everything once more, then the defects."""
    gates: list[Gate] = []
    loads = Loads(settings, rows)
    with running(settings, small_disks=True) as run:
        with run.product.running():
            for row in rows:
                gates.append(walk(row, loads.of(row), run))
                tell(gates[-1], run)
            if rows:
                gates.append(last_look(run, [loads.of(row) for row in rows]))
                tell(gates[-1], run)
        tried = try_all(run, load_of_trials(settings)) if trials else []
    loads.close()
    return gates, tried
