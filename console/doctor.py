"""`doctor`: whether this installation is as it must be, and what to do where it is not."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.table import Table
from signaalwissel.console import environment
from signaalwissel.console.doctor_feedback import check_feedback
from signaalwissel.console.doctor_files import check_files
from signaalwissel.console.doctor_open_klant import check_open_klant
from signaalwissel.console.doctor_registry import check_registry
from signaalwissel.console.doctor_rotation import check_rotations
from signaalwissel.console.doctor_security import check_security
from signaalwissel.console.doctor_services import check_database, check_kafka
from signaalwissel.console.failures import Exit, UsageFailure
from signaalwissel.console.findings import Finding, wrong
from signaalwissel.console.lines import dump
from signaalwissel.console.screen import screen


def doctor(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON list of {check, ok, detail, fix}.")
    ] = False,
) -> None:
    """Look at settings, policies, keys, security, rotations, topics, offsets, database and what hangs on them.

    Changes nothing. Ends with 0 when all is well, with 1 when something is not, and with 3 when Kafka, PostgreSQL or
    Open Klant does not answer.

    Example: signaalwissel doctor
    """
    found = list(findings())
    if as_json:
        print(dump([{name: getattr(f, name) for name in ("check", "ok", "detail", "fix")} for f in found]))
    else:
        _show(found)
    if any(finding.away for finding in found):
        raise typer.Exit(Exit.UNAVAILABLE)
    raise typer.Exit(Exit.DONE if all(finding.ok for finding in found) else Exit.FINDINGS)


def findings() -> Iterator[Finding]:
    """Everything that is looked at, for the command and for the pages."""
    try:
        settings = environment.settings()
        # The names of topics hang on it: with a broken one nothing on the broker can be judged.
        environment.publishers(settings.publishers_file)
    except UsageFailure as failure:
        yield wrong("settings", str(failure), "mend what it names; nothing else can be looked at until then")
        return
    yield from check_files(settings)
    kafka = list(check_kafka(settings))
    yield from kafka
    answers = bool(kafka) and not any(f.away for f in kafka)
    yield from check_security(settings, kafka_answers=answers)
    yield from check_rotations(settings)
    yield from check_database(settings, kafka_answers=answers)
    yield from check_open_klant(settings)
    yield from check_feedback(settings)
    yield from check_registry(settings)


def _show(found: list[Finding]) -> None:
    table = Table()
    table.add_column("Check", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("Found")
    table.add_column("What to do")
    for finding in found:
        state = "ok" if finding.ok else "AWAY" if finding.away else "WRONG"
        table.add_row(finding.check, state, finding.detail, finding.fix or "")
    screen().print(table)
