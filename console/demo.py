"""`demo`: a generated month through real Kafka into PostgreSQL, every result checked by the independent oracle."""

import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.table import Table
from rich.tree import Tree
from signaalwissel.console import environment, runtime, up
from signaalwissel.console.failures import Exit, ServiceAway, UsageFailure
from signaalwissel.console.lag import total_lag
from signaalwissel.console.lines import dump
from signaalwissel.console.processes import end_all
from signaalwissel.console.routed import Routed, RoutedTopics
from signaalwissel.deploy.progress import PlatformProgress, Silent, progress_on
from signaalwissel.processors.emissions import SIGNALS
from signaalwissel.processors.simulation_lines import kind_of
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.journey import DeliveryJourney, signal_journey
from signaalwissel.sinks.outcomes import StoredOutcome, count_deliveries, count_tasks, stored_outcomes

_LOOK_S = 0.5
_SHOWN_JOURNEYS = 4


class DeliveryId(NamedTuple):
    """An accepted delivery of a signal; `received_at` in milliseconds."""

    municipality: str
    partner_id: str
    signal_id: str
    received_at: int


class Expected(NamedTuple):
    """What the oracle says of a delivery: its final route, and the trajectory where that is the counsellor's."""

    route: str
    trajectory_id: str | None


class Report(NamedTuple):
    """What `demo --json` prints."""

    signals: int
    trajectory_events: int
    counsellor_followup: int
    regular_flow: int
    corrections: int
    dead_letters: int
    tasks: int
    lost: int
    duplicated: int
    wrong: int
    seconds: float
    signals_per_s: float


def demo(
    residents: Annotated[int, typer.Option(help="How many residents.")] = 20_000,
    signals: Annotated[int, typer.Option(help="How many signals.")] = 50_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same month.")] = 1,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    timeout_s: Annotated[float, typer.Option(help="Give up after this many seconds.")] = 300.0,
) -> None:
    """Start everything, publish a month from a separate process, and check every result against the oracle.

    Ends with 0 only when no signal is lost, none is routed twice and none is routed wrong.

    Example: signaalwissel demo --residents 2000 --signals 5000
    """
    progress: PlatformProgress = Silent() if as_json else progress_on(sys.stderr)
    oracle = _oracle()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ends:
        month = Path(folder) / "month.jsonl"
        # The month is made while the servers start. It lies in the past: by today's date every deadline is over.
        generating = _command("generate", *_options(residents, signals, seed), "--out", str(month))
        ends.callback(end_all, [generating])
        running = ends.enter_context(up.installation(progress, SIGNAALWISSEL_CLOCK="off"))
        with progress.step("Generating a month", None):
            _wait_for_month(generating)
        published_at = time.monotonic()
        publisher = _command("publish", str(month), "--json", env=running.process_environment)
        ends.callback(end_all, [publisher])
        with progress.step("Asking the oracle", None):
            lines = _lines(month)
            expected = _expected(oracle, lines)
        topics = ends.enter_context(RoutedTopics(running.settings))
        _wait(running, publisher, len(expected), (progress, timeout_s), topics)
        routed_s = time.monotonic() - published_at
        # What they wrote is checked where it stands, so they may stop meanwhile.
        running.begin_to_stop()
        with progress.step("Checking every result", None):
            engine = open_engine(runtime.database_url(running.settings), name="signaalwissel-demo")
            topics.read_on()
            stored = list(stored_outcomes(engine))
            report = _report(lines, expected, topics.routed(), stored)._replace(
                tasks=count_tasks(engine),
                seconds=round(time.monotonic() - began, 1),
                signals_per_s=round(len(expected) / routed_s, 1),
            )
        if as_json:
            print(dump(report._asdict()))
        else:
            _show(report, engine, stored)
    failed = report.lost or report.duplicated or report.wrong
    raise typer.Exit(Exit.FINDINGS if failed else Exit.DONE)


def _oracle() -> Any:
    """The independent oracle; it is no part of the product, so the demo needs the checkout."""
    checkout = Path(environment.__file__).resolve().parent.parent
    if not (checkout / "tests" / "oracle").is_dir():
        raise UsageFailure(
            "the demo checks its results with tests/oracle: run it from a checkout (`make demo`)"
        )
    sys.path.insert(0, str(checkout))
    return importlib.import_module("tests.oracle.answers")


def _options(residents: int, signals: int, seed: int) -> list[str]:
    return ["--residents", str(residents), "--signals", str(signals), "--seed", str(seed)]


def _command(*arguments: str, env: dict[str, str] | None = None) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "signaalwissel.console", *arguments]
    # What publishing says of records that fit no schema is part of the month: nobody can send them.
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _wait_for_month(generating: "subprocess.Popen[bytes]") -> None:
    if generating.wait() != Exit.DONE:
        raise UsageFailure(
            "no month can be generated from these numbers; see `signaalwissel generate --help`"
        )


def _lines(month: Path) -> list[Any]:
    with month.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _expected(oracle: Any, lines: list[Any]) -> dict[DeliveryId, Expected]:
    counsellor = "COUNSELLOR_FOLLOWUP"
    return {
        DeliveryId(name.municipality, name.partner_id, name.signal_id, _millis(name.received_at)): Expected(
            outcome.route, outcome.trajectory_id if outcome.route == counsellor else None
        )
        for name, outcome in oracle.final_outcomes(lines).items()
    }


def _wait(
    running: up.Running,
    publisher: "subprocess.Popen[bytes]",
    expected: int,
    how: tuple[PlatformProgress, float],
    topics: RoutedTopics,
) -> None:
    """Wait until every accepted signal is stored and nothing moves any more; meanwhile read what is there already."""
    progress, timeout_s = how
    engine = open_engine(runtime.database_url(running.settings), name="signaalwissel-demo")
    deadline = time.monotonic() + timeout_s
    with progress.step("Routing signals", float(expected)) as advance:
        shown = 0
        settled = Settled(running)
        while True:
            running.check()
            status = publisher.poll()
            if status not in (None, Exit.DONE, Exit.FINDINGS):
                raise ServiceAway(f"publishing ended with status {status}")
            stored = count_deliveries(engine)
            advance(stored - shown, f"{stored} of {expected}")
            shown = stored
            if status is not None and stored >= expected and settled.now():
                return
            if time.monotonic() > deadline:
                return
            topics.read_on()
            time.sleep(_LOOK_S)


class Settled:
    """Whether worker and sink have read everything that is there."""

    def __init__(self, running: up.Running) -> None:
        self._running = running

    def now(self) -> bool:
        """Whether nothing is left to read."""
        return total_lag(self._running.settings) == 0


def _report(
    lines: list[Any],
    expected: Mapping[DeliveryId, Expected],
    routed: Routed,
    stored: list[StoredOutcome],
) -> Report:
    finals = {DeliveryId(o.municipality, o.partner_id, o.signal_id, o.received_at): o for o in stored}
    first = {DeliveryId(*key): count for key, count in routed.first_routings.items()}
    lost = sum(1 for name in expected if name not in first or name not in finals)
    duplicated = sum(count - 1 for count in first.values()) + sum(1 for name in first if name not in expected)
    wrong = sum(
        1 for name, final in finals.items() if name in expected and not _agrees(final, expected[name])
    )
    wrong += sum(
        1 for key, held in routed.held_by.items() if not _held_right(expected.get(DeliveryId(*key)), held)
    )
    kinds = [kind_of(line["topic"]) for line in lines]
    return Report(
        signals=kinds.count(SIGNALS),
        trajectory_events=len(kinds) - kinds.count(SIGNALS),
        counsellor_followup=routed.on_followup,
        regular_flow=routed.on_regular,
        corrections=routed.corrections,
        dead_letters=routed.dead_letters,
        tasks=0,
        lost=lost,
        duplicated=duplicated,
        wrong=wrong,
        seconds=0.0,
        signals_per_s=0.0,
    )


def _agrees(final: StoredOutcome, expected: Expected) -> bool:
    if (final.route, final.trajectory_id) != (expected.route, expected.trajectory_id):
        return False
    # No hit falls out: whoever is the counsellor's has a task.
    return final.on_task or expected.trajectory_id is None


def _held_right(expected: Expected | None, held: tuple[str | None, bool]) -> bool:
    """Whether the audiences' topics alone, folded, leave the signal where it belongs."""
    trajectory_id, on_regular = held
    if expected is None:
        return False
    return trajectory_id == expected.trajectory_id and on_regular is (expected.trajectory_id is None)


def _millis(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def _show(report: Report, engine: Any, stored: list[StoredOutcome]) -> None:
    console = Console()
    summary = Table(title="A month of signals", show_header=False)
    for name, value in report._asdict().items():
        summary.add_row(name.replace("_", " "), f"{value:,}")
    console.print(summary)
    corrected = [o for o in stored if o.revision and o.trajectory_id]
    followed = [o for o in stored if not o.revision and o.trajectory_id]
    half = _SHOWN_JOURNEYS // 2
    for outcome in (*corrected[:half], *followed[:half]):
        for delivery in signal_journey(engine, outcome.municipality, outcome.signal_id).deliveries:
            if delivery.partner_id == outcome.partner_id:
                console.print(_journey(delivery))


def _journey(delivery: DeliveryJourney) -> Tree:
    tree = Tree(
        f"{delivery.municipality}/{delivery.partner_id}/{delivery.signal_id}, received {delivery.received_at:%Y-%m-%d}"
    )
    for row in delivery.decisions:
        tree.add(f"revision {row.revision}: {row.route}, {row.reason}: {row.explanation}")
    for task in delivery.tasks:
        tree.add(f"task {task.kind} {task.status} for {task.assignee or task.team}, due {task.due_on}")
    return tree
