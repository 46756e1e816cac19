"""A TCP proxy that can be slow, deaf, dumb or rude: in a thread of its own, its dice seeded.

In: where to connect to. Out: a port that leads there. What a TCP proxy cannot do is lose packets: it stalls or resets.
"""

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

_READ = 64 << 10
_LOOK_S = 0.02
_START_S = 10.0
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Temper:
    """How a proxy treats what passes.

    Attributes:
        delay_s: Every byte waits so long, in each direction.
        jitter_s: And up to so much longer.
        bytes_per_s: At most so many in each direction of a connection; 0: as fast as it goes.
        up: Whether bytes go to the server.
        down: Whether bytes come back from it.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: int = 0
    up: bool = True
    down: bool = True


CALM = Temper()
DEAF = Temper(up=False, down=False)


@dataclass
class Proxy:
    """Leads from `port` to `target` while the `running` block lasts; `temper` may be changed at any time."""

    seed: int
    target: int = 0
    port: int = 0
    temper: Temper = CALM
    resets: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def running(self) -> Iterator["Proxy"]:
        started = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), daemon=True)
        thread.start()
        assert started.wait(_START_S), "the proxy does not start"
        try:
            yield self
        finally:
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self._ended.set)
            thread.join(_START_S)

    @contextmanager
    def being(self, temper: Temper) -> Iterator[None]:
        """Have this temper for the length of the block, and be calm behind it."""
        self.temper = temper
        try:
            yield
        finally:
            self.temper = CALM

    def reset(self, share: float = 1.0) -> None:
        """Break off connections as a network does that forgot them: RST to both sides."""
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(self._reset(share), self._loop).result(_START_S)

    async def _reset(self, share: float) -> None:
        dice = random.Random(f"{self.seed}/{self.resets}")
        for writer in list(self._writers):
            if dice.random() < share:
                self.resets += 1
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                writer.transport.abort()

    async def _serve(self, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        server = await asyncio.start_server(self._accept, LOOPBACK, self.port)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._ended.wait()
        server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection(LOOPBACK, self.target)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, server_writer}
        self._writers |= pair
        number = len(self._writers)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, server_writer, f"{number}/up"))
                both.create_task(self._pump(server_reader, writer, f"{number}/down"))
        except* (OSError, _Over):
            pass
        finally:
            self._writers -= pair
            for one in pair:
                one.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str) -> None:
        """One direction of a connection: what is read waits its turn, without holding up what comes behind it."""
        dice = random.Random(f"{self.seed}/{name}")
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        upward = name.endswith("up")
        loop = asyncio.get_running_loop()

        async def read() -> None:
            while data := await reader.read(_READ):
                temper = self.temper
                waiting.put_nowait((loop.time() + temper.delay_s + dice.random() * temper.jitter_s, data))
            waiting.put_nowait((loop.time(), b""))

        async def write() -> None:
            while True:
                due, data = await waiting.get()
                await asyncio.sleep(max(due - loop.time(), 0))
                while not (self.temper.up if upward else self.temper.down):  # noqa: ASYNC110 set by another thread
                    await asyncio.sleep(_LOOK_S)
                if not data:
                    raise _Over
                if self.temper.bytes_per_s:
                    await asyncio.sleep(len(data) / self.temper.bytes_per_s)
                writer.write(data)
                await writer.drain()

        async with asyncio.TaskGroup() as both:
            both.create_task(read())
            both.create_task(write())


class _Over(Exception):
    """One side has ended the connection."""


def slow(delay_s: float, jitter_s: float = 0.0, bytes_per_s: int = 0) -> Temper:
    """A temper that only takes time."""
    return replace(CALM, delay_s=delay_s, jitter_s=jitter_s, bytes_per_s=bytes_per_s)
