"""What the engine asks the broker apart from records: partition counts, settings and offsets.

Flows in: questions. Flows out: answers, after bounded retries.

Why not Faust's consumer (engine notes B.3, B.5): under `exactly_once` it answers "how far does the log go"
from a cache that is empty right after an assignment, so a recovery ends at once with an empty table or dies;
and it knows partition counts of subscribed topics only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    CoordinatorLoadInProgressError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from aiokafka.structs import OffsetAndMetadata
from signaalwissel.streams.bounded import bounded
from signaalwissel.streams.errors import LayoutError
from signaalwissel.streams.positions import Log, Origin
from signaalwissel.streams.settings import EngineSettings
from signaalwissel.streams.topic_ids import IdentifyingAdmin
from signaalwissel.streams.wire import ForgivingConsumer

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

REQUEST_TIMEOUT_MS = 10_000
RETRY_PAUSE_S = 0.5
REFUSALS = (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)
"""Errors that no retry mends."""


class Cluster:
    """Two clients without a group membership: one for offsets of the log, one for counts, settings and the group's."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._log_client: AIOKafkaConsumer | None = None
        self._admin: IdentifyingAdmin | None = None

    async def open(self) -> None:
        """Connect, waiting up to `broker_timeout_s` for a broker.

        Raises:
            BrokerAwayError: no broker within the bound.
        """
        await self._retried("connecting to it", self._connect)

    async def _connect(self) -> None:
        settings = self._settings
        admin = IdentifyingAdmin(
            bootstrap_servers=settings.bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS, **settings.connection
        )
        async with AsyncExitStack() as undo:
            undo.push_async_callback(admin.close)
            await admin.start()
            undo.pop_all()
        self._admin = admin
        self._log_client = await self._new_reader()

    async def new_reader(self) -> AIOKafkaConsumer:
        """A started consumer of committed records without a group; the caller assigns, seeks and stops it."""
        return await self._retried("connecting a reader", self._new_reader)

    async def _new_reader(self, isolation_level: str = "read_committed") -> AIOKafkaConsumer:
        settings = self._settings
        reader = ForgivingConsumer(
            bootstrap_servers=settings.bootstrap,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level=isolation_level,
            max_partition_fetch_bytes=settings.fetch_partition_bytes,
            fetch_max_bytes=settings.fetch_bytes,
            **settings.connection,
        )
        async with AsyncExitStack() as undo:
            undo.push_async_callback(reader.stop)
            await reader.start()
            undo.pop_all()
        return reader

    async def close(self) -> None:
        """Close both connections."""
        if self._log_client is not None:
            await self._log_client.stop()
        if self._admin is not None:
            await self._admin.close()
        self._log_client = self._admin = None

    async def partition_counts(self) -> dict[str, int]:
        """The number of partitions of every topic that this client may see."""
        topics = await self._retried("reading the topics", lambda: self._open_admin().describe_topics())
        return {topic["topic"]: len(topic["partitions"]) for topic in topics if not topic["error_code"]}

    async def topic_settings(self, topics: Iterable[str]) -> dict[str, dict[str, str | None]]:
        """The settings of topics, by name and key.

        Raises:
            LayoutError: the broker refuses to tell them.
        """
        asked = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
        answers = await self._retried(
            "reading the topics' settings", lambda: self._open_admin().describe_configs(asked)
        )
        found: dict[str, dict[str, str | None]] = {}
        for code, text, _kind, topic, entries in (told for answer in answers for told in answer.resources):
            if code:
                raise LayoutError(
                    f"the broker does not tell the settings of {topic} (error {code}: {text}); this client needs "
                    "the right DescribeConfigs on the topics that it reads"
                )
            found[topic] = {entry[0]: entry[1] for entry in entries}
        return found

    async def beginnings(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset that each log still holds."""
        asked = list(partitions)
        return await self._retried(
            "asking where logs begin", lambda: self._open_log().beginning_offsets(asked)
        )

    async def ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset behind the last committed record or marker (the last stable offset) of each log."""
        asked = list(partitions)
        return await self._retried("asking where logs end", lambda: self._open_log().end_offsets(asked))

    async def written_ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset behind the last record of each log, that of an open transaction too."""
        asked = list(partitions)
        return await self._retried("asking how far logs are written", lambda: self._written_ends(asked))

    async def _written_ends(self, asked: list[TopicPartition]) -> dict[TopicPartition, int]:
        reader = await self._new_reader("read_uncommitted")
        try:
            found: dict[TopicPartition, int] = await reader.end_offsets(asked)
            return found
        finally:
            await reader.stop()

    async def logs(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Log]:
        """Each partition as the log that it is, and up to where it is committed."""
        asked = list(partitions)
        topics = sorted({tp.topic for tp in asked})
        ids = await self._retried("asking for topics' ids", lambda: self._open_admin().topic_ids(topics))
        beginnings, ends = await self.beginnings(asked), await self.ends(asked)
        return {tp: Log(Origin(ids[tp.topic], beginnings[tp]), ends[tp]) for tp in asked}

    async def committed(
        self, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, OffsetAndMetadata]:
        """The offsets that the app's group committed; partitions without one are missing."""
        asked, group = list(partitions), self._settings.app_id

        async def ask() -> Mapping[TopicPartition, OffsetAndMetadata]:
            found = await self._open_admin().list_consumer_group_offsets(group, partitions=asked)
            # A coordinator that is still loading the group refuses the whole, in a field at which aiokafka does not look:
            # its answer without a partition would read as "nothing committed", and everything be handled again.
            if not found.keys() >= set(asked):
                raise CoordinatorLoadInProgressError(f"no answer for some partitions of group {group}")
            return found

        found = await self._retried("asking for committed offsets", ask)
        return {tp: committed for tp, committed in found.items() if committed.offset >= 0}

    def _open_admin(self) -> IdentifyingAdmin:
        assert self._admin is not None, "the cluster is asked before it was opened"  # noqa: S101 order of calls
        return self._admin

    def _open_log(self) -> AIOKafkaConsumer:
        assert self._log_client is not None, "the cluster is asked before it was opened"  # noqa: S101 order of calls
        return self._log_client

    async def _retried(self, doing: str, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        async with bounded(doing, self._settings.broker_timeout_s):
            while True:
                try:
                    return await ask()
                except REFUSALS:
                    raise
                except (KafkaError, OSError, TimeoutError) as error:
                    log.warning("no answer while %s, trying again: %r", doing, error)
                await asyncio.sleep(RETRY_PAUSE_S)


def check_layout(counts: Mapping[str, int], inputs: Iterable[str], changelogs: Iterable[str]) -> int:
    """Return the partition count that inputs and changelogs share.

    Raises:
        LayoutError: a topic is missing or has another count; the text lists them all.
    """
    topics = [*inputs, *changelogs]
    missing = [topic for topic in topics if topic not in counts]
    if missing:
        raise LayoutError(f"missing topics: {', '.join(missing)}; make them with `topics apply`")
    found = {counts[topic] for topic in topics}
    if len(found) != 1:
        listed = ", ".join(f"{topic} has {counts[topic]}" for topic in topics)
        raise LayoutError(
            f"input and changelog topics need the same number of partitions, but {listed}; a key would be "
            "looked up in one worker and stored in another"
        )
    return found.pop()


def retentions_of(found: Mapping[str, Mapping[str, str | None]]) -> dict[str, int]:
    """How long topics keep a record, in milliseconds, from their settings; those that keep all are missing."""
    kept = {topic: told.get("retention.ms") for topic, told in found.items()}
    policies = {topic: told.get("cleanup.policy") or "delete" for topic, told in found.items()}
    return {
        topic: int(limit)
        for topic, limit in kept.items()
        if limit and int(limit) > 0 and "delete" in policies[topic]
    }
