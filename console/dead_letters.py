"""`dead-letters`: what could not be handled: look at it, mend and replay it, or put it aside."""

from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from signaalwissel.console import environment, key_service, runtime
from signaalwissel.console.accounting import Accounting, note
from signaalwissel.console.connections import Writer, database, writer
from signaalwissel.console.dead_letters_shown import as_plain, details_of, table_of
from signaalwissel.console.failures import Exit, UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.console.progress import counted
from signaalwissel.console.replaying import Mended, NotReplayable, Replayer, read_mended, topic_of
from signaalwissel.console.screen import screen
from signaalwissel.console.settings import Settings
from signaalwissel.sinks.access import Database
from signaalwissel.sinks.dead_letters import (
    DeadLetterFilter,
    DeadLetterRow,
    DeadLetterStatus,
    ReplayRefused,
    list_dead_letters,
    mark_dead_letters,
    show_dead_letter,
)
from signaalwissel.sinks.ledger import EventKind

dead_letters = typer.Typer(help="What could not be handled, and what to do with it.", no_args_is_help=True)

_Json = Annotated[bool, typer.Option("--json", help="JSON lines.")]
_Ids = Annotated[list[str], typer.Argument(metavar="ID", help="Ids from `dead-letters list`.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")]


class Wanted(StrEnum):
    """Which statuses to list."""

    OPEN = "open"
    REPLAYED = "replayed"
    PARKED = "parked"
    ALL = "all"


class Result(NamedTuple):
    """What became of one dead letter; `problem` says why nothing did."""

    dead_letter_id: str
    topic: str | None
    result: str
    problem: str | None = None


@dead_letters.command("list")
def list_(
    status: Annotated[Wanted, typer.Option(help="Which to show.")] = Wanted.OPEN,
    topic: Annotated[str | None, typer.Option(help="Only of this topic, as the list names it.")] = None,
    code: Annotated[str | None, typer.Option(help="Only with this code, like UNREADABLE.")] = None,
    municipality: Annotated[str | None, typer.Option(help="Only of this municipality, four digits.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 100,
    *,
    as_json: _Json = False,
) -> None:
    """List dead letters, newest first: where they came from and what is wrong, never what is in them.

    Example: signaalwissel dead-letters list --code UNREADABLE --topic signals
    """
    chosen = None if status is Wanted.ALL else DeadLetterStatus(status.value)
    wanted = DeadLetterFilter(status=chosen, topic=topic, code=code, municipality=municipality, limit=limit)
    with database(environment.settings()) as engine:
        letters = list_dead_letters(engine, wanted)
    if as_json:
        for letter in letters:
            print(dump(as_plain(letter)))
    elif letters:
        screen().print(table_of(letters))
    else:
        print("no dead letters")


@dead_letters.command()
def show(
    dead_letter_id: Annotated[str, typer.Argument(metavar="ID", help="Id from `dead-letters list`.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show one dead letter; its original stays sealed. Ends with 1 when there is none with this id.

    Example: signaalwissel dead-letters show 0b6e7f20c3d94f0c8f6a1e2d3c4b5a69
    """
    with database(environment.settings()) as engine:
        letter = show_dead_letter(engine, dead_letter_id)
    if letter is None:
        typer.echo(f"dead letter {dead_letter_id}: there is none with this id", err=True)
        raise typer.Exit(Exit.FINDINGS)
    if as_json:
        print(dump(as_plain(letter)))
    else:
        screen().print(details_of(letter))


@dead_letters.command()
def replay(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Ids from `dead-letters list`.")
    ] = None,
    code: Annotated[str | None, typer.Option(help="Instead of ids: all open ones with this code.")] = None,
    maximum: Annotated[int, typer.Option("--max", min=1, help="With --code: at most so many.")] = 100,
    mended: Annotated[
        Path | None, typer.Option(help="For one id: send this record instead, a JSON object.")
    ] = None,
    *,
    dry_run: _DryRun = False,
    as_json: _Json = False,
) -> None:
    """Send dead letters to the topic they came from again, with key and headers, and mark them as replayed.

    Each is marked when the broker has acknowledged it; one that was sent and not yet marked when the command ends
    is sent again next time, and recognised as the same. With --mended the original's place is taken by a record
    that you repaired, under its prescribed key. Ends with 1 when one of them cannot be replayed.

    Example: signaalwissel dead-letters replay --code UNKNOWN_MUNICIPALITY --max 500
    """
    ids = ids or []
    _check_choice(ids, code, mended)
    settings = environment.settings()
    with database(settings) as engine:
        if code is not None:
            # The newest of them are listed; they go out in the order in which they came.
            listed = list_dead_letters(engine, DeadLetterFilter(code=code, limit=maximum))
            ids = [letter.dead_letter_id for letter in reversed(listed)]
        instead = None if mended is None else _mended(engine, ids[0], mended, settings)
        with nullcontext() if dry_run else writer(settings) as sender:
            results = Replays(settings, engine, sender, as_json=as_json)
            for dead_letter_id in counted(ids, "dead letters", len(ids), quiet=as_json):
                results.replay(dead_letter_id, instead)
    if not ids and not as_json:
        print(f"no open dead letters with code {code}")
    raise typer.Exit(Exit.FINDINGS if results.problems else Exit.DONE)


@dead_letters.command()
def park(ids: _Ids, *, dry_run: _DryRun = False, as_json: _Json = False) -> None:
    """Put open dead letters aside: they are not replayed, nor counted as open, and stay until their retention ends.

    Example: signaalwissel dead-letters park 0b6e7f20c3d94f0c8f6a1e2d3c4b5a69
    """
    _move(ids, DeadLetterStatus.OPEN, DeadLetterStatus.PARKED, Output(dry_run=dry_run, as_json=as_json))


@dead_letters.command()
def reopen(ids: _Ids, *, dry_run: _DryRun = False, as_json: _Json = False) -> None:
    """Make parked dead letters open again, so that they can be replayed.

    Example: signaalwissel dead-letters reopen 0b6e7f20c3d94f0c8f6a1e2d3c4b5a69
    """
    _move(ids, DeadLetterStatus.PARKED, DeadLetterStatus.OPEN, Output(dry_run=dry_run, as_json=as_json))


class Output(NamedTuple):
    """How a command changes and tells."""

    dry_run: bool
    as_json: bool

    def tell(self, result: Result) -> None:
        """Print what became of one."""
        if self.as_json:
            print(dump(result._asdict()))
        elif result.problem is not None:
            typer.echo(result.problem, err=True)
        else:
            place = "" if result.topic is None else f" on {result.topic}"
            print(f"dead letter {result.dead_letter_id}: {result.result}{place}")


class Replays:
    """Replays one dead letter after the other and tells of each; `problems` counts those that cannot be.

    Args:
        settings: For keys and topic names.
        engine: Where the dead letters lie.
        sender: Sends them; None only tells what would be sent.
        as_json: How it is told.
    """

    def __init__(self, settings: Settings, engine: Database, sender: Writer | None, *, as_json: bool) -> None:
        self.problems = 0
        self._engine = engine
        self._names = runtime.names(settings)
        self._output = Output(dry_run=sender is None, as_json=as_json)
        self._replayer = None
        if sender is not None:
            runtime.log_to("dead-letters")
            self._replayer = Replayer(
                engine, key_service.provider(settings), self._names, sender, Accounting(settings)
            )

    def replay(self, dead_letter_id: str, mended: Mended | None) -> None:
        """Replay one."""
        try:
            if self._replayer is None:
                letter = _standing(self._engine, dead_letter_id, DeadLetterStatus.OPEN)
                result = Result(dead_letter_id, topic_of(letter, self._names), "would be replayed")
            else:
                topic = self._replayer.replay(dead_letter_id, mended)
                result = Result(dead_letter_id, topic, "replayed")
        except (ReplayRefused, NotReplayable) as refused:
            self.problems += 1
            result = Result(dead_letter_id, None, "refused", str(refused))
        self._output.tell(result)


def _check_choice(ids: list[str], code: str | None, mended: Path | None) -> None:
    if bool(ids) == (code is not None):
        raise UsageFailure("give ids, or --code CODE; see `signaalwissel dead-letters list`")
    if mended is not None and len(ids) != 1:
        raise UsageFailure("--mended takes the place of one record: give exactly one id")


def _mended(engine: Database, dead_letter_id: str, file: Path, settings: Settings) -> Mended:
    letter = show_dead_letter(engine, dead_letter_id)
    if letter is None:
        raise NotReplayable(f"dead letter {dead_letter_id}: there is none with this id")
    return read_mended(file, letter, settings, runtime.names(settings))


def _move(ids: list[str], before: DeadLetterStatus, after: DeadLetterStatus, output: Output) -> None:
    problems = 0
    event = (
        EventKind.DEAD_LETTER_PARKED if after is DeadLetterStatus.PARKED else EventKind.DEAD_LETTER_REOPENED
    )
    with database(environment.settings()) as engine:
        for dead_letter_id in ids:
            try:
                _standing(engine, dead_letter_id, before)
            except NotReplayable as refused:
                problems += 1
                output.tell(Result(dead_letter_id, None, "refused", str(refused)))
                continue
            if not output.dry_run:
                mark_dead_letters(engine, [dead_letter_id], after)
                note(engine, event, dead_letter_id)
            output.tell(Result(dead_letter_id, None, f"would be {after}" if output.dry_run else after.value))
    raise typer.Exit(Exit.FINDINGS if problems else Exit.DONE)


def _standing(engine: Database, dead_letter_id: str, status: DeadLetterStatus) -> DeadLetterRow:
    letter = show_dead_letter(engine, dead_letter_id)
    if letter is None:
        raise NotReplayable(f"dead letter {dead_letter_id}: there is none with this id")
    if letter.status is not status:
        raise NotReplayable(f"dead letter {dead_letter_id}: is {letter.status}, not {status}")
    return letter
