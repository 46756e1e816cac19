"""Where the engine's parts are plugged into Faust: its aiokafka driver with another consumer and producer.

Flows in: Faust's requests for a consumer, a producer and a transaction manager. Flows out: the engine's.
"""

from __future__ import annotations

from typing import Any

from faust.transport.drivers import aiokafka as driver
from signaalwissel.streams.consumer import ChunkConsumer, ChunkFetcher
from signaalwissel.streams.errors import EngineError
from signaalwissel.streams.transaction_manager import ChunkTransactions


class NoProducer(driver.Producer):
    """Faust's own producer, which the engine does not let send: it writes outside the transactions (B.1)."""

    mundane_level = "debug"

    async def on_start(self) -> None:
        """Start the buffer, which the conductor asks for its size; connect to nothing."""
        await self.add_runtime_dependency(self.buffer)

    async def send(self, topic: str, *_args: Any, **_kwargs: Any) -> Any:
        """Refuse; see `ChunkTransactions.send`."""
        raise EngineError(f"a record for {topic} was sent past the outputs of its chunk")


class ChunkTransport(driver.Transport):
    """The aiokafka transport of a chunk app."""

    Consumer = ChunkConsumer
    Fetcher = ChunkFetcher
    Producer = NoProducer
    TransactionManager = ChunkTransactions
