"""Requests for a gateway, as many a second as one likes."""

import asyncio
import json
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any

CONNECTIONS = 64


class Load:
    """Sends requests over connections that stay open; counts statuses and times.

    Args:
        port: Of the gateway.
        token: Of whoever sends.
        path: To which.
        bodies: Sent in turn, for ever.
        duration_s: How long each run offers requests.

    Attributes:
        statuses: How often each came back.
        taken: The bodies that were answered with 202.
    """

    def __init__(self, port: int, token: str, path: str, bodies: Iterator[bytes], duration_s: float) -> None:
        self._port = port
        self._token = token
        self._path = path
        self._bodies = bodies
        self._duration_s = duration_s
        self.statuses: Counter[int | str] = Counter()
        self.taken: list[bytes] = []
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
        while due < began + self._duration_s:
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
        body = next(self._bodies)
        writer.write(self._head(len(body)) + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = re.search(r"content-length: (\d+)", head)
        assert length is not None
        await reader.readexactly(int(length[1]))
        status = int(head.split(" ", 2)[1])
        if status == 202:
            self.taken.append(body)
        return status

    def _head(self, length: int) -> bytes:
        return (
            f"POST /v1/{self._path} HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {self._token}\r\ncontent-length: {length}\r\n\r\n"
        ).encode()


def new_signals(series: str) -> Iterator[bytes]:
    """Signals that nobody sent before in another series, for ever."""
    for number in count():
        signal = {
            "signal_id": f"{series}-{number}",
            "municipality": "0344",
            "partner": {"partner_id": "water-west", "kind": "WATER"},
            "subject": {"bsn": "999990019", "postcode": "1234AB", "house_number": 7, "surname": "Test"},
            "arrears": "182.40",
        }
        yield json.dumps(signal).encode()
