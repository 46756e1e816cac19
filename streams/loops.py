"""Event loops of the workers: uvloop's where it is installed, a third less CPU per record.

Why aiokafka's connections do not do on uvloop: to write to a connection that was reset raises RuntimeError there, and
aiokafka knows OSError only. Its fetcher then ends for good, and a worker that waits for it reads nothing any more.
"""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

from aiokafka import conn
from aiokafka.errors import KafkaConnectionError


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A new loop, of uvloop where there is one (there is none for Windows); aiokafka's connections then do on it."""
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:
        return asyncio.new_event_loop()
    # Connections are made by this name of its module; there is no other place to come between.
    conn.AIOKafkaConnection = UvloopConnection
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


class UvloopConnection(conn.AIOKafkaConnection):
    """A connection that, found closed when something is to be sent, is lost as any other: it is made anew."""

    def send(self, request: Any, expect_response: bool = True) -> Any:
        """Send, as AIOKafkaConnection does.

        Raises:
            KafkaConnectionError: the connection is lost.
        """
        try:
            return super().send(request, expect_response)
        except RuntimeError as error:
            if self._writer is None or not self._writer.transport.is_closing():
                raise
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"Connection at {self.host}:{self.port} broken: {error}") from error
