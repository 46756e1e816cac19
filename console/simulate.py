"""`simulate`: what would happen to recorded lines, without Kafka or a database."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from signaalwissel.console import environment
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.lines import dump, reading
from signaalwissel.console.screen import screen
from signaalwissel.processors.emissions import DEAD_LETTERS, DECISIONS
from signaalwissel.processors.simulation import Simulation, UnknownTopic
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
    publishers: Annotated[
        Path | None, typer.Option(help="TOML file with what each topic may speak for.")
    ] = None,
) -> None:
    """Decide recorded lines with the product's own rules and print what would be published.

    Needs no Kafka and no database; keys are thrown away afterwards. Ends with 0 also when records are refused.

    Example: signaalwissel generate --residents 100 --signals 50 --seed 1 | signaalwissel simulate - --json
    """
    simulation = Simulation(
        environment.policies(policy, for_every_code=True),
        ThrowawayKeys(),
        fresh_nonce,
        environment.publishers(publishers),
    )
    journeys = Journeys()
    with reading(file) as lines:
        for line in lines:
            try:
                for output in simulation.feed(line.content):
                    if as_json:
                        print(dump(output))
                    else:
                        journeys.add(output)
            except UnknownTopic as error:
                raise UsageFailure(f"{file}:{line.number}: {error}") from error
    if not as_json:
        journeys.show(screen())


class Journeys:
    """The last answer for every signal, for people."""

    def __init__(self) -> None:
        self._last: dict[str, dict[str, Any]] = {}
        self._refused: list[dict[str, Any]] = []

    def add(self, output: dict[str, Any]) -> None:
        """Take an output line."""
        value = output["value"]
        if output["topic"] == DECISIONS:
            self._last[value["routing_id"].rsplit("-", 1)[0]] = value
        elif output["topic"] == DEAD_LETTERS:
            self._refused.append(value)

    def show(self, console: Console) -> None:
        """Print a table of signals, and one of refused records where there are any."""
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
        if self._refused:
            refused = Table(title=f"Refused: {len(self._refused)}")
            for heading in ("Topic", "Record", "Code", "Field", "Rule"):
                refused.add_column(heading)
            for value in self._refused:
                refused.add_row(
                    *(str(value[key] or "") for key in ("topic", "record_id", "code", "field", "rule"))
                )
            console.print(refused)
