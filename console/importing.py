"""`import`: exports of other systems, by a mapping profile, onto the input topics, exactly once."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from signaalwissel.console import environment, key_service, runtime
from signaalwissel.console.failures import Exit, ServiceAway, UsageFailure
from signaalwissel.console.import_shown import Progress, show, show_explanation
from signaalwissel.console.import_watch import watch
from signaalwissel.console.kafka_login import check_login
from signaalwissel.console.registry_ids import adopt
from signaalwissel.console.settings import Settings
from signaalwissel.processors.sealing import KeyProvider, KeyUnavailable
from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.scalars import TimestampShape
from signaalwissel.schemas.units import Millis
from signaalwissel.security.throwaway_keys import ThrowawayKeys
from signaalwissel.sources.file_import import Commit, FileImport, Report
from signaalwissel.sources.import_index import ImportIndex
from signaalwissel.sources.import_kafka import (
    Batch,
    ErasedReader,
    ImportTopics,
    ImportWriter,
    KafkaAway,
    Superseded,
    forget_erased,
    read_before,
    writing,
)
from signaalwissel.sources.profile_loading import Loaded, ProfileError, load_profile
from signaalwissel.sources.row_import import RowImport, Rules
from signaalwissel.sources.watching import files_in
from signaalwissel.streams.clock import now_ms
from signaalwissel.streams.publishing import event_time

_System = Annotated[str, typer.Argument(help="A profile: vps, ris, stratech, ..., or your own .toml file.")]
_Path = Annotated[Path | None, typer.Argument(help="A file, or a folder of files.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be sent; send nothing.")]
_Explain = Annotated[bool, typer.Option("--explain", help="Show what the profile maps and assumes.")]
_Watch = Annotated[bool, typer.Option("--watch", help="Go on with what comes into the folder.")]
_Settle = Annotated[
    float, typer.Option(min=0.0, max=3600.0, help="Seconds in which a watched file must not change.")
]
_Municipality = Annotated[str | None, typer.Option(help="Four digits, where the export names none.")]
_ReceivedAt = Annotated[
    str | None, typer.Option(help="When the rows came in, where they do not say; now otherwise.")
]
_Publisher = Annotated[str | None, typer.Option(help="Send to signals.NAME and trajectories.NAME.")]
_AcceptVanished = Annotated[
    bool, typer.Option("--accept-vanished", help="Withdraw however many are missing in a complete export.")
]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object per file.")]


def import_(
    system: _System,
    path: _Path = None,
    *,
    dry_run: _DryRun = False,
    explain: _Explain = False,
    watching: _Watch = False,
    settle_s: _Settle = 30.0,
    municipality: _Municipality = None,
    received_at: _ReceivedAt = None,
    publisher: _Publisher = None,
    accept_vanished: _AcceptVanished = False,
    as_json: _Json = False,
) -> None:
    """Read an export of another system and publish each of its rows exactly once.

    A second import of a file, or of one that has grown, adds only what is new. What is refused stands with row, column
    and rule in <file>.rejects.csv, never with the value. Ends with 1 when anything was refused.

    Example: signaalwissel import vps signalen.csv
    """
    loaded = _profile(system, municipality)
    if explain:
        show_explanation(loaded.profile, as_json=as_json)
        return
    if path is None:
        raise UsageFailure("give a file or a folder to import, or --explain")
    if watching and (dry_run or not path.is_dir()):
        raise UsageFailure("--watch needs a folder, and does not go with --dry-run")
    options = _Options(municipality, publisher, moment_of(received_at), dry_run)
    files = [] if watching else _files(path)
    with _importing(environment.settings(), loaded, options, as_json=as_json) as importing:
        if watching:
            watch(path, settle_s, importing.run, as_json=as_json)
            return
        reports = [importing.run(file, accept_vanished=accept_vanished) for file in files]
    for report in reports:
        show(report, dry_run=dry_run, as_json=as_json)
    raise typer.Exit(Exit.DONE if all(report.clean for report in reports) else Exit.FINDINGS)


class _Options:
    """What the command line says of every file."""

    def __init__(
        self, municipality: str | None, publisher: str | None, moment: Millis | None, dry_run: bool
    ) -> None:
        self.municipality = municipality
        self.publisher = publisher
        self.moment = moment
        self.dry_run = dry_run


class _Publishing(NamedTuple):
    """How batches are published, None for a dry run; and what forgets the trajectories that are erased meanwhile."""

    commit: Commit | None
    look_for_erased: Callable[[], None]


class _Importing:
    """Imports file after file; what Kafka or the keys refuse is a failure of the command."""

    def __init__(
        self, rows: RowImport, files: FileImport, options: _Options, look_for_erased: Callable[[], None]
    ) -> None:
        self._rows = rows
        self._files = files
        self._options = options
        self._look_for_erased = look_for_erased

    def run(self, file: Path, *, accept_vanished: bool = False) -> Report:
        """Import one file."""
        self._rows.moment = now_ms() if self._options.moment is None else self._options.moment
        # Before each file: a folder is watched for months.
        self._look_for_erased()
        try:
            return self._files.run(
                file, write_rejects=not self._options.dry_run, accept_vanished=accept_vanished
            )
        except OSError as error:
            raise UsageFailure(
                f"{file}: cannot be read, or its rejects not be written: {error.strerror}"
            ) from error


@contextmanager
def _importing(
    settings: Settings, loaded: Loaded, options: _Options, *, as_json: bool
) -> Iterator[_Importing]:
    rules = Rules(
        runtime.policies(settings),
        environment.publishers(settings.publishers_file),
        _keys(settings, options),
        options.publisher,
    )
    try:
        with (
            tempfile.TemporaryDirectory(prefix="signaalwissel-import-") as folder,
            ImportIndex(Path(folder) / "index") as index,
            _commits(settings, loaded, options, index) as publishing,
            Progress(shown=not as_json) as progress,
        ):
            rows = RowImport(loaded, rules, index, options.municipality, now_ms())
            files = FileImport(loaded.profile, rows, index, publishing.commit, progress.rows)
            yield _Importing(rows, files, options, publishing.look_for_erased)
    except (KafkaAway, KeyUnavailable) as error:
        raise ServiceAway(
            f"{error}; import the file again: what was published is not published twice"
        ) from error
    except Superseded as error:
        raise UsageFailure(str(error)) from error


@contextmanager
def _commits(
    settings: Settings, loaded: Loaded, options: _Options, index: ImportIndex
) -> Iterator[_Publishing]:
    """How batches are published; the index is filled with what was published before."""
    if options.dry_run and not settings.kafka_bootstrap:
        yield _Publishing(None, lambda: None)
        return
    check_login(settings)
    adopt(settings)
    topics = ImportTopics(
        runtime.bootstrap(settings),
        runtime.kafka_python_connection(settings),
        settings.topic_prefix,
        settings.event_source,
        loaded.profile.name,
        options.publisher,
    )
    if options.dry_run:
        read_before(topics, index)
        forget_erased(ErasedReader(topics), index, None)
        yield _Publishing(None, lambda: None)
        return
    with writing(topics) as writer:
        # Only now can no other import of the system commit anything that is not seen here.
        read_before(topics, index)
        erased = ErasedReader(topics)
        yield _Publishing(_commit_by(writer), lambda: forget_erased(erased, index, writer))


def _commit_by(writer: ImportWriter) -> Commit:
    def commit(batch: Batch) -> None:
        writer.commit(batch, event_time(now_ms()))

    return commit


def _keys(settings: Settings, options: _Options) -> KeyProvider:
    if options.dry_run and settings.key_provider == "local" and settings.key_dir is None:
        # Nothing is kept of a dry run: keys of its own tell new rows from repeated ones as well.
        return ThrowawayKeys()
    return key_service.answering(settings)


def _profile(system: str, municipality: str | None) -> Loaded:
    try:
        loaded = load_profile(system)
    except ProfileError as error:
        raise UsageFailure(str(error)) from error
    mapping = loaded.profile.map.get("municipality")
    if municipality is not None and (mapping is None or mapping.constant is None):
        raise UsageFailure(
            f"--municipality: the profile {loaded.profile.name} reads it from the export; map a constant to give it here"
        )
    return loaded


def moment_of(text: str | None) -> Millis | None:
    """The moment that --received-at names, None without it; UsageFailure where it is none."""
    if text is None:
        return None
    try:
        return TimestampShape().from_json(text)
    except DoesNotFit as error:
        raise UsageFailure(f"--received-at {error.rule}") from error


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return files_in(path)
    if not path.is_file():
        raise UsageFailure(f"{path}: there is no such file")
    return [path]
