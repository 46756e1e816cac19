"""`make bench`: the machine, the micro-benchmarks, each stage alone, the clock. Ends with 1 when an output is wrong.

No figure is asserted: the goals stand beside them.
"""

import dataclasses
import gc
import json
import logging
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from rich.console import Console
from signaalwissel.deploy.databases import fresh_database
from signaalwissel.deploy.platform import platform
from signaalwissel.deploy.progress import progress_on
from signaalwissel.deploy.settings import PlatformSettings
from signaalwissel.security.local_keys import LocalKeys

from tests.benchmarks.clock import ClockStage
from tests.benchmarks.imports import ImportStage
from tests.benchmarks.machine import facts, load
from tests.benchmarks.micro import micro_benchmarks
from tests.benchmarks.month import make_month
from tests.benchmarks.report import Measurement, table_of
from tests.benchmarks.rules import Kit, run_intake
from tests.benchmarks.sampling import Stuck
from tests.benchmarks.stages import Expected, Stages
from tests.system.installation import Installation

_RESIDENTS = 10_000
_SIGNALS = 60_000
"""A stage commits up to 4,000 records at once: a window of fewer would be measured in too few steps."""
_IMPORT_ROWS = 100_000
_PARTITIONS = 8
_BOUND_S = 900


def main() -> int:
    """Run all benchmarks; 0 when every run was correct, else 1."""
    _end_in_time()
    # A broker that just started has no leaders yet, and clients warn of each retry.
    logging.basicConfig(level=logging.ERROR)
    console, began = Console(soft_wrap=True), time.monotonic()
    told = facts()
    for name, value in told.items():
        console.print(f"{name:13} {value}", highlight=False)
    with tempfile.TemporaryDirectory() as folder:
        measurements, wrong = _measure(Path(folder))
    told |= {"load_average_at_end": load(), "seconds": round(time.monotonic() - began)}
    console.print(f"load at end   {told['load_average_at_end']}, after {told['seconds']} s", highlight=False)
    console.print(table_of("Signaalwissel, measured", measurements))
    print(json.dumps({"machine": told}))
    for measurement in measurements:
        print(measurement.line())
    for text in wrong:
        print(f"WRONG: {text}", file=sys.stderr)
    return 1 if wrong else 0


def _measure(folder: Path) -> tuple[list[Measurement], list[str]]:
    month = make_month(_RESIDENTS, _SIGNALS)
    kit = Kit(LocalKeys(folder / "keys", create_municipalities=True))
    internal = run_intake(kit, month)
    # What is made up to here stays: the collector need not look at it in the middle of a measurement.
    gc.collect()
    gc.freeze()
    measurements = micro_benchmarks(kit, month, internal)
    # A broker of its own, whatever the environment offers: others would be measured with it.
    settings = dataclasses.replace(
        PlatformSettings.from_environment(os.environ), given_bootstrap=None, given_database_url=None
    )
    with (
        platform(settings, progress=progress_on(sys.stderr)) as servers,
        fresh_database(servers.database_url, "bench_two_sinks") as second_url,
    ):
        installation = Installation(
            servers.kafka_bootstrap, servers.database_url, "bench-", folder, _PARTITIONS
        )
        # The same topics: two sinks store what one has stored already.
        two_sinks = dataclasses.replace(installation, database_url=second_url)
        stages = Stages(installation, two_sinks, month, Expected(len(internal.signals), internal.refused))
        clock = ClockStage(servers.database_url, servers.kafka_bootstrap, folder)
        imports = ImportStage(servers.kafka_bootstrap, folder, _IMPORT_ROWS)
        for stage in (stages, clock, imports):
            try:
                stage.run()
            except Stuck as stuck:
                stage.wrong.append(str(stuck))
        found = (stages, clock, imports)
        return (
            measurements + [one for stage in found for one in stage.measurements],
            [text for stage in found for text in stage.wrong],
        )


def _end_in_time() -> None:
    """Leave in an orderly way, with everything stopped, on SIGTERM and when the time is up."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGALRM, leave)
    signal.alarm(_BOUND_S)


if __name__ == "__main__":
    sys.exit(main())
