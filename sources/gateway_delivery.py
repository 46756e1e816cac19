"""The gateway's way onto Kafka: a record is delivered when every replica in sync has it, and not a moment earlier.

In: records. Out: nothing once the broker acknowledged; Away where it does not in time, Busy where too much waits.
Idempotent (acks=all), so that a retry of the client library writes a record once.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

log = logging.getLogger(__name__)

WAITING_MAX = 20_000
"""Records that may wait for the broker; the client library itself has no bound."""
WAITING_BYTES_MAX = 16 << 20
_LINGER_MS = 3
_PAUSE_S = 0.5
_LOOK_S = 2.0
_LOOK_BOUND_MS = 3000


class Away(RuntimeError):
    """Kafka does not take records; names no record."""


class Busy(Away):
    """Too much waits for Kafka already."""


class Outlet(Protocol):
    """Where the gateway's records go."""

    async def deliver(
        self, topic: str, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> None:
        """Return once the record is safe; raises Away."""

    async def ready(self) -> bool:
        """Whether records would be taken now."""

    def close(self) -> None:
        """Wait for what is under way, within the bound."""


class KafkaOutlet:
    """Delivers to Kafka.

    Args:
        bootstrap: Kafka's address.
        connection: Security options as kafka-python takes them.
        topics: The topics, with prefix; each must be there.
        bound_s: How long a record may take.
        login_fault: What is wrong with the login, or None; asked when Kafka does not answer, in a thread, as a user who
            was taken away looks like a broker that is gone.

    Raises:
        Away: There is no broker, or a topic is not there.
    """

    def __init__(
        self,
        bootstrap: str,
        connection: Mapping[str, Any],
        topics: Sequence[str],
        bound_s: float = 10.0,
        login_fault: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._login_fault = login_fault
        self._options = {**connection, "bootstrap_servers": bootstrap.split(",")}
        self._topics = tuple(topics)
        self._bound_s = bound_s
        self._waiting = 0
        self._waiting_bytes = 0
        self._looked_at = 0.0
        self._seen = False
        self._closed = False
        self._renewing: threading.Thread | None = None
        self._news = _News()
        try:
            missing = set(self._topics) - self._there()
            if missing:
                raise Away(f"there is no topic {min(missing)!r}; make it with `topics apply`")
            self._producer: KafkaProducer | None = self._opened()
        except KafkaError as error:
            raise Away(f"Kafka at {bootstrap}: {error}") from error

    async def deliver(
        self, topic: str, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> None:
        size = len(value)
        if self._waiting >= WAITING_MAX or self._waiting_bytes + size > WAITING_BYTES_MAX:
            raise Busy("too many records wait for Kafka")
        producer = self._producer
        if producer is None:
            self._renew()
            raise Away("Kafka does not take records")
        delivered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting += 1
        self._waiting_bytes += size
        try:
            sending = producer.send(topic, key=key, value=value, headers=list(headers))
            sending.add_callback(lambda _: self._news.tell(delivered, None))
            sending.add_errback(lambda error: self._news.tell(delivered, error))
            # The producer gives up by itself; this is for the case that it hangs.
            async with asyncio.timeout(self._bound_s * 2):
                await delivered
        except (KafkaError, TimeoutError) as error:
            self._give_up(producer)
            raise Away(f"Kafka did not take a record for {topic}: {type(error).__name__}") from error
        finally:
            self._waiting -= 1
            self._waiting_bytes -= size

    async def ready(self) -> bool:
        """Whether the broker answers and has the topics; looked at every two seconds at most."""
        if self._waiting >= WAITING_MAX:
            return False
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_S:
            self._looked_at = now
            self._seen = await asyncio.to_thread(self._look)
        return self._seen

    def close(self) -> None:
        self._closed = True
        if self._producer is not None:
            _close(self._producer, self._bound_s)

    def _give_up(self, producer: KafkaProducer) -> None:
        """Go on with a new producer: an idempotent one that lost a record does not always find its way back."""
        self._seen = False
        if self._producer is producer:
            self._producer = None
            # What still waits in it gets its answer, or its error, from there.
            threading.Thread(target=_close, args=(producer, self._bound_s), daemon=True).start()
            self._renew()

    def _renew(self) -> None:
        if not self._closed and (self._renewing is None or not self._renewing.is_alive()):
            self._renewing = threading.Thread(target=self._open_again, name="gateway-kafka", daemon=True)
            self._renewing.start()

    def _open_again(self) -> None:
        try:
            producer = self._opened()
        except KafkaError as error:
            self._tell(error)
            time.sleep(_PAUSE_S)
            return
        self._producer = producer
        log.warning("gateway: Kafka answers again")

    def _opened(self) -> KafkaProducer:
        """A producer that knows the topics; raises KafkaError."""
        bound_ms = int(self._bound_s * 1000)
        producer = KafkaProducer(
            **self._options,
            client_id="signaalwissel-gateway",
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            linger_ms=_LINGER_MS,
            request_timeout_ms=max(1000, bound_ms // 2),
            delivery_timeout_ms=bound_ms,
            max_block_ms=bound_ms,
            bootstrap_timeout_ms=bound_ms,
            metrics_enabled=False,
        )
        try:
            # So that no request waits for the first look at a topic's partitions.
            for topic in self._topics:
                producer.partitions_for(topic)
        except KafkaError:
            producer.close(timeout=0)
            raise
        return producer

    def _look(self) -> bool:
        try:
            return set(self._topics) <= self._there()
        except KafkaError as error:
            self._tell(error)
            return False

    def _tell(self, error: KafkaError) -> None:
        fault = self._login_fault()
        if fault is None:
            log.warning("gateway: Kafka does not answer: %s", type(error).__name__)
        else:
            log.error("gateway: Kafka does not let us in: %s; mend the login and restart", fault)

    def _there(self) -> set[str]:
        """The topics of the broker; raises KafkaError."""
        admin = KafkaAdminClient(
            **self._options,
            client_id="signaalwissel-gateway-look",
            request_timeout_ms=_LOOK_BOUND_MS,
            bootstrap_timeout_ms=_LOOK_BOUND_MS,
        )
        try:
            return set(admin.list_topics())
        finally:
            admin.close()


class _News:
    """What became of records, from the producer's thread to the loop that waits: those of one answer of the broker as one.

    To wake the loop costs more than the news itself.
    """

    def __init__(self) -> None:
        self._untold: deque[tuple[asyncio.Future[None], BaseException | None]] = deque()
        self._called: asyncio.AbstractEventLoop | None = None

    def tell(self, delivered: "asyncio.Future[None]", error: BaseException | None) -> None:
        """Settle a future of a loop in another thread, soon."""
        loop = delivered.get_loop()
        self._untold.append((delivered, error))
        if self._called is not loop:
            self._called = loop
            loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        # Before it looks: what is appended after that calls again.
        self._called = None
        while self._untold:
            delivered, error = self._untold.popleft()
            # Whoever waited may have gone: the record is on its way all the same.
            if delivered.done():
                continue
            if error is None:
                delivered.set_result(None)
            else:
                delivered.set_exception(error)


def _close(producer: KafkaProducer, bound_s: float) -> None:
    try:
        producer.close(timeout=bound_s)
    except KafkaError as error:
        # Whoever waited for those records has been told.
        log.warning("gateway: a producer was closed with records in it: %s", type(error).__name__)
