"""Tries operations for real, one request for many topics: what a broker lets somebody do.

Flows in: a client of somebody. Flows out: the cells that the broker refused for want of a right; whatever else it
answers (no such group, wrong leader, a record of nonsense) came after the right was there.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from kafka.admin import KafkaAdminClient
from kafka.protocol.admin import (
    CreateAclsRequest,
    CreatePartitionsRequest,
    CreateTopicsRequest,
    DeleteGroupsRequest,
    DeleteTopicsRequest,
    DescribeAclsRequest,
    DescribeConfigsRequest,
    IncrementalAlterConfigsRequest,
)
from kafka.protocol.consumer import FetchRequest, HeartbeatRequest, OffsetFetchRequest
from kafka.protocol.metadata import FindCoordinatorRequest, MetadataRequest
from kafka.protocol.producer import InitProducerIdRequest, ProduceRequest
from kafka.record.memory_records import MemoryRecordsBuilder
from signaalwissel.processors.access_rights import CLUSTER, Kind, Operation

_TOPIC_REFUSED, _GROUP_REFUSED, _CLUSTER_REFUSED, _ID_REFUSED = 29, 30, 31, 53
_REFUSED = {_TOPIC_REFUSED, _GROUP_REFUSED, _CLUSTER_REFUSED, _ID_REFUSED}
_TOPIC_RESOURCE = 2
_BOUND_MS = 15_000

TOPIC_OPERATIONS = tuple(Operation)
GROUP_OPERATIONS = (Operation.READ, Operation.DESCRIBE, Operation.DELETE)
ID_OPERATIONS = (Operation.WRITE, Operation.DESCRIBE)
CLUSTER_OPERATIONS = (Operation.DESCRIBE, Operation.ALTER)


class Cell(NamedTuple):
    """One thing that somebody may or may not do."""

    kind: Kind
    name: str
    operation: Operation


def cells(topics: Iterable[str], groups: Iterable[str], ids: Iterable[str]) -> frozenset[Cell]:
    """Every cell of somebody's row."""
    return frozenset(
        {
            *(Cell(Kind.TOPIC, name, operation) for name in topics for operation in TOPIC_OPERATIONS),
            *(Cell(Kind.GROUP, name, operation) for name in groups for operation in GROUP_OPERATIONS),
            *(Cell(Kind.TRANSACTIONAL_ID, name, operation) for name in ids for operation in ID_OPERATIONS),
            *(Cell(Kind.CLUSTER, CLUSTER, operation) for operation in CLUSTER_OPERATIONS),
        }
    )


class Trials:
    """What somebody tries.

    Args:
        client: His own.
        leaders: Which node leads the one partition of each topic.
    """

    def __init__(self, client: KafkaAdminClient, leaders: Mapping[str, int]) -> None:
        self._client = client
        self._leaders = leaders

    def refused(self, wanted: Iterable[Cell]) -> frozenset[Cell]:
        """The cells that the broker refuses."""
        by_kind: dict[tuple[Kind, Operation], list[str]] = {}
        for cell in sorted(wanted):
            by_kind.setdefault((cell.kind, cell.operation), []).append(cell.name)
        return frozenset(
            Cell(kind, name, operation)
            for (kind, operation), names in by_kind.items()
            for name, code in self._codes(kind, operation, names).items()
            if code in _REFUSED
        )

    def _codes(self, kind: Kind, operation: Operation, names: Sequence[str]) -> dict[str, int]:
        found = self._tries()[kind, operation](names)
        assert found.keys() == set(names), f"no answer about {set(names) - found.keys()}: {operation}"
        return found

    def _tries(self) -> Mapping[tuple[Kind, Operation], Callable[[Sequence[str]], dict[str, int]]]:
        return {
            (Kind.TOPIC, Operation.READ): self._fetch,
            (Kind.TOPIC, Operation.WRITE): self._produce,
            (Kind.TOPIC, Operation.DESCRIBE): self._metadata,
            (Kind.TOPIC, Operation.DESCRIBE_CONFIGS): self._describe_configs,
            (Kind.TOPIC, Operation.ALTER_CONFIGS): self._alter_configs,
            (Kind.TOPIC, Operation.CREATE): self._create,
            (Kind.TOPIC, Operation.DELETE): self._delete,
            (Kind.TOPIC, Operation.ALTER): self._add_partitions,
            (Kind.GROUP, Operation.READ): self._each(self._heartbeat),
            (Kind.GROUP, Operation.DESCRIBE): self._each(self._offsets),
            (Kind.GROUP, Operation.DELETE): self._delete_groups,
            (Kind.TRANSACTIONAL_ID, Operation.WRITE): self._each(self._producer_id),
            (Kind.TRANSACTIONAL_ID, Operation.DESCRIBE): self._each(self._coordinator),
            (Kind.CLUSTER, Operation.DESCRIBE): self._each(self._acls),
            (Kind.CLUSTER, Operation.ALTER): self._each(self._no_acls),
        }

    def _ask(self, request: Any, node: int | None = None) -> Any:
        manager = self._client._manager
        return manager.run(manager.send, request, node)

    def _each(self, one: Callable[[str], int]) -> Callable[[Sequence[str]], dict[str, int]]:
        return lambda names: {name: one(name) for name in names}

    def _at_leaders(self, names: Sequence[str]) -> Iterable[tuple[int, list[str]]]:
        by_node: dict[int, list[str]] = {}
        for name in names:
            by_node.setdefault(self._leaders[name], []).append(name)
        return by_node.items()

    def _fetch(self, names: Sequence[str]) -> dict[str, int]:
        made, part = FetchRequest, FetchRequest.FetchTopic.FetchPartition
        found = {}
        for node, led in self._at_leaders(names):
            partition = part(partition=0, fetch_offset=0, partition_max_bytes=1 << 16)
            topics = [made.FetchTopic(topic=name, partitions=[partition]) for name in led]
            request = made(max_wait_ms=0, min_bytes=0, max_bytes=1 << 20, topics=topics, max_version=12)
            for answer in self._ask(request, node).responses:
                found[answer.topic] = answer.partitions[0].error_code
        return found

    def _produce(self, names: Sequence[str]) -> dict[str, int]:
        made, part = ProduceRequest, ProduceRequest.TopicProduceData.PartitionProduceData
        found = {}
        for node, led in self._at_leaders(names):
            topics = [
                made.TopicProduceData(name=name, partition_data=[part(index=0, records=_record())])
                for name in led
            ]
            request = made(acks=-1, timeout_ms=_BOUND_MS, topic_data=topics, max_version=9)
            for answer in self._ask(request, node).responses:
                found[answer.name] = answer.partition_responses[0].error_code
        return found

    def _metadata(self, names: Sequence[str]) -> dict[str, int]:
        topics = [MetadataRequest.MetadataRequestTopic(name=name) for name in names]
        answers = self._ask(MetadataRequest(topics=topics, allow_auto_topic_creation=False, max_version=9))
        return {answer.name: answer.error_code for answer in answers.topics}

    def _describe_configs(self, names: Sequence[str]) -> dict[str, int]:
        resources = [(_TOPIC_RESOURCE, name, None) for name in names]
        answers = self._ask(DescribeConfigsRequest(resources=resources)).results
        return {answer.resource_name: answer.error_code for answer in answers}

    def _alter_configs(self, names: Sequence[str]) -> dict[str, int]:
        set_it = [("retention.ms", 0, "604800000")]
        resources = [(_TOPIC_RESOURCE, name, set_it) for name in names]
        answers = self._ask(IncrementalAlterConfigsRequest(resources=resources, validate_only=True)).responses
        return {answer.resource_name: answer.error_code for answer in answers}

    def _create(self, names: Sequence[str]) -> dict[str, int]:
        made = CreateTopicsRequest.CreatableTopic
        topics = [
            made(name=name, num_partitions=1, replication_factor=3, assignments=[], configs=[])
            for name in names
        ]
        request = CreateTopicsRequest(topics=topics, timeout_ms=_BOUND_MS, validate_only=True)
        return {answer.name: answer.error_code for answer in self._ask(request).topics}

    def _delete(self, names: Sequence[str]) -> dict[str, int]:
        topics = [DeleteTopicsRequest.DeleteTopicState(name=name) for name in names]
        answers = self._ask(DeleteTopicsRequest(topics=topics, timeout_ms=_BOUND_MS, min_version=6)).responses
        return {answer.name: answer.error_code for answer in answers}

    def _add_partitions(self, names: Sequence[str]) -> dict[str, int]:
        made = CreatePartitionsRequest.CreatePartitionsTopic
        topics = [made(name=name, count=2, assignments=None) for name in names]
        request = CreatePartitionsRequest(topics=topics, timeout_ms=_BOUND_MS, validate_only=True)
        return {answer.name: answer.error_code for answer in self._ask(request).results}

    def _heartbeat(self, group: str) -> int:
        request = HeartbeatRequest(group_id=group, generation_id=1, member_id="nobody")
        return int(self._ask(request).error_code)

    def _offsets(self, group: str) -> int:
        request = OffsetFetchRequest(group_id=group, topics=None, max_version=7, min_version=2)
        return int(self._ask(request).error_code)

    def _delete_groups(self, groups: Sequence[str]) -> dict[str, int]:
        answers = self._ask(DeleteGroupsRequest(groups_names=list(groups))).results
        return {answer.group_id: answer.error_code for answer in answers}

    def _producer_id(self, transactional_id: str) -> int:
        request = InitProducerIdRequest(transactional_id=transactional_id, transaction_timeout_ms=10_000)
        return int(self._ask(request).error_code)

    def _coordinator(self, transactional_id: str) -> int:
        return int(
            self._ask(FindCoordinatorRequest(key=transactional_id, key_type=1, max_version=3)).error_code
        )

    def _acls(self, _cluster: str) -> int:
        any_of_all = {
            "resource_type_filter": 1,
            "pattern_type_filter": 1,
            "operation": 1,
            "permission_type": 1,
        }
        nobody: dict[str, None] = dict.fromkeys(("resource_name_filter", "principal_filter", "host_filter"))
        return int(self._ask(DescribeAclsRequest(**any_of_all, **nobody)).error_code)

    def _no_acls(self, _cluster: str) -> int:
        # An entry that no broker takes: it changes nothing, and is looked at after the right to change.
        nonsense = CreateAclsRequest.AclCreation(
            resource_type=4, resource_name="no-cluster", resource_pattern_type=3, principal="User:nobody",
            host="*", operation=8, permission_type=3,
        )  # fmt: skip
        return int(self._ask(CreateAclsRequest(creations=[nonsense])).results[0].error_code)


def _record() -> bytes:
    builder = MemoryRecordsBuilder(2, 0, 1 << 10)
    builder.append(timestamp=None, key=b"nobody", value=b"nothing")
    builder.close()
    return bytes(builder.buffer())
