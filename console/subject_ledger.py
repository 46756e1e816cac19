"""`subject ledger`: the erasure ledger out of the database, and into one that was restored from an older backup."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from signaalwissel.console import environment, erasure_ledger, key_service, runtime
from signaalwissel.console.connections import database
from signaalwissel.console.failures import Exit, ServiceAway
from signaalwissel.console.kafka_login import check_login
from signaalwissel.console.lines import dump
from signaalwissel.console.registry_ids import adopt
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.processors.subject_ledger import unknown_to
from signaalwissel.sinks import subject_ledger_store
from signaalwissel.sinks.subject_restore import erase_again, in_force, lacking

ledger = typer.Typer(help="The ledger of erasures: opaque ids, for after a restore.", no_args_is_help=True)


@ledger.command("export")
def export(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Only what it lacks is added; without: standard output."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the count as one JSON object.")] = False,
) -> None:
    """Write the erasure ledger, one JSON object on a line, to keep it apart from the database's backups.

    Example: signaalwissel subject ledger export /safe/erasures.jsonl
    """
    with database(environment.settings()) as engine:
        entries = subject_ledger_store.all_stored(engine)
    if file is None:
        for entry in entries:
            sys.stdout.write(dump(entry.as_plain()) + "\n")
        return
    added = unknown_to(entries, erasure_ledger.read(file) if file.exists() else [])
    erasure_ledger.append(file, added)
    print(dump({"added": len(added)}) if as_json else f"{len(added)} entries added to {file}")


@ledger.command("apply")
def apply(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A ledger, as `subject ledger export` writes it.")
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what is missing; change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Do again, in a restored database, every erasure that it lacks. Ends with 1 in a dry run that finds any.

    Of a municipality that SIGNAALWISSEL_DEPARTED names and that has no keys only what lies under match keys can be found:
    where something may be left, `out_of_reach` says of how many erasures, and it ends with 1 too. Keys of any other that
    are not there stop it.

    Tasks are numbered on from what `tasks` holds first, so Kafka must answer; a dry run does without.
    A sink does the same at its start with the file that SIGNAALWISSEL_ERASURE_LEDGER names.

    Example: signaalwissel subject ledger apply /safe/erasures.jsonl --dry-run
    """
    settings = environment.settings()
    runtime.log_to("subject")
    entries = erasure_ledger.read(file)
    with database(settings) as engine:
        policies = runtime.policies(settings)
        entries = in_force(engine, entries, policies)
        missing = lacking(engine, entries)
        told: dict[str, Any] = {"erasures": len({entry.erasure_id for entry in missing})}
        if not dry_run and missing:
            try:
                keys = key_service.provider(settings)
                check_login(settings)
                adopt(settings)
                done = erase_again(engine, entries, keys, runtime.sink_settings(settings), policies)
                erasure_ledger.tell_out_of_reach(done)
                told |= done._asdict()
            except KeyUnavailable as error:
                raise ServiceAway(str(error)) from error
    told["dry_run"] = dry_run
    print(dump(told) if as_json else "\n".join(f"{name}: {dump(value)}" for name, value in told.items()))
    left = told.get("out_of_reach") or (dry_run and missing)
    raise typer.Exit(Exit.FINDINGS if left else Exit.DONE)
