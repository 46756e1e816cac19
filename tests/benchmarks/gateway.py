"""How many signals a second a gateway takes, and how long an answer takes, on a real broker and a real database.

`make bench-gateway`: 1,000 signals a second are offered for 20 seconds, then as many as it can take, to one process and
to two; and 200 checks a second, of residents of whom many are in debt help. The figures are printed as JSON and asserted
nowhere. SIGNAALWISSEL_BENCH_S is how long each takes.
"""

import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, cycle
from typing import Any

from signaalwissel.console import key_service, runtime, topics
from signaalwissel.console.settings import Settings
from signaalwissel.deploy.platform import platform
from signaalwissel.deploy.progress import progress_on
from signaalwissel.deploy.settings import PlatformSettings
from signaalwissel.processors.emissions import DECISIONS
from signaalwissel.processors.emissions import SIGNALS as SIGNALS_TOPIC
from signaalwissel.processors.simulation import Simulation
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.sinks import trajectories
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.records import ReceivedState
from signaalwissel.sinks.row_security import grant_reader
from signaalwissel.sources.generator import generate
from signaalwissel.streams.topics import layout

OFFERED_S = 1000
CHECKED_S = 200
DURATION_S = float(os.environ.get("SIGNAALWISSEL_BENCH_S", "20"))
RESIDENTS, SIGNALS = 3_000, 4_000
CODES = ("0344", "0363", "0518", "0599")
"""For which the development login vouches."""
CONNECTIONS = 64


class Load:
    """Sends requests over connections that stay open; counts statuses and times.

    Args:
        port: Of the gateway.
        token: Of whoever sends.
        path: To which.
        bodies: Sent in turn, for ever.
    """

    def __init__(self, port: int, token: str, path: str, bodies: Iterator[bytes]) -> None:
        self._port = port
        self._token = token
        self._path = path
        self._bodies = bodies
        self.statuses: Counter[int | str] = Counter()
        self.took_ms: list[float] = []

    async def run(self, per_s: float | None) -> dict[str, Any]:
        """Offer `per_s` requests a second, None for as many as come back."""
        began = time.perf_counter()
        self.statuses.clear()
        self.took_ms.clear()
        await asyncio.gather(*(self._connection(began, per_s, index) for index in range(CONNECTIONS)))
        took_s = time.perf_counter() - began
        self.took_ms.sort()
        return {
            "path": self._path,
            "offered_per_s": per_s,
            "answered_per_s": round(len(self.took_ms) / took_s),
            "statuses": dict(self.statuses),
            "median_ms": round(statistics.median(self.took_ms), 1),
            "p99_ms": round(self.took_ms[int(len(self.took_ms) * 0.99)], 1),
        }

    async def once(self) -> None:
        """Wait until it answers."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        status = await self._asked(reader, writer)
        writer.close()
        assert status < 300, status

    async def _connection(self, began: float, per_s: float | None, index: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        gap_s = 0.0 if per_s is None else CONNECTIONS / per_s
        due = began + index * gap_s / CONNECTIONS
        while due < began + DURATION_S:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            # From when it was due, so that a server that stalls does not hide its own delay.
            since = due if per_s is not None else time.perf_counter()
            try:
                self.statuses[await self._asked(reader, writer)] += 1
            except (OSError, EOFError):
                self.statuses["broken"] += 1
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            self.took_ms.append((time.perf_counter() - since) * 1000)
            due = due + gap_s if per_s is not None else time.perf_counter()
        writer.close()

    async def _asked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        writer.write(self._request())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = re.search(r"content-length: (\d+)", head)
        assert length is not None
        await reader.readexactly(int(length[1]))
        return int(head.split(" ", 2)[1])

    def _request(self) -> bytes:
        body = next(self._bodies)
        head = (
            f"POST /v1/{self._path} HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {self._token}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


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
            "GATEWAY_CHECKS": "true",
            "GATEWAY_CHECKS_PER_S": "100000",
            "HTTP_RATE_PER_S": "1000000",
        }
        settings = Settings(**{name.lower(): value for name, value in variables.items()})  # type: ignore[arg-type]
        with topics.admin(settings) as client:
            topics.make(client, layout(runtime.names(settings), settings.partitions), 1)
        checked = _town(settings)
        figures = [
            *_measured(variables, 1, "signalen", _new_signals(), (OFFERED_S, None)),
            *_measured(variables, 2, "signalen", _new_signals(), (OFFERED_S, None)),
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
            load = Load(port, _token_in(log.fileno()), path, bodies)
            asyncio.run(load.once())
            return [{"processes": processes, **asyncio.run(load.run(per_s))} for per_s in offered]
        finally:
            process.terminate()


def _new_signals() -> Iterator[bytes]:
    for number in count():
        signal = {
            "signal_id": f"S-{number}",
            "municipality": "0344",
            "partner": {"partner_id": "water-west", "kind": "WATER"},
            "subject": {"bsn": "999990019", "postcode": "1234AB", "house_number": 7, "surname": "Test"},
            "arrears": "182.40",
        }
        yield json.dumps(signal).encode()


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
