"""aiokafka on uvloop: a connection that was reset is made anew, and nothing that reads or sends ends over it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka import conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest
from signaalwissel.streams.loops import UvloopConnection, new_event_loop

pytest.importorskip("uvloop")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = new_event_loop()
    yield loop
    loop.close()


async def _connected(server: socket.socket) -> tuple[Any, socket.socket]:
    """An open connection of aiokafka, which has not spoken yet, and the server's end of it."""
    port = server.getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    accepted, _ = server.accept()
    connection = conn.AIOKafkaConnection("127.0.0.1", port)
    connection._reader, connection._writer = reader, writer
    connection._read_task = asyncio.get_running_loop().create_task(reader.read())
    connection._versions = {MetadataRequest.API_KEY: (0, 1)}
    return connection, accepted


def test_a_connection_that_was_reset_is_lost_and_not_a_defect(loop: asyncio.AbstractEventLoop) -> None:
    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            connection, accepted = await _connected(server)
            assert type(connection) is UvloopConnection
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            accepted.close()
            with pytest.raises(ConnectionResetError):
                await connection._read_task
            with pytest.raises(KafkaConnectionError, match="broken"):
                connection.send(MetadataRequest([]))
            assert connection._writer is None

    loop.run_until_complete(run())
