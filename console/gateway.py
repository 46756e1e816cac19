"""`gateway`: signals, lifecycle events and task updates over HTTP, onto Kafka."""

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer
from signaalwissel.console import environment, http_access, runtime
from signaalwissel.console.checking import checker
from signaalwissel.console.failures import Exit, ServiceAway, UsageFailure
from signaalwissel.console.forking import run_in
from signaalwissel.console.kafka_login import check_login, fault_of
from signaalwissel.console.lines import dump
from signaalwissel.console.metrics import MetricsPage
from signaalwissel.console.metrics_http import FIRST_GATEWAY_CHILD, HttpMetrics
from signaalwissel.console.metrics_http import GATEWAY as GATEWAY_PROBES
from signaalwissel.console.probes import answering
from signaalwissel.console.processes import end_with_parent
from signaalwissel.console.registry_ids import adopt
from signaalwissel.console.settings import Settings
from signaalwissel.processors.emissions import SIGNALS, TASK_UPDATES, TRAJECTORIES
from signaalwissel.security.development_login import DevelopmentLogin
from signaalwissel.security.http_middleware import Bounds
from signaalwissel.security.http_server import ServerUnusable, bound, serve, serve_on
from signaalwissel.security.limits import RateLimit
from signaalwissel.sinks.access import Database
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.ledger import GATEWAY
from signaalwissel.sinks.row_security import check_reader
from signaalwissel.sinks.settings import ServiceAway as SinkServiceAway
from signaalwissel.sinks.settings import SinkError
from signaalwissel.sinks.task_owners import municipalities_of
from signaalwissel.sources.gateway import Parts, TaskOwners, TasksAway, build_gateway, with_version
from signaalwissel.sources.gateway_checks import Checks
from signaalwissel.sources.gateway_delivery import Away, KafkaOutlet
from signaalwissel.sources.gateway_document import document
from signaalwissel.sources.gateway_messages import BATCH_MAX
from signaalwissel.sources.gateway_records import Rules
from signaalwissel.sources.gateway_webhooks import Webhook
from signaalwissel.sources.profile_loading import ProfileError, load_profile
from signaalwissel.streams.clock import now_ms
from signaalwissel.streams.collector import settle

_BATCH_RATE = 10.0
_TRIAL_MUNICIPALITIES = ("0344", "0363", "0518", "0599")
_TRIAL_PARTNERS = ("water-west", "energie-noord")


def gateway(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print where it listens as one JSON object.")
    ] = False,
    openapi: Annotated[
        bool, typer.Option("--openapi", help="Print the OpenAPI document and end; serve nothing.")
    ] = False,
    processes: Annotated[
        int, typer.Option("--processes", min=1, max=64, help="How many processes answer on the address.")
    ] = 1,
    lifeline: Annotated[bool, typer.Option("--lifeline", hidden=True)] = False,
) -> None:
    """Take records over HTTP until SIGTERM: each is answered once Kafka has it.

    Who may send what stands in the access file. With SIGNAALWISSEL_DEVELOPMENT_LOGIN=true it prints a token for
    trying things out.

    Example: SIGNAALWISSEL_ACCESS_FILE=access.toml signaalwissel gateway
    """
    settings = environment.settings()
    if lifeline:
        end_with_parent()
    base = f"{'https' if settings.http_certificate_file else 'http'}://{settings.http_host}:{settings.gateway_port}"
    if openapi:
        print(dump(document(base)))
        raise typer.Exit(Exit.DONE)
    runtime.log_to("gateway")
    adopt(settings)
    known = http_access.http_access(settings, base, _TRIAL_MUNICIPALITIES, _TRIAL_PARTNERS)
    # Before there is an event loop: a login that is wrong ends the command with the setting's name.
    check_login(settings)
    place = http_access.place(settings, settings.gateway_port)

    def tell(port: int) -> None:
        _tell(port, settings, known.development, as_json=as_json)

    try:
        if processes == 1:
            with _observed(settings, GATEWAY_PROBES) as bounds:
                serve(build_gateway(_parts(settings, known), base, bounds), place, tell)
            raise typer.Exit(Exit.DONE)
        listening = bound(place)
        tell(listening.getsockname()[1])

        def work(number: int) -> None:
            # Each has its own way to Kafka and to the database: neither may be shared over a fork.
            with _observed(settings, FIRST_GATEWAY_CHILD + number) as bounds:
                app = build_gateway(_parts(settings, known), base, bounds)
                # Everything that is there now stays; to look at all of it again holds every answer up.
                settle()
                serve_on(listening, app, place)

        raise typer.Exit(run_in(processes, work))
    except ServerUnusable as error:
        raise UsageFailure(f"SIGNAALWISSEL_{error}") from error


@contextmanager
def _observed(settings: Settings, number: int) -> Iterator[Bounds]:
    """The bounds of a process whose requests are counted and told on its own port, where ports are set."""
    metrics = HttpMetrics()
    bounds = Bounds(
        settings.http_body_bytes_max, settings.http_rate_per_s * _BATCH_RATE, observe=metrics.observe
    )
    with answering(settings, "gateway", number, MetricsPage("gateway", [metrics]).paths):
        yield with_version(bounds)


def _parts(settings: Settings, known: http_access.HttpAccess) -> Parts:
    names = runtime.names(settings)
    publisher = settings.gateway_publisher

    def topic(kind: str) -> str:
        return kind if publisher is None or kind == TASK_UPDATES else f"{kind}.{publisher}"

    rules = Rules(runtime.policies(settings), environment.publishers(settings.publishers_file), topic, now_ms)
    engine = _engine(settings)
    tasks = None if engine is None else _task_owners(settings, engine)
    checks = _checks(settings, engine)
    try:
        outlet = KafkaOutlet(
            runtime.bootstrap(settings),
            runtime.kafka_python_connection(settings),
            [names(topic(kind)) for kind in (SIGNALS, TRAJECTORIES, TASK_UPDATES)],
            bound_s=settings.gateway_answer_s,
            login_fault=lambda: fault_of(settings),
        )
    except Away as error:
        raise ServiceAway(str(error)) from error
    return Parts(
        rules=rules,
        outlet=outlet,
        authenticator=http_access.authenticator(settings, known),
        full_name=names,
        event_source=settings.event_source,
        tasks=tasks,
        checks=checks,
        webhooks=_webhooks(settings, rules),
    )


def _webhooks(settings: Settings, rules: Rules) -> tuple[Webhook, ...]:
    """The webhooks of the profiles that are named; UsageFailure where one cannot be used."""
    found: dict[str, Webhook] = {}
    for system in filter(None, map(str.strip, (settings.gateway_webhooks or "").split(","))):
        try:
            loaded = load_profile(system)
        except ProfileError as error:
            raise UsageFailure(f"SIGNAALWISSEL_GATEWAY_WEBHOOKS: {error}") from error
        if loaded.profile.webhook is None or loaded.profile.name in found:
            what = "has no [webhook]" if loaded.profile.webhook is None else "stands there twice"
            raise UsageFailure(f"SIGNAALWISSEL_GATEWAY_WEBHOOKS: {system}: the profile {what}")
        found[loaded.profile.name] = Webhook(loaded, rules.clock)
    return tuple(found.values())


def _engine(settings: Settings) -> Database | None:
    """The database under row-level security; None where none is set."""
    if settings.database_url is None:
        return None
    try:
        # Who waits for an answer waits for the database no longer than for Kafka.
        engine = open_engine(
            runtime.database_url(settings),
            name="signaalwissel-gateway",
            statement_s=settings.gateway_answer_s,
        )
        check_reader(engine, settings.database_reader_role)
    except SinkServiceAway as error:
        raise ServiceAway(str(error)) from error
    except SinkError as error:
        raise UsageFailure(str(error)) from error
    return engine


def _checks(settings: Settings, engine: Database | None) -> Checks | None:
    """What answers checks; None where they are off, as they are unless somebody decides otherwise."""
    if not settings.gateway_checks:
        return None
    if engine is None:
        raise UsageFailure(
            "SIGNAALWISSEL_GATEWAY_CHECKS is true and SIGNAALWISSEL_DATABASE_URL is not set: checks are answered"
            " from the database"
        )
    answers = checker(settings, engine, GATEWAY, settings.database_reader_role)
    rate = RateLimit(
        settings.gateway_checks_per_s, max(BATCH_MAX, settings.gateway_checks_per_s * _BATCH_RATE)
    )
    return Checks(answers, rate, answers.close)


def _task_owners(settings: Settings, engine: Database) -> TaskOwners:
    """How the owner of a task is found."""
    role = settings.database_reader_role

    async def owners(ids: Sequence[str], municipalities: frozenset[str]) -> Mapping[str, str]:
        try:
            return await asyncio.to_thread(municipalities_of, engine, ids, municipalities, role)
        except SinkServiceAway as error:
            raise TasksAway(str(error)) from error

    return owners


def _tell(port: int, settings: Settings, login: DevelopmentLogin | None, *, as_json: bool) -> None:
    address = {"host": settings.http_host, "port": port}
    print(dump(address) if as_json else f"gateway listens on {settings.http_host}:{port}", flush=True)
    if login is not None:
        token = login.access_token(http_access.DEVELOPMENT_CLIENT)
        print(f"export SIGNAALWISSEL_TOKEN={token}", file=sys.stderr, flush=True)
