"""`audit verify`: whether the audit trail is what was written."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from signaalwissel.console import environment
from signaalwissel.console.connections import database
from signaalwissel.console.failures import Exit, UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.console.progress import counting
from signaalwissel.processors.audit_chain import Head
from signaalwissel.sinks.audit_verify import Verification
from signaalwissel.sinks.audit_verify import verify as verified

audit = typer.Typer(help="The audit trail.", no_args_is_help=True)


@audit.callback()
def _audit() -> None:
    """The audit trail."""


@audit.command()
def verify(
    *,
    noted: Annotated[
        Path | None,
        typer.Option(
            help="What --json printed earlier: each chain must still hold the end that it had then."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object with the ends of all chains.")
    ] = False,
) -> None:
    """Check every decision, task step and event against the chains that they were written in.

    Names each row or block that was altered, is missing, was moved or was put in past the trail, and ends with 1 then.
    Keep what --json prints where the database's administrator cannot write, and give it as --noted next time: who
    writes a whole chain anew is found by that alone. Changes nothing; the sink may run.

    Example: signaalwissel audit verify --noted heads-2026-03-01.json --json > heads-2026-03-08.json
    """
    known = {} if noted is None else _heads(noted)
    with database(environment.settings()) as engine, counting("rows", quiet=as_json) as step:
        found = verified(engine, known, step)
    print(dump(_plain(found)) if as_json else _told(found))
    raise typer.Exit(Exit.FINDINGS if found.findings else Exit.DONE)


def _plain(found: Verification) -> dict[str, Any]:
    return {
        "ok": not found.findings,
        "rows": dict(found.rows),
        "blocks": dict(found.blocks),
        "heads": {chain: {"seq": head.seq, "hash": head.hash.hex()} for chain, head in found.heads.items()},
        "findings": list(found.findings),
    }


def _told(found: Verification) -> str:
    if found.findings:
        return "\n".join(found.findings)
    rows = ", ".join(f"{count} of {source}" for source, count in found.rows.items())
    return f"the audit trail is as it was written: {rows}; {sum(found.blocks.values())} blocks"


def _heads(file: Path) -> Mapping[str, Head]:
    try:
        heads = json.loads(file.read_text("utf-8"))["heads"]
        return {chain: Head(int(head["seq"]), bytes.fromhex(head["hash"])) for chain, head in heads.items()}
    except OSError as error:
        raise UsageFailure(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageFailure(f"{file}: is not what `signaalwissel audit verify --json` prints") from None
