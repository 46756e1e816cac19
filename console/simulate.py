"""`simulate`: what would happen to recorded lines, or what another policy would change, without Kafka or a database."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from signaalwissel.console import compared, environment
from signaalwissel.console.failures import Exit, UsageFailure
from signaalwissel.console.lines import dump, reading
from signaalwissel.console.progress import progress_of
from signaalwissel.console.screen import screen
from signaalwissel.processors.comparison import Comparison, Trial
from signaalwissel.processors.emissions import DEAD_LETTERS, DECISIONS, TASKS
from signaalwissel.processors.simulation import FollowUp, Simulation
from signaalwissel.processors.simulation_lines import UnknownTopic
from signaalwissel.schemas.routing import Route
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys


def simulate(
    file: Annotated[Path, typer.Argument(help="JSON lines with topic and value; - reads standard input.")],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print every output record as a JSON line.")
    ] = False,
    policy: Annotated[
        Path | None, typer.Option(help="Folder with policies; the packaged default otherwise.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(help="Folder with other policies: print only what they would change.")
    ] = None,
    publishers: Annotated[
        Path | None, typer.Option(help="TOML file with what each topic may speak for.")
    ] = None,
    tasks: Annotated[bool, typer.Option("--tasks", help="Print the follow-up tasks too.")] = False,
    clock: Annotated[
        bool,
        typer.Option(
            "--clock", help="Let the time that the lines tell remind, escalate and offer to the regular flow."
        ),
    ] = False,
) -> None:
    """Decide recorded lines with the product's own rules and print what would be published.

    Needs no Kafka and no database; keys are thrown away afterwards. Ends with 0 also when records are refused. With
    --compare it ends with 1 when a signal would change: its route, reason, trajectory, owner, due date, or a
    day on which it is reminded, goes to the team, is offered to the regular flow or expires.

    Example: signaalwissel generate --residents 100 --signals 50 --seed 1 | signaalwissel simulate - --json
    """
    follow_up = FollowUp(shown=tasks, clock=clock)
    simulation = _simulation(policy, publishers, follow_up)
    if compare is None:
        _show(file, simulation, as_json=as_json)
        return
    if tasks:
        raise UsageFailure("--tasks prints output lines and --compare prints what differs; give one of them")
    other = _simulation(compare, publishers, follow_up)
    comparison = _compared(file, Trial(simulation), Trial(other))
    if as_json:
        print(dump(comparison.to_json()))
    else:
        compared.show(comparison, screen())
    raise typer.Exit(Exit.FINDINGS if comparison.differences else Exit.DONE)


def _simulation(folder: Path | None, publishers: Path | None, follow_up: FollowUp) -> Simulation:
    return Simulation(
        environment.policies(folder, for_every_code=True),
        ThrowawayKeys(),
        fresh_nonce,
        environment.publishers(publishers),
        follow_up,
    )


def _show(file: Path, simulation: Simulation, *, as_json: bool) -> None:
    journeys = Journeys()

    def take(line: dict[str, Any]) -> None:
        for output in simulation.feed(line):
            if as_json:
                print(dump(output))
            else:
                journeys.add(output)

    _feed(file, take, quiet=as_json and sys.stdout.isatty())
    if not as_json:
        journeys.show(screen())


def _compared(file: Path, before: Trial, after: Trial) -> Comparison:
    def take(line: dict[str, Any]) -> None:
        before.feed(line)
        after.feed(line)

    _feed(file, take)
    return Comparison(before.answers(), after.answers())


def _feed(file: Path, take: Callable[[dict[str, Any]], None], *, quiet: bool = False) -> None:
    with reading(file) as lines, progress_of(file, quiet=quiet) as advance:
        for line in lines:
            try:
                take(line.content)
            except UnknownTopic as error:
                raise UsageFailure(f"{file}:{line.number}: {error}") from error
            advance()


class Journeys:
    """The last answer for every signal, for people."""

    def __init__(self) -> None:
        self._last: dict[str, dict[str, Any]] = {}
        self._tasks: dict[str, dict[str, Any]] = {}
        self._refused: list[dict[str, Any]] = []

    def add(self, output: dict[str, Any]) -> None:
        """Take an output line."""
        value = output["value"]
        if output["topic"] == DECISIONS:
            self._last[value["routing_id"].rsplit("-", 1)[0]] = value
        elif output["topic"] == TASKS:
            self._tasks[value["task_id"]] = value
        elif output["topic"] == DEAD_LETTERS:
            self._refused.append(value)

    def show(self, console: Console) -> None:
        """Print a table of signals, and one of tasks and of refused records where there are any."""
        table = Table(title=f"Signals: {len(self._last)}")
        for heading in ("Signal", "Route", "Explanation"):
            table.add_column(heading, overflow="fold")
        for value in self._last.values():
            to = f" to {value['trajectory_id']}" if value["route"] == Route.COUNSELLOR_FOLLOWUP.value else ""
            table.add_row(
                f"{value['municipality']}/{value['partner']['partner_id']}/{value['signal_id']}\n{value['received_at'][:10]}",
                f"{value['route']}{to}\n{value['reason']}, revision {value['revision']}",
                value["explanation"],
            )
        console.print(table)
        if self._tasks:
            console.print(self._of_tasks())
        if self._refused:
            console.print(self._of_refused())

    def _of_tasks(self) -> Table:
        table = Table(title=f"Tasks: {len(self._tasks)}")
        for heading in ("Task", "What", "Owner", "Due", "Last step"):
            table.add_column(heading, overflow="fold")
        for value in self._tasks.values():
            table.add_row(
                value["task_id"],
                f"{value['kind']}\n{value['status']}",
                f"{value['assignee'] or 'nobody in person'}\n{value['team']}",
                value["due_on"],
                value["history"][-1]["what"],
            )
        return table

    def _of_refused(self) -> Table:
        table = Table(title=f"Refused: {len(self._refused)}")
        for heading in ("Topic", "Record", "Code", "Field", "Rule"):
            table.add_column(heading)
        for value in self._refused:
            told = (value[key] for key in ("topic", "record_id", "code", "field", "rule"))
            table.add_row(*(str(text or "") for text in told))
        return table
