"""How many signals a second a gateway takes, and how long an answer takes, on a real broker and a real database.

`make bench-gateway`: 1,000 signals a second are offered for 20 seconds, then as many as it can take, to one process and
to two; and 200 checks a second, of residents of whom many are in debt help. What was acknowledged is looked for on the
topic. The figures are printed as JSON and asserted nowhere. SIGNAALWISSEL_BENCH_S is how long each takes.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any

from signaalwissel.console import key_service, runtime, topics
from signaalwissel.console.settings import Settings
from signaalwissel.deploy.platform import platform
from signaalwissel.deploy.progress import progress_on
from signaalwissel.deploy.settings import PlatformSettings
from signaalwissel.processors.emissions import DECISIONS
from signaalwissel.processors.emissions import SIGNALS as SIGNALS_TOPIC
from signaalwissel.processors.simulation import Simulation
from signaalwissel.schemas.early_signal_codec import read_early_signal
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.sinks import trajectories
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.records import ReceivedState
from signaalwissel.sinks.row_security import grant_reader
from signaalwissel.sources.generator import generate
from signaalwissel.streams.topics import layout

from tests.benchmarks.gateway_load import Load, new_signals
from tests.benchmarks.kafka_records import read_committed
from tests.benchmarks.report import Place

OFFERED_S = 1000
CHECKED_S = 200
DURATION_S = float(os.environ.get("SIGNAALWISSEL_BENCH_S", "20"))
RESIDENTS, SIGNALS = 3_000, 4_000
PARTITIONS = 8
CODES = ("0344", "0363", "0518", "0599")
"""For which the development login vouches."""


def main() -> None:
    """Start Kafka, PostgreSQL and gateways, load them and print the figures."""
    with (
        platform(PlatformSettings.from_environment(os.environ), progress=progress_on(sys.stderr)) as servers,
        tempfile.TemporaryDirectory() as folder,
    ):
        variables = {
            "KAFKA_BOOTSTRAP": servers.kafka_bootstrap,
            "DATABASE_URL": servers.database_url,
            "KEY_DIR": folder,
            "EVERY_MUNICIPALITY": "true",
            "DEVELOPMENT_LOGIN": "true",
            "GATEWAY_PORT": "0",
            "PARTITIONS": str(PARTITIONS),
            "GATEWAY_CHECKS": "true",
            "GATEWAY_CHECKS_PER_S": "100000",
            "HTTP_RATE_PER_S": "1000000",
        }
        settings = Settings(**{name.lower(): value for name, value in variables.items()})  # type: ignore[arg-type]
        with topics.admin(settings) as client:
            topics.make(client, layout(runtime.names(settings), settings.partitions), 1)
        checked = _town(settings)
        figures = [
            *_measured(variables, 1, "signalen", new_signals("one"), (OFFERED_S, None)),
            *_measured(variables, 2, "signalen", new_signals("two"), (OFFERED_S, None)),
            *_measured(variables, 1, "toetsen", cycle(checked), (CHECKED_S,)),
        ]
        print(json.dumps(figures, indent=1))


def _measured(
    variables: Mapping[str, str],
    processes: int,
    path: str,
    bodies: Iterator[bytes],
    offered: Sequence[float | None],
) -> list[dict[str, Any]]:
    """The figures of a gateway of so many processes."""
    command = [sys.executable, "-m", "signaalwissel.console", "gateway", "--json"]
    command += ["--processes", str(processes)]
    env = {**os.environ, **{f"SIGNAALWISSEL_{name}": value for name, value in variables.items()}}
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=env) as process,
    ):
        try:
            assert process.stdout is not None
            port = json.loads(process.stdout.readline())["port"]
            load = Load(port, _token_in(log.fileno()), path, bodies, DURATION_S)
            asyncio.run(load.once())
            figures = [{"processes": processes, **asyncio.run(load.run(per_s))} for per_s in offered]
            return [{**one, **_lost(variables["KAFKA_BOOTSTRAP"], load.taken)} for one in figures]
        finally:
            process.terminate()


def _lost(bootstrap: str, taken: Sequence[bytes]) -> dict[str, int]:
    """How many signals of a whole series were acknowledged, and how many of them are not on the topic."""
    if not taken:
        return {}
    wanted = {json.loads(body)["signal_id"] for body in taken}
    since = {Place(SIGNALS_TOPIC, number): 0 for number in range(PARTITIONS)}
    for records in read_committed(bootstrap, SIGNALS_TOPIC, since).values():
        wanted -= {read_early_signal(record.value).signal_id for record in records if record.value}
    return {"acknowledged": len(taken), "not_on_the_topic": len(wanted)}


def _town(settings: Settings) -> list[bytes]:
    """Trajectories of a generated month in the database, as the sink stores them; gives the month's signals."""
    migrate(runtime.database_url(settings))
    engine = open_engine(runtime.database_url(settings), name="bench")
    grant_reader(engine)
    simulation = Simulation(runtime.policies(settings), key_service.provider(settings), fresh_nonce)
    states: dict[bytes, ReceivedState] = {}

    def state(_key: bytes, value: bytes) -> tuple[()]:
        states[_key] = ReceivedState(read_trajectory_state(value), value)
        return ()

    simulation.tasks.state = state  # type: ignore[assignment, method-assign]
    signals = []
    for line in generate(RESIDENTS, SIGNALS, seed=1):
        decided = [one for one in simulation.feed(line) if one["topic"] == DECISIONS]
        if decided and line["topic"] == SIGNALS_TOPIC and line["value"]["municipality"] in CODES:
            signals.append(json.dumps(line["value"], default=str).encode())
    with engine.begin() as connection:
        trajectories.record(connection, list(states.values()), {})
    return signals


def _token_in(log: int) -> str:
    """The token that the gateway writes among the first lines of its log."""
    while True:
        found = re.search(rb"SIGNAALWISSEL_TOKEN=(\S+)\n", os.pread(log, 65_536, 0))
        if found is not None:
            return found[1].decode()
        time.sleep(0.1)


if __name__ == "__main__":
    main()
