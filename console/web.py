"""`web`: the pages for counsellors, team leads, privacy officers and operators."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from signaalwissel.console import doctor, environment, http_access, key_service, runtime
from signaalwissel.console.accounting import Accounting, note
from signaalwissel.console.connections import Writer, writer
from signaalwissel.console.failures import Exit, ServiceAway, UsageFailure
from signaalwissel.console.findings import Finding
from signaalwissel.console.kafka_login import check_login, fault_of
from signaalwissel.console.lines import dump
from signaalwissel.console.mending import mended, readable
from signaalwissel.console.metrics import MetricsPage
from signaalwissel.console.metrics_http import WEB, HttpMetrics
from signaalwissel.console.metrics_process import KeyMetrics
from signaalwissel.console.probes import answering
from signaalwissel.console.process_looks import looks
from signaalwissel.console.processes import end_with_parent
from signaalwissel.console.replaying import NotReplayable, Replayer, is_published, mended_of, record_name
from signaalwissel.console.settings import Settings
from signaalwissel.console.webpages.app import build_web
from signaalwissel.console.webpages.parts import Parts
from signaalwissel.processors.emissions import TASK_UPDATES
from signaalwissel.processors.opening import Opened, Sealed, open_subject
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.schemas.signal import SealedSubject
from signaalwissel.security.http_server import ServerUnusable, serve
from signaalwissel.security.http_sessions import WebSessions
from signaalwissel.sinks.access import Database
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.dead_letters import (
    DeadLetterRow,
    DeadLetterStatus,
    mark_dead_letters,
    show_dead_letter,
)
from signaalwissel.sinks.ended_sessions import EndedSessions
from signaalwissel.sinks.ledger import EventKind
from signaalwissel.sinks.row_security import check_reader
from signaalwissel.sinks.running_sessions import StoredSessions
from signaalwissel.sinks.settings import ServiceAway as SinkServiceAway
from signaalwissel.sinks.settings import SinkError
from signaalwissel.sources.gateway_delivery import Away, KafkaOutlet
from signaalwissel.streams.clock import now_ms

_STATEMENT_S = 30.0
"""How long one statement of a page may take in the database: nobody waits longer, and it holds up what others ask."""
_TRIAL_MUNICIPALITIES = ("0344", "0363", "0518", "0599")


def web(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print where it listens as one JSON object.")
    ] = False,
    lifeline: Annotated[bool, typer.Option("--lifeline", hidden=True)] = False,
) -> None:
    """Serve the web pages until SIGTERM.

    Who may see what stands in the access file; with SIGNAALWISSEL_DEVELOPMENT_LOGIN=true everybody chooses who they
    are, to try things out on this machine.

    Example: SIGNAALWISSEL_ACCESS_FILE=access.toml SIGNAALWISSEL_WEB_URL=https://signaal.example.nl signaalwissel web
    """
    settings = environment.settings()
    if lifeline:
        end_with_parent()
    runtime.log_to("web")
    place = http_access.place(settings, settings.web_port)
    base = base_url(settings)
    known = http_access.http_access(settings, base, _TRIAL_MUNICIPALITIES)
    engine = _engine(settings)
    ended, running = EndedSessions(engine), StoredSessions(engine)
    sessions = http_access.web_sessions(settings, known, base, ended, running)
    # Before there is an event loop: a login that is wrong ends the command with the setting's name.
    check_login(settings)
    outlet = _outlet(settings)
    keys = key_service.provider(settings)
    parts = _parts(settings, engine, sessions, outlet, keys)
    extra = () if known.development is None else (known.development.router(),)
    metrics = HttpMetrics()
    app = build_web(parts, known.access.login, extra, metrics.observe)
    page = MetricsPage("web", [metrics, KeyMetrics("web", keys)])
    try:
        with answering(settings, "web", WEB, page.paths):
            serve(app, place, lambda port: _tell(settings, port, as_json=as_json))
    except ServerUnusable as error:
        raise UsageFailure(f"SIGNAALWISSEL_{error}") from error
    finally:
        outlet.close()
    raise typer.Exit(Exit.DONE)


def _parts(
    settings: Settings, engine: Database, sessions: WebSessions, outlet: KafkaOutlet, keys: KeyProvider
) -> Parts:
    _check_reader(settings, engine)
    topic = runtime.names(settings)(TASK_UPDATES)
    accounting = Accounting(settings, statement_s=_STATEMENT_S)

    async def deliver(key: bytes, value: bytes) -> None:
        await outlet.deliver(topic, key, value, ())

    def opens(record: Sealed, opened: Opened) -> SealedSubject:
        return open_subject(record, keys.by_id, opened)

    def look() -> Sequence[Finding]:
        return list(doctor.findings())

    return Parts(
        engine=engine,
        reader_role=settings.database_reader_role,
        sessions=sessions,
        policies=runtime.policies(settings),
        accounting=accounting,
        deliver=deliver,
        open_subject=opens,
        letters=LetterActions(settings, engine, keys, accounting),
        look=look,
        processes=lambda: looks(settings),
        now_ms=now_ms,
    )


def base_url(settings: Settings) -> str:
    """Under which browsers reach the pages, without a slash at its end; the login comes back there."""
    if settings.web_url is not None:
        return settings.web_url.rstrip("/")
    scheme = "https" if settings.http_certificate_file else "http"
    return f"{scheme}://{settings.http_host}:{settings.web_port}"


class LetterActions:
    """What the pages can do with dead letters: what the command can, on behalf of whoever logged in.

    Args:
        settings: For Kafka and topic names.
        engine: Where they lie.
        keys: Opens their seals.
        accounting: Puts every opening on record first.
    """

    def __init__(
        self, settings: Settings, engine: Database, keys: KeyProvider, accounting: Accounting
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._keys = keys
        self._accounting = accounting

    def replay(self, dead_letter_id: str, by: str) -> str:
        """Send it again; gives its topic.

        Raises:
            NotReplayable: Its topic is internal: the pages' account may not write there (docs/operations.md).
        """
        letter = show_dead_letter(self._engine, dead_letter_id)
        if letter is not None:
            self._check_published(letter)
        with writer(self._settings) as sender:
            return self._replayer(by, sender).replay(dead_letter_id)

    def look(self, letter: DeadLetterRow, by: str) -> dict[str, Any]:
        """Its record in the JSON form of its schema, once the look is on record."""
        topic = runtime.names(self._settings).bare(letter.topic)
        record_name(letter, topic)
        return readable(letter, topic, self._replayer(by).look(letter))

    def mend(self, letter: DeadLetterRow, filled: Mapping[str, str], by: str) -> str:
        """Send it again as it was filled in; gives its topic. Raises NotReplayable as `replay`."""
        self._check_published(letter)
        topic = runtime.names(self._settings).bare(letter.topic)
        value = mended(self.look(letter, by), filled)
        instead = mended_of(value, letter, topic, self._settings, f"dead letter {letter.dead_letter_id}")
        with writer(self._settings) as sender:
            return self._replayer(by, sender).replay(letter.dead_letter_id, instead)

    def _check_published(self, letter: DeadLetterRow) -> None:
        if not is_published(letter, runtime.names(self._settings)):
            raise NotReplayable(
                f"dead letter {letter.dead_letter_id}: records of {letter.topic} are internal; the operator replays it "
                f"with `signaalwissel dead-letters replay {letter.dead_letter_id}`"
            )

    def _replayer(self, by: str, sender: Writer | None = None) -> Replayer:
        names = runtime.names(self._settings)
        return Replayer(self._engine, self._keys, names, sender, self._accounting.of(by))

    def park(self, dead_letter_id: str, by: str) -> None:
        """Put it aside."""
        self._move(dead_letter_id, DeadLetterStatus.OPEN, DeadLetterStatus.PARKED, by)

    def reopen(self, dead_letter_id: str, by: str) -> None:
        """Make it open again."""
        self._move(dead_letter_id, DeadLetterStatus.PARKED, DeadLetterStatus.OPEN, by)

    def _move(self, dead_letter_id: str, before: DeadLetterStatus, after: DeadLetterStatus, by: str) -> None:
        letter = show_dead_letter(self._engine, dead_letter_id)
        if letter is None or letter.status is not before:
            raise NotReplayable(f"dead letter {dead_letter_id}: is not {before}")
        parked = after is DeadLetterStatus.PARKED
        kind = EventKind.DEAD_LETTER_PARKED if parked else EventKind.DEAD_LETTER_REOPENED
        mark_dead_letters(self._engine, [dead_letter_id], after)
        note(self._engine, kind, dead_letter_id, by=by)


def _engine(settings: Settings) -> Database:
    try:
        return open_engine(runtime.database_url(settings), name="signaalwissel-web", statement_s=_STATEMENT_S)
    except SinkError as error:
        raise UsageFailure(str(error)) from error


def _check_reader(settings: Settings, engine: Database) -> None:
    try:
        check_reader(engine, settings.database_reader_role)
    except SinkServiceAway as error:
        raise ServiceAway(str(error)) from error
    except SinkError as error:
        raise UsageFailure(str(error)) from error


def _outlet(settings: Settings) -> KafkaOutlet:
    topic = runtime.names(settings)(TASK_UPDATES)
    try:
        return KafkaOutlet(
            runtime.bootstrap(settings),
            runtime.kafka_python_connection(settings),
            [topic],
            bound_s=settings.gateway_answer_s,
            login_fault=lambda: fault_of(settings),
        )
    except Away as error:
        raise ServiceAway(str(error)) from error


def _tell(settings: Settings, port: int, *, as_json: bool) -> None:
    address = {"host": settings.http_host, "port": port, "url": base_url(settings)}
    print(dump(address) if as_json else f"web listens on {settings.http_host}:{port}", flush=True)
