"""`subject`: the rights of a resident: what we hold of him, erasing it, objecting; and the ledger of erasures."""

import logging
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from signaalwissel.console import environment, erasure_ledger, key_service, runtime
from signaalwissel.console.asking import check_words, read_person, request_id
from signaalwissel.console.connections import database
from signaalwissel.console.failures import Exit, ServiceAway, UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.console.settings import Settings
from signaalwissel.console.subject_content import content_of, write
from signaalwissel.console.subject_ledger import ledger
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.processing_register import Register
from signaalwissel.processors.sealing import KeyProvider, KeyUnavailable
from signaalwissel.processors.subject import Person, SubjectUnclear
from signaalwissel.schemas.units import Millis
from signaalwissel.sinks import subject_requests
from signaalwissel.sinks.access import Database
from signaalwissel.sinks.subject_objections import Said
from signaalwissel.sinks.subject_requests import Ask, Erased, Means, NothingStands, Objecting
from signaalwissel.streams.clock import now_ms

log = logging.getLogger(__name__)

subject = typer.Typer(help="A resident's rights: export, erase, object.", no_args_is_help=True)
subject.add_typer(ledger, name="ledger")

_Person = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="One JSON object: bsn, or postcode, house_number and birth_date; - reads standard input.",
    ),
]
_Municipality = Annotated[str, typer.Option(help="Four digits, like 0344.")]
_Ground = Annotated[str, typer.Option(help="The legal ground, like 'AVG 15'; it is recorded.")]
_By = Annotated[str, typer.Option("--by", help="Which officer handles it, by a number; it is recorded.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what is found; change and record nothing.")]


@subject.command()
def export(
    person: _Person,
    municipality: _Municipality,
    by: _By,
    out: Annotated[Path, typer.Option("--out", help="Folder for the JSON file and the HTML page.")],
    *,
    ground: _Ground = "AVG 15",
    as_json: _Json = False,
    dry_run: _DryRun = False,
) -> None:
    """Write everything that is held of one resident, as JSON and as a page in Dutch; nothing of anybody else.

    Reads the database, dead letters and every topic. The export itself is recorded. Ends with 1 when nothing is held.

    Example: signaalwissel subject export resident.json --municipality 0344 --by po-3 --out letters
    """
    work = _Work.begun("export", person, municipality, ground=ground, by=by)
    with database(work.settings) as engine:
        if dry_run:
            _tell_dry_run(work, engine, as_json=as_json)
            return
        found = work.trying(
            lambda: subject_requests.export(engine, work.person, work.keys, work.ask, work.register_of)
        )
    work.log_opened(found.holdings.opened)
    content = work.trying(lambda: content_of(found, work.ask, work.settings, work.keys))
    files = write(out, work.ask.request_id, content)
    counts = found.holdings.counts() | {"records": sum(map(len, content["topics"].values()))}
    told = {"request_id": work.ask.request_id, "files": [str(file) for file in files], **counts}
    print(dump(told) if as_json else _lines(told))
    nothing = not any(content["database"].values()) and not any(content["topics"].values())
    raise typer.Exit(Exit.FINDINGS if nothing and not found.holdings.letters else Exit.DONE)


@subject.command()
def erase(
    person: _Person,
    municipality: _Municipality,
    by: _By,
    *,
    ground: _Ground = "AVG 17",
    as_json: _Json = False,
    dry_run: _DryRun = False,
) -> None:
    """Erase one resident at once from database, dead letters and tables; topics follow by their retention.

    Signals are withdrawn on both sides. Of a trajectory of two clients only he goes. The erasure ledger keeps opaque
    ids, in the database and in the file that SIGNAALWISSEL_ERASURE_LEDGER names, for after a restore. The sink must
    run: it sends the commands. A later signal about him is a new signal. Ends with 1 when nothing was held.

    Example: signaalwissel subject erase resident.json --municipality 0344 --by po-3 --dry-run
    """
    work = _Work.begun("erase", person, municipality, ground=ground, by=by)
    with database(work.settings) as engine:
        if dry_run:
            _tell_dry_run(work, engine, as_json=as_json)
            return
        if work.settings.erasure_ledger is None:
            log.warning(
                "SIGNAALWISSEL_ERASURE_LEDGER is not set: after a restore of an older backup, only a copy of "
                "`signaalwissel subject ledger export` can erase this resident again"
            )
        means = Means(
            runtime.sink_settings(work.settings),
            work.register_of,
            lambda entries: erasure_ledger.append(work.settings.erasure_ledger, entries),
        )
        gone: Erased = work.trying(
            lambda: subject_requests.erase_now(engine, work.person, work.keys, work.ask, means)
        )
    work.log_opened(gone.holdings.opened)
    counts = gone.holdings.counts()
    told = {"request_id": work.ask.request_id, **counts, "open_klant_to_delete": gone.open_klant}
    print(dump(told) if as_json else _lines(told))
    held = any(count for name, count in counts.items() if name != "signals_by_address_only")
    raise typer.Exit(Exit.DONE if held else Exit.FINDINGS)


@subject.command("object")
def object_(
    person: _Person,
    municipality: _Municipality,
    by: _By,
    *,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Withdraw the objection.")] = False,
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From which day; today.")] = None,
    ground: _Ground = "AVG 21",
    as_json: _Json = False,
    dry_run: _DryRun = False,
) -> None:
    """Record a resident's objection to the test, or its withdrawal; from that day his signals take the regular flow.

    It counts in all his trajectories, also in one that comes later, and stays after a `rebuild`. The sink must run: it
    sends the commands. With --withdraw it ends with 1 when no objection stands.

    Example: signaalwissel subject object resident.json --municipality 0344 --by po-3
    """
    work = _Work.begun("withdraw" if withdraw else "object", person, municipality, ground=ground, by=by)
    day = _day(on, work.ask.at)
    with database(work.settings) as engine:
        if dry_run:
            _tell_dry_run(work, engine, as_json=as_json)
            return
        asked = Objecting(work.ask, Said(work.ask.request_id, day, work.ask.at), withdraw)
        means = Means(runtime.sink_settings(work.settings), work.register_of)
        try:
            found = work.trying(
                lambda: subject_requests.object_now(engine, work.person, work.keys, asked, means)
            )
        except NothingStands:
            typer.echo("no objection of this resident stands; nothing was changed", err=True)
            raise typer.Exit(Exit.FINDINGS) from None
    work.log_opened(found.opened)
    told = {
        "request_id": work.ask.request_id,
        "from": day.isoformat(),
        "trajectories": len(found.memberships),
    }
    print(dump(told) if as_json else _lines(told))


@subject.command()
def requests(
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 100,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """List what residents asked and what was done: who handled it on which ground, when, and what was found.

    Example: signaalwissel subject requests --limit 20
    """
    with database(environment.settings()) as engine:
        found = subject_requests.requests(engine, limit)
    for one in found:
        print(dump(one) if as_json else _lines(one) + "\n")
    if not found and not as_json:
        print("no requests")


class _Work(NamedTuple):
    """What every request needs."""

    settings: Settings
    keys: KeyProvider
    person: Person
    ask: Ask

    @classmethod
    def begun(cls, kind: str, file: Path, municipality: str, *, ground: str, by: str) -> "_Work":
        """Read who is meant; UsageFailure says what is wrong, ServiceAway that a key cannot be had."""
        settings = environment.settings()
        runtime.log_to("subject")
        check_words(ground=ground, by=by)
        keys = key_service.provider(settings)
        try:
            person = read_person(file, municipality, keys)
            at = now_ms()
            number = request_id(kind, person, keys.pseudonym_keys(municipality), at)
        except KeyUnavailable as error:
            raise ServiceAway(str(error)) from error
        return cls(settings, keys, person, Ask(number, ground, by, at))

    def register_of(self, municipality: str) -> Register:
        """The register of processing activities of a municipality."""
        return runtime.policies(self.settings).register_of(municipality)

    def trying(self, work: Any) -> Any:
        """Do something that opens seals; its failures are those of a command."""
        try:
            return work()
        except KeyUnavailable as error:
            raise ServiceAway(f"{self.ask.request_id}: {error}") from error
        except SubjectUnclear as unclear:
            raise UsageFailure(str(unclear)) from None

    def log_opened(self, count: int) -> None:
        """Opening seals is a processing: put it on record."""
        log.info("%s: %d seals were opened to tell whose they are", self.ask.request_id, count)


def _tell_dry_run(work: _Work, engine: Database, *, as_json: bool) -> None:
    found = work.trying(lambda: subject_requests.look(engine, work.person, work.keys))
    work.log_opened(found.opened)
    told = {**found.counts(), "dry_run": True}
    print(dump(told) if as_json else _lines(told))


def _lines(told: dict[str, Any]) -> str:
    return "\n".join(
        f"{name}: {value if isinstance(value, str) else dump(value)}" for name, value in told.items()
    )


def _day(on: datetime | None, now: Millis) -> date:
    today = amsterdam_day(now)
    day = today if on is None else on.date()
    if day > today:
        raise UsageFailure("--on: must not lie in the future")
    return day
