"""`up`: everything at once on this machine: Kafka, PostgreSQL, topics, worker, sink and web pages."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from signaalwissel.console import runtime, topics
from signaalwissel.console.environment import settings as read
from signaalwissel.console.failures import Exit, ServiceAway
from signaalwissel.console.lines import dump
from signaalwissel.console.processes import child, end_all
from signaalwissel.console.registry_ids import registry_settings
from signaalwissel.console.schemas import fill, opened
from signaalwissel.console.settings import Settings
from signaalwissel.console.up_demo import give_work
from signaalwissel.deploy.embedded_registry import REGISTRY_VARIABLE, embedded_registry
from signaalwissel.deploy.errors import PlatformError
from signaalwissel.deploy.platform import platform
from signaalwissel.deploy.progress import PlatformProgress, progress_on
from signaalwissel.deploy.settings import PlatformSettings
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.database_grants import grant_roles, let_log_in, url_of
from signaalwissel.sinks.database_roles import Role
from signaalwissel.sinks.outcomes import Busy
from signaalwissel.sinks.row_security import grant_reader
from signaalwissel.streams.topics import layout

_LOOK_S = 0.2
_DATABASE = "SIGNAALWISSEL_DATABASE_URL"


@dataclass(frozen=True)
class Running:
    """A whole installation on this machine."""

    settings: Settings
    environment: dict[str, str]
    processes: list["subprocess.Popen[bytes]"]
    pages_database_url: str

    @property
    def process_environment(self) -> dict[str, str]:
        """The environment of a command that works with this installation."""
        return {**os.environ, **self.environment}

    def check(self) -> None:
        """Raise ServiceAway when a process of it has ended."""
        for process in self.processes:
            if process.poll() is not None:
                raise ServiceAway(
                    f"a process ended with status {process.returncode}; its log above tells why"
                )

    def look_after(self, process: "subprocess.Popen[bytes]") -> None:
        """Take one more process as part of it."""
        self.processes.append(process)

    def begin_to_stop(self) -> None:
        """Tell its processes to stop, and do not wait for them; after this `check` has nothing to say."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)


def up(
    *,
    registry: Annotated[
        bool, typer.Option("--registry", help="A schema registry too; ids on the wire are its.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print settings and address as one JSON object, once it runs.")
    ] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="With signals of the last days, of residents who do not exist.")
    ] = False,
) -> None:
    """Start Kafka, PostgreSQL, the worker, the sink and the web pages, and stop them all on Ctrl-C or SIGTERM.

    Where SIGNAALWISSEL_KAFKA_BOOTSTRAP or SIGNAALWISSEL_DATABASE_URL are set, those servers are used. Data of the
    embedded servers goes when it ends: it is for trying things out. In the embedded PostgreSQL sink and pages have their
    own roles, as in production; what it prints is the owner's login, for whatever else you run. Prints the settings that
    other commands need, and the address of the pages, on which everybody chooses who they are. With --demo there is work
    on them, and it prints as whom to log in.

    Example: signaalwissel up --demo
    """
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    progress = progress_on(sys.stderr)
    with (
        _registry(progress, wanted=registry) as variables,
        installation(progress, own_roles=True, **variables) as running,
        pages(running) as address,
    ):
        busy = give_work(running.settings, running.check, progress).busy if demo else None
        _tell(running, address, busy, as_json=as_json)
        while not stopped.wait(_LOOK_S):
            running.check()
    raise typer.Exit(Exit.DONE)


def _tell(running: Running, address: str, busy: Busy | None, *, as_json: bool) -> None:
    if as_json:
        login = None if busy is None else busy._asdict()
        print(dump({"settings": running.environment, "pages": address, "login": login}), flush=True)
        return
    for name in sorted(running.environment):
        print(f"export {name}={running.environment[name]}", flush=True)
    print(f"# the pages: {address}", flush=True)
    if busy is not None:
        print(
            f"# log in there as counsellor, municipality {busy.municipality}, counsellor id {busy.counsellor_id},"
            f" team {busy.team}: {busy.tasks} contacts to make",
            flush=True,
        )
    print("# ready; stop with Ctrl-C", flush=True)


@contextmanager
def _registry(progress: PlatformProgress, *, wanted: bool) -> Iterator[dict[str, str]]:
    """The variable of an embedded registry that holds the contract; none where none is wanted or one is set."""
    if not wanted or os.environ.get(REGISTRY_VARIABLE):
        yield {}
        return
    try:
        server = embedded_registry(PlatformSettings.from_environment(os.environ).cache, progress)
        with ExitStack() as ends:
            with progress.step("Starting Apicurio", None):
                ends.enter_context(server)
            variables = {REGISTRY_VARIABLE: server.address}
            settings = _with(variables)
            chosen = registry_settings(settings)
            if chosen is not None:
                with opened(chosen) as registry:
                    list(fill(registry, settings))
            yield variables
    except PlatformError as error:
        raise ServiceAway(str(error)) from error


@contextmanager
def installation(
    progress: PlatformProgress, *, own_roles: bool = False, **variables: str
) -> Iterator[Running]:
    """A whole installation for the length of the block; every municipality code has policy and keys in it.

    Args:
        progress: Is told what is started.
        own_roles: Whether sink and pages work in an embedded PostgreSQL as the roles that they have in production,
            whose rights are no more than they need. A server that is given is used with the login that is given.
        variables: Further settings, by the name of their variable.
    """
    platform_settings = PlatformSettings.from_environment(os.environ)
    try:
        with (
            platform(platform_settings, progress=progress) as servers,
            tempfile.TemporaryDirectory() as folder,
        ):
            keys = os.environ.get("SIGNAALWISSEL_KEY_DIR") or str(Path(folder) / "keys")
            environment = {
                "SIGNAALWISSEL_KAFKA_BOOTSTRAP": servers.kafka_bootstrap,
                _DATABASE: servers.database_url,
                "SIGNAALWISSEL_KEY_DIR": keys,
                "SIGNAALWISSEL_EVERY_MUNICIPALITY": "true",
                # What is generated may be older than its retention: it must be there to be looked at.
                "SIGNAALWISSEL_RETENTION": os.environ.get("SIGNAALWISSEL_RETENTION", "off"),
                **variables,
            }
            settings = _with(environment)
            with topics.admin(settings) as client:
                wanted = layout(runtime.names(settings), settings.partitions)
                topics.make(client, wanted, settings.replication_factor)
            # Whoever looks before the sink has begun finds its tables.
            migrate(servers.database_url)
            embedded = platform_settings.given_database_url is None
            urls = _database_urls(servers.database_url, own_roles=own_roles and embedded)
            everything = {**os.environ, **environment}
            processes = [
                child("worker", env=everything),
                child("sink", env={**everything, _DATABASE: urls[Role.SINK]}),
            ]
            try:
                yield Running(settings, environment, processes, urls[Role.WEB])
            finally:
                end_all(processes)
    except PlatformError as error:
        raise ServiceAway(str(error)) from error


def _database_urls(owner_url: str, *, own_roles: bool) -> dict[Role, str]:
    """With which URL each program works."""
    engine = open_engine(owner_url, name="signaalwissel-up")
    if not own_roles:
        grant_reader(engine)
        return dict.fromkeys(Role, owner_url)
    grant_roles(engine)
    let_log_in(engine)
    return {role: url_of(owner_url, role) for role in Role}


@contextmanager
def pages(running: Running) -> Iterator[str]:
    """The web pages of an installation for the length of the block, with the development login; gives their address."""
    settings = running.settings
    address = f"http://{settings.http_host}:{settings.web_port}"
    login = {"SIGNAALWISSEL_DEVELOPMENT_LOGIN": "true", "SIGNAALWISSEL_WEB_URL": address}
    process = child(
        "web", env={**running.process_environment, **login, _DATABASE: running.pages_database_url}
    )
    try:
        running.look_after(process)
        yield address
    finally:
        end_all([process])


def _with(environment: dict[str, str]) -> Settings:
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        return read()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
