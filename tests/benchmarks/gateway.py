"""How many signals a second one gateway process takes, and how long an answer takes, on a real broker.

`make bench-gateway`: 1,000 requests a second are offered for 20 seconds, each a new signal; then as many as it can
take. The figures are printed as JSON and asserted nowhere.
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
from typing import Any

from signaalwissel.console import runtime, topics
from signaalwissel.console.settings import Settings
from signaalwissel.deploy.platform import platform
from signaalwissel.deploy.progress import progress_on
from signaalwissel.deploy.settings import PlatformSettings
from signaalwissel.streams.topics import layout

OFFERED_S = 1000
DURATION_S = 20
CONNECTIONS = 64


class Load:
    """Sends signals over connections that stay open; counts statuses and times."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self._number = 0
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
            "offered_per_s": per_s,
            "answered_per_s": round(len(self.took_ms) / took_s),
            "statuses": dict(self.statuses),
            "median_ms": round(statistics.median(self.took_ms), 1),
            "p99_ms": round(self.took_ms[int(len(self.took_ms) * 0.99)], 1),
        }

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
        self._number += 1
        signal = {
            "signal_id": f"S-{self._number}",
            "municipality": "0344",
            "partner": {"partner_id": "water-west", "kind": "WATER"},
            "subject": {"bsn": "999990019", "postcode": "1234AB", "house_number": 7, "surname": "Test"},
            "arrears": "182.40",
        }
        body = json.dumps(signal).encode()
        head = (
            "POST /v1/signalen HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {self._token}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def main() -> None:
    """Start Kafka and a gateway, load it and print the figures."""
    with platform(PlatformSettings.from_environment(os.environ), progress=progress_on(sys.stderr)) as servers:
        variables = {
            "SIGNAALWISSEL_KAFKA_BOOTSTRAP": servers.kafka_bootstrap,
            "SIGNAALWISSEL_DEVELOPMENT_LOGIN": "true",
            "SIGNAALWISSEL_EVERY_MUNICIPALITY": "true",
            "SIGNAALWISSEL_GATEWAY_PORT": "0",
            "SIGNAALWISSEL_HTTP_RATE_PER_S": "1000000",
        }
        settings = Settings(kafka_bootstrap=servers.kafka_bootstrap)
        with topics.admin(settings) as client:
            topics.make(client, layout(runtime.names(settings), settings.partitions), 1)
        command = [sys.executable, "-m", "signaalwissel.console", "gateway", "--json"]
        with (
            tempfile.TemporaryFile() as log,
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, env={**os.environ, **variables}
            ) as process,
        ):
            try:
                assert process.stdout is not None
                port = json.loads(process.stdout.readline())["port"]
                load = Load(port, _token_in(log.fileno()))
                figures = [asyncio.run(load.run(per_s)) for per_s in (OFFERED_S, None)]
            finally:
                process.terminate()
        print(json.dumps(figures, indent=1))


def _token_in(log: int) -> str:
    """The token that the gateway writes among the first lines of its log."""
    while True:
        found = re.search(rb"SIGNAALWISSEL_TOKEN=(\S+)\n", os.pread(log, 65_536, 0))
        if found is not None:
            return found[1].decode()
        time.sleep(0.1)


if __name__ == "__main__":
    main()
