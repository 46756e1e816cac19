"""From one version to the next and back, both running, under load: nothing is lost and nothing is done twice."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from signaalwissel.deploy.ports import free_ports
from signaalwissel.processors.emissions import COUNSELLOR_FOLLOWUP, REGULAR_FLOW
from signaalwissel.processors.simulation_lines import Line
from signaalwissel.schemas.contract import codec
from signaalwissel.sinks.access import schema_version
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.outcomes import count_deliveries, stored_outcomes
from signaalwissel.sinks.schema_upgrade import SchemaTooNew, upgrade
from signaalwissel.sources.generator import generate

from tests.system.installation import Installation, gapless, last_of_each, outcome, simulated_decisions
from tests.system.next_version import REVISION, next_migrations
from tests.system.previous_version import previous_version
from tests.turns import turn

pytestmark = pytest.mark.timeout(900)

SIGNALS = int(os.environ.get("SIGNAALWISSEL_UPGRADE_SIGNALS", "6000"))
ROUNDS = 5
SINK = ("sink",)
WORKER = (("worker", "--only", "intake"), ("worker", "--only", "matcher"))


class Program(NamedTuple):
    """A version of the program: what starts it, and where it is imported from."""

    start: tuple[str, ...]
    path: str | None = None


class Started(NamedTuple):
    """A process, and the port on which it answers about its health."""

    process: "subprocess.Popen[bytes]"
    port: int


THIS = Program((sys.executable, "-m", "signaalwissel.console"))


class Rolling:
    """An installation whose processes are replaced one after the other while records come in.

    Args:
        product: The installation.
        lines: What is published, a part in each round.
    """

    def __init__(self, product: Installation, lines: Sequence[Line]) -> None:
        self.product = product
        self._lines = lines
        self._round = 0
        self.running: dict[tuple[str, ...], Started] = {}

    def load(self) -> None:
        """Publish the next part, without waiting for anybody."""
        part = -(-len(self._lines) // ROUNDS)
        self.product.publish(self._lines[self._round * part : (self._round + 1) * part])
        self._round += 1

    def begin(self, program: Program) -> None:
        """Start everything in one version."""
        for command in (*WORKER, SINK):
            self.running[command] = self._start(program, command)

    def replace(self, program: Program, *commands: tuple[str, ...], becomes: str | None = None) -> None:
        """Start the other version beside each process, let both run under load, then stop the one that was there.

        Args:
            program: The other version.
            commands: Which processes.
            becomes: The schema's version, which a new sink makes while the one before it is still at work.
        """
        beside = {command: self._start(program, command) for command in commands}
        self.load()
        self.product.wait_until(self._both_at_work(beside), "the other version is at work")
        if SINK in beside and becomes is not None:
            self.product.wait_until(lambda: version(self.product) == becomes, f"the schema is {becomes}")
        for command in commands:
            self._stop(self.running[command])
        self.running |= beside

    def _both_at_work(self, beside: Mapping[tuple[str, ...], Started]) -> Callable[[], bool]:
        def at_work() -> bool:
            for started in (*beside.values(), *self.running.values()):
                assert started.process.poll() is None, f"a process has ended\n{self.product.logs()}"
            # A sink is ready only when the one before it has let go; a worker, when it has taken its share over.
            return all(
                answers(started.port, "/livez" if command == SINK else "/readyz")
                for command, started in beside.items()
            )

        return at_work

    def _start(self, program: Program, command: tuple[str, ...]) -> Started:
        (port,) = free_ports(1)
        number = (*WORKER, SINK).index(command)
        given = self.product.environment | {"SIGNAALWISSEL_HEALTH_PORT": str(port - number)}
        given |= {} if program.path is None else {"PYTHONPATH": program.path}
        log = self.product.folder / f"{'-'.join(command)}-{len(self.product.processes)}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*program.start, *command], env=given, stdout=out, stderr=subprocess.STDOUT
            )
        self.product.processes.append(process)
        return Started(process, port)

    def _stop(self, started: Started) -> None:
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(60) == 0, self.product.logs()


def answers(port: int, path: str) -> bool:
    """Whether a process answers 200."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=5).is_success
    except httpx.TransportError:
        return False


def check(product: Installation, lines: Sequence[Line]) -> None:
    """Every delivery is decided once for each revision, routed once, stored once, and decided as the rules say."""
    product.settle(sink=True)
    expected = last_of_each(simulated_decisions(product.simulated(lines)))
    found = product.decisions()
    assert gapless(found)
    records = [record for topic in (COUNSELLOR_FOLLOWUP, REGULAR_FLOW) for record in product.read(topic)]
    routed = Counter(codec("RoutedSignal").decode(record.value).routing_id for record in records)
    assert set(routed.values()) == {1}
    assert {name.split("-")[0] for name in routed} == set(expected)
    decided = {key: outcome(decision) for key, decision in last_of_each(found).items()}
    assert decided == {key: outcome(decision) for key, decision in expected.items()}
    engine = open_engine(product.database_url, name="test")
    assert count_deliveries(engine) == len(expected)
    stored = {
        (o.municipality, o.partner_id, o.signal_id, o.received_at): (o.route, o.trajectory_id)
        for o in stored_outcomes(engine)
    }
    assert stored == {
        (d.municipality, d.partner.partner_id, d.signal_id, d.received_at): outcome(d)
        for d in expected.values()
    }


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """Without tables: each version makes its own."""
    return empty_database_url


def version(product: Installation) -> str | None:
    return schema_version(open_engine(product.database_url, name="test")).present


def newest(product: Installation) -> str | None:
    return schema_version(open_engine(product.database_url, name="test")).newest


@pytest.fixture
def lines() -> list[Line]:
    return list(generate(SIGNALS // 3, SIGNALS, 77))


@pytest.fixture
def product(install: Callable[..., Installation]) -> Installation:
    return install()


@turn(0, of=2)
def test_to_the_next_version_and_back_with_both_running_nothing_is_lost_or_double(
    product: Installation, lines: list[Line], tmp_path: Path
) -> None:
    head = version(product)
    assert head is not None
    folder = next_migrations(tmp_path / "next", head)
    following = Program((sys.executable, "-m", "tests.system.next_version", str(folder)))
    rolling = Rolling(product, lines)
    rolling.begin(THIS)
    rolling.load()
    rolling.replace(following, *WORKER)
    rolling.replace(following, SINK, becomes=REVISION)
    # While the next one waited for its place, the sink of this version went on, on the schema that the next one made.
    assert version(product) == REVISION
    rolling.replace(THIS, *WORKER)
    rolling.replace(THIS, SINK)
    assert version(product) == REVISION
    check(product, lines)


@turn(1, of=2)
def test_from_the_previous_version_with_both_running_nothing_is_lost_or_double(
    install: Callable[..., Installation], lines: list[Line], tmp_path: Path
) -> None:
    installed = previous_version(tmp_path)
    previous = Program(THIS.start, str(installed))
    told = subprocess.run(
        [sys.executable, "-c", "import signaalwissel.sinks.database as d, signaalwissel.schemas.signal as s; print(d.__file__, s.__file__)"],
        env=os.environ | {"PYTHONPATH": previous.path or ""}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert all(file.startswith(str(installed)) for file in told.stdout.split()), told.stdout
    product = install(schema=lambda url: _migrated_by(previous, url))
    before = version(product)
    rolling = Rolling(product, lines)
    rolling.begin(previous)
    rolling.load()
    rolling.replace(THIS, *WORKER)
    rolling.replace(THIS, SINK, becomes=newest(product))
    assert version(product) != before
    # The worker of the previous version can come back; its sink, from where this version's floor is its own.
    rolling.replace(previous, *WORKER)
    rolling.replace(THIS, *WORKER)
    check(product, lines)


def _migrated_by(program: Program, url: str) -> None:
    code = "import sys; from signaalwissel.sinks.database import migrate; migrate(sys.argv[1])"
    given = os.environ | {"PYTHONPATH": program.path or ""}
    subprocess.run([sys.executable, "-c", code, url], env=given, check=True, timeout=120)


def test_a_program_does_not_work_on_a_database_that_takes_newer_programs_only(
    database_url: str, tmp_path: Path
) -> None:
    now = migrate(database_url).now
    folder = next_migrations(tmp_path / "next", now, contracts=True)
    with open_engine(database_url, name="test").connect() as connection:
        assert upgrade(connection, folder).now == REVISION
    with pytest.raises(SchemaTooNew, match="takes programs from version next on"):
        migrate(database_url)


def test_a_program_works_on_a_database_to_which_a_newer_one_only_added(
    database_url: str, tmp_path: Path
) -> None:
    now = migrate(database_url).now
    with open_engine(database_url, name="test").connect() as connection:
        upgrade(connection, next_migrations(tmp_path / "next", now))
    found = migrate(database_url)
    assert (found.before, found.now, found.newer) == (REVISION, REVISION, True)
