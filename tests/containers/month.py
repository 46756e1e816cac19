"""`python -m tests.containers.month`, in a container beside the others: a month in, every result checked by the oracle.

What `signaalwissel demo` does with servers of its own, against an installation that runs. Prints the report; ends with 1
when a signal was lost, routed twice or routed wrong.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from signaalwissel.console import demo, environment, runtime
from signaalwissel.console.lag import total_lag
from signaalwissel.console.routed import RoutedTopics
from signaalwissel.console.settings import Settings
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.outcomes import count_deliveries, count_tasks, stored_outcomes

from tests.oracle import answers

_PATIENCE_S = 900.0
_LOOK_S = 2.0
_QUIET_LOOKS = 3


def main(residents: str, signals: str) -> int:
    """Publish and check a month."""
    settings = environment.settings()
    engine = open_engine(runtime.database_url(settings), name="month")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, RoutedTopics(settings) as topics:
        month = Path(folder) / "month.jsonl"
        _run("generate", "--residents", residents, "--signals", signals, "--seed", "1", "--out", str(month))
        lines = demo._lines(month)
        expected = demo._expected(answers, lines)
        _run("publish", str(month), "--json")
        _settled(settings, lambda: count_deliveries(engine) >= len(expected))
        topics.read_on()
        report = demo._report(lines, expected, topics.routed(), list(stored_outcomes(engine)))
    seconds = round(time.monotonic() - began, 1)
    told = report._replace(tasks=count_tasks(engine), seconds=seconds)._asdict()
    print(json.dumps(told | {"deliveries": len(expected)}))
    return 1 if report.lost or report.duplicated or report.wrong else 0


def _run(*command: str) -> None:
    # A month holds records that fit no schema, which nobody can send: publishing tells of them and ends with 1.
    ended = subprocess.run(
        [sys.executable, "-m", "signaalwissel.console", *command], stdout=sys.stderr, check=False
    )
    assert ended.returncode in (0, 1), f"{command[0]} ended with {ended.returncode}"


def _settled(settings: Settings, stored: Callable[[], bool]) -> None:
    """Wait until everything is read and stored, or for as long as patience lasts; the report tells what is missing."""
    quiet, deadline = 0, time.monotonic() + _PATIENCE_S
    while quiet < _QUIET_LOOKS and time.monotonic() < deadline:
        quiet = quiet + 1 if stored() and total_lag(settings) == 0 else 0
        time.sleep(_LOOK_S)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
