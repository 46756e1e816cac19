"""Kafka's ids of topics: a topic that was made anew under its old name has another one.

Flows in: names of topics. Flows out: their ids.

Why not aiokafka alone: it speaks the metadata request up to version 5, and topics have ids from version 10 on. A broker
that does not speak version 12 (Kafka before 3.1) is asked in version 5, and its topics have no id.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from uuid import UUID

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest_v5
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)
from signaalwissel.streams.positions import UNKNOWN_ID

NO_ID = UUID(UNKNOWN_ID)


class _Uuid(AbstractType[UUID]):
    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


_TAGS = ("tags", TaggedFields)
_NAME = CompactString("utf-8")


class _Told(Response):
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(("node_id", Int32), ("host", _NAME), ("port", Int32), ("rack", _NAME), _TAGS),
        ),
        ("cluster_id", _NAME),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", _NAME),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        _TAGS,
                    ),
                ),
                ("authorized_operations", Int32),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class _Ask(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = _Told
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("topic", _NAME), _TAGS)),
        ("allow_auto_topic_creation", Boolean),
        ("include_authorized_operations", Boolean),
        _TAGS,
    )


class _TopicIds(Request[MetadataRequest_v5 | _Ask]):
    """Is built in the newest of the two versions that the broker speaks."""

    API_KEY = 3

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics = list(topics)

    def build(self, request_struct_class: type[MetadataRequest_v5 | _Ask]) -> MetadataRequest_v5 | _Ask:
        if request_struct_class.API_VERSION < _Ask.API_VERSION:
            return request_struct_class(self._topics, False)
        return request_struct_class([(NO_ID, topic, {}) for topic in self._topics], False, False, {})


class IdentifyingAdmin(AIOKafkaAdminClient):
    """An administration client that knows topics by their ids too."""

    async def topic_ids(self, topics: Iterable[str]) -> dict[str, str]:
        """The id of each topic, as hexadecimal digits; `UNKNOWN_ID` where the broker knows none.

        Raises:
            KafkaError: a topic is not there, or not for this client.
        """
        told = (await self._send_request(_TopicIds(topics))).to_object()["topics"]
        for topic in told:
            if topic["error_code"]:
                raise for_code(topic["error_code"])(topic["topic"])
        return {topic["topic"]: topic.get("topic_id", NO_ID).hex for topic in told}
