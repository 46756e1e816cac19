"""`export`: the outcome per signal in a signal system's own terms, so that it can close its side."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from signaalwissel.console import environment, runtime
from signaalwissel.console.connections import database
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.console.progress import counted
from signaalwissel.processors.answers import answer_of
from signaalwissel.schemas.followup import Feedback
from signaalwissel.sinks.answers import Answered, Wanted, answered
from signaalwissel.sources.profile_loading import ProfileError, load_profile
from signaalwissel.sources.profile_model import Answer

# What a spreadsheet would take for a formula; partners choose their ids.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


_System = Annotated[str, typer.Argument(help="A profile with an answer: vps, ris, or your own .toml file.")]
_File = Annotated[Path, typer.Argument(help="Where to write; a file that is there is replaced.")]
_Municipality = Annotated[str | None, typer.Option(help="Four digits; every municipality otherwise.")]
_Partner = Annotated[
    list[str] | None, typer.Option(help="Only this partner's signals; may be given more than once.")
]
_From = Annotated[str | None, typer.Option("--from", help="First day of receipt, like 2026-02-01.")]
_To = Annotated[str | None, typer.Option("--to", help="Last day of receipt.")]
_All = Annotated[bool, typer.Option("--all", help="Also signals without an outcome, as not yet taken up.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Count; write nothing.")]
_Json = Annotated[bool, typer.Option("--json", help="Print the counts as one JSON object.")]


def export(
    system: _System,
    file: _File,
    *,
    municipality: _Municipality = None,
    partner: _Partner = None,
    first: _From = None,
    last: _To = None,
    everything: _All = False,
    dry_run: _DryRun = False,
    as_json: _Json = False,
) -> None:
    """Write what became of each signal, as far as the policy lets it be told.

    Without `tell_known_to_debt_help` in the policy the file says taken up or not taken up, after the contact, and never
    that a resident is known to debt help.

    Example: signaalwissel export vps --municipality 0344 --from 2026-02-01 antwoord.csv
    """
    answer = _answer(system)
    settings = environment.settings()
    policies = runtime.policies(settings)
    wanted = Wanted(municipality, tuple(partner or ()), _day("--from", first), _day("--to", last))
    counts = dict.fromkeys((*(one.value for one in Feedback), "PENDING"), 0)
    with database(settings) as engine, _writer(file, answer, dry_run=dry_run) as write:
        for one in counted(answered(engine, wanted), "signals", quiet=as_json):
            outcome = answer_of(one.route, one.told, policies.get(one.municipality) or policies.default)
            if outcome is not None or everything:
                counts["PENDING" if outcome is None else outcome.value] += 1
                write([_value(column.value, one, outcome, answer) for column in answer.columns])
    told = {"file": str(file), "dry_run": dry_run, "signals": sum(counts.values()), "outcomes": counts}
    print(dump(told) if as_json else _sentence(told))


def _answer(system: str) -> Answer:
    try:
        answer = load_profile(system).profile.answer
    except ProfileError as error:
        raise UsageFailure(str(error)) from error
    if answer is None:
        raise UsageFailure(f"{system}: the profile has no [answer]: its system takes none")
    return answer


@contextmanager
def _writer(file: Path, answer: Answer, *, dry_run: bool) -> Iterator[Any]:
    """Writes rows into a file that appears when it is whole."""
    if dry_run:
        yield lambda _row: None
        return
    unfinished = file.with_name(f".{file.name}.part")
    try:
        with unfinished.open("w", encoding=answer.encoding, newline="") as opened:
            writer = csv.writer(opened, delimiter=answer.delimiter, lineterminator="\r\n")
            writer.writerow([column.name for column in answer.columns])
            yield lambda row: writer.writerow([_for_spreadsheets(text) for text in row])
        unfinished.replace(file)
    except (OSError, UnicodeEncodeError) as error:
        raise UsageFailure(f"{file}: cannot be written: {type(error).__name__}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _value(name: str, one: Answered, outcome: Feedback | None, answer: Answer) -> str:
    if name == "outcome":
        return answer.pending if outcome is None else answer.terms[outcome]
    if name == "told_on":
        day = one.told_on if one.told_on is not None else one.received_on
        return "" if outcome is None else day.strftime("%d-%m-%Y")
    if name == "received_on":
        return one.received_on.strftime("%d-%m-%Y")
    return str(getattr(one, name))


def _for_spreadsheets(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _day(option: str, text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise UsageFailure(f"{option} must be a day like 2026-02-01") from error


def _sentence(told: dict[str, Any]) -> str:
    said = ", ".join(f"{count} {name}" for name, count in told["outcomes"].items() if count) or "nothing yet"
    return f"{told['file']}: {told['signals']} signals: {said}"
