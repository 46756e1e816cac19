"""`validate`: what would be refused, record by record, without deciding anything."""

from pathlib import Path
from typing import Annotated, Any

import typer
from signaalwissel.console import environment
from signaalwissel.console.failures import Exit, UsageFailure
from signaalwissel.console.lines import dump, reading
from signaalwissel.processors.simulation_lines import UnknownTopic, findings_in


def validate(
    file: Annotated[Path, typer.Argument(help="JSON lines with topic and value; - reads standard input.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print findings as JSON lines.")] = False,
    policy: Annotated[
        Path | None, typer.Option(help="Folder with policies; the packaged default otherwise.")
    ] = None,
) -> None:
    """Check every record on its own: schema, form of the fields, what its kind requires.

    What depends on other records (the same signal again, an event without its application) is for `simulate`.
    Ends with 1 when something would be refused.

    Example: signaalwissel validate month.jsonl
    """
    policies = environment.policies(policy, for_every_code=True)
    checked = found = 0
    with reading(file) as lines:
        for line in lines:
            checked += 1
            try:
                refusal = findings_in(line.content, policies)
            except UnknownTopic as error:
                raise UsageFailure(f"{file}:{line.number}: {error}") from error
            if refusal is not None:
                found += 1
                value: dict[str, Any] = {"line": line.number, **refusal.line()["value"]}
                print(dump(value) if as_json else _text(value))
    if not as_json:
        print(f"{checked} records checked, {found} would be refused")
    raise typer.Exit(Exit.FINDINGS if found else Exit.DONE)


def _text(value: dict[str, Any]) -> str:
    record = value["record_id"] or "record without id"
    return f"line {value['line']}: {value['topic']} {record}: {value['field'] or 'record'}: {value['rule']}"
