"""`generate`: believable months of records, for trying things out."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.console.progress import counted
from signaalwissel.sources.generated_drafts import HISTORY_SHARE
from signaalwissel.sources.generator import THREE_MUNICIPALITIES
from signaalwissel.sources.generator import generate as generated


def generate(
    residents: Annotated[int, typer.Option(help="How many residents, 1 or more.")] = 1000,
    signals: Annotated[int, typer.Option(help="How many signals.")] = 200,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    *,
    month: Annotated[str, typer.Option(help="(First) month of the signals, like 2026-02.")] = "2026-02",
    months: Annotated[int, typer.Option(help="Over how many months the signals are spread.")] = 1,
    history: Annotated[float, typer.Option(help="Share of the residents with a trajectory.")] = HISTORY_SHARE,
    municipality: Annotated[
        list[str] | None, typer.Option(help="A municipality's four digits; may be given several times.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines, as it does without.")] = True,
    out: Annotated[Path | None, typer.Option(help="File to write; standard output otherwise.")] = None,
) -> None:
    """Print lifecycle events and signals of residents who do not exist, in the order in which they arrive.

    BSNs are test numbers. Among the records are late, repeated and corrected ones, and a few that are refused.

    Example: signaalwissel generate --residents 1000 --signals 500 --seed 7 --out month.jsonl
    """
    try:
        lines = generated(
            residents,
            signals,
            seed,
            month=_first_day(month),
            months=months,
            municipalities=tuple(municipality or THREE_MUNICIPALITIES),
            history=history,
        )
    except ValueError as error:
        raise UsageFailure(str(error)) from error
    if out is None:
        for line in lines:
            print(dump(line))
        return
    try:
        with out.open("w", encoding="utf-8") as file:
            file.writelines(f"{dump(line)}\n" for line in counted(lines, "records"))
    except OSError as error:
        raise UsageFailure(f"{out}: cannot be written: {error.strerror}") from error


def _first_day(month: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", month):
        raise UsageFailure(f"--month {month}: must look like 2026-02")
    return date.fromisoformat(f"{month}-01")
