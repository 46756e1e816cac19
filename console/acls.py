"""The broker's access lists, compared with the table of rights and brought in line with it.

Flows in: settings, and an administration client. Flows out: entries that are missing, and entries that are on the
broker and not in the table. What is too much is taken away only when somebody says so: an entry that we do not know
may be somebody's work, and may as well be a hole.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.errors import ClusterAuthorizationFailedError, KafkaError, NoError, SecurityDisabledError
from signaalwissel.console import environment, runtime
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.settings import Settings
from signaalwissel.processors.access_rights import Kind, Operation, Right, Role, rights_of, roles

_ANY_HOST = "*"
_EVERY_NAME = "*"
_USER = "User:"
_FAMILIES = ("signals.", "trajectories.", "feedback.", "signaalwissel-")
"""Names that nobody but this product has; they may be of a publisher or a table that is gone."""
_RESOURCES = {
    Kind.TOPIC: ResourceType.TOPIC,
    Kind.GROUP: ResourceType.GROUP,
    Kind.TRANSACTIONAL_ID: ResourceType.TRANSACTIONAL_ID,
    Kind.CLUSTER: ResourceType.CLUSTER,
}
_OPERATIONS = {
    Operation.READ: ACLOperation.READ,
    Operation.WRITE: ACLOperation.WRITE,
    Operation.CREATE: ACLOperation.CREATE,
    Operation.DELETE: ACLOperation.DELETE,
    Operation.ALTER: ACLOperation.ALTER,
    Operation.DESCRIBE: ACLOperation.DESCRIBE,
    Operation.DESCRIBE_CONFIGS: ACLOperation.DESCRIBE_CONFIGS,
    Operation.ALTER_CONFIGS: ACLOperation.ALTER_CONFIGS,
}


class Entry(NamedTuple):
    """One entry of the access lists, in words that can be compared and shown."""

    principal: str
    permission: str
    operation: str
    resource: str
    name: str
    pattern: str
    host: str


class AclDifference(NamedTuple):
    """An entry that is not as the table says.

    Attributes:
        what: `missing`, `surplus`, or `elsewhere`: it opens our resources and others', so it stays for a person to
            judge.
        entry: Which one.
    """

    what: str
    entry: Entry

    def text(self) -> str:
        """The difference in one line."""
        entry = self.entry
        name = f"{entry.name}*" if entry.pattern == "PREFIXED" else entry.name
        told = {
            "missing": "is missing",
            "surplus": "is not in the table of rights",
            "elsewhere": "is not in the table of rights and covers more than ours",
        }
        host = "" if entry.host == _ANY_HOST else f" from {entry.host}"
        return (
            f"{entry.principal}: {entry.permission} {entry.operation} on {entry.resource} {name}{host} "
            f"{told[self.what]}"
        )


def table(settings: Settings) -> list[Role]:
    """The table of rights of this installation."""
    publishers = environment.publishers(settings.publishers_file)
    return roles(environment.principals(settings.principals_file), publishers.topics())


def wanted(settings: Settings) -> frozenset[Entry]:
    """The entries that the table asks for."""
    return frozenset(
        _entry(settings, principal, right)
        for principal, rights in rights_of(table(settings)).items()
        for right in rights
    )


def acl_differences(client: KafkaAdminClient, settings: Settings) -> list[AclDifference]:
    """What the broker has otherwise than the table of rights.

    Raises:
        UsageFailure: The broker keeps no access lists, or does not show them to this account.
    """
    asked = wanted(settings)
    present = frozenset(map(_told, _present(client)))
    missing = [AclDifference("missing", entry) for entry in asked - present]
    ours = _Ours(settings, asked)
    too_much = [
        AclDifference(what, entry) for entry in present - asked if (what := ours.judged(entry)) is not None
    ]
    return sorted([*missing, *too_much])


def add(client: KafkaAdminClient, entries: Sequence[Entry]) -> None:
    """Put entries on the access lists; UsageFailure where this account may not."""
    if not entries:
        return
    with _asking():
        failed = client.create_acls(list(map(_acl, entries)))["failed"]
        _raise_first(failed)


def remove(client: KafkaAdminClient, entries: Sequence[Entry]) -> None:
    """Take entries off the access lists, these and no others; UsageFailure where the broker does not let go of one."""
    if not entries:
        return
    with _asking():
        answers = client.delete_acls(list(map(_acl, entries)))
        _raise_first([error for _, _, error in answers if error is not NoError])


class _Ours:
    """Tells which entries are about this installation."""

    def __init__(self, settings: Settings, asked: Iterable[Entry]) -> None:
        asked = tuple(asked)
        self._principals = {entry.principal for entry in asked}
        self._names = {(entry.resource, entry.name) for entry in asked}
        names = runtime.names(settings)
        families = [names(family) for family in _FAMILIES]
        # Without a prefix every name begins with it.
        self._families = tuple([*families, settings.topic_prefix] if settings.topic_prefix else families)

    def judged(self, entry: Entry) -> str | None:
        """`surplus`, `elsewhere`, or None where it is none of our business."""
        if entry.resource == ResourceType.CLUSTER.name:
            return "surplus" if entry.principal in self._principals else None
        if entry.name.startswith(self._families):
            return "surplus"
        begins = entry.pattern == ACLResourcePatternType.PREFIXED.name
        if begins or entry.name == _EVERY_NAME:
            covered = any(
                resource == entry.resource and (not begins or name.startswith(entry.name))
                for resource, name in self._names
            )
            return "elsewhere" if covered else None
        return "surplus" if (entry.resource, entry.name) in self._names else None


def _entry(settings: Settings, principal: str, right: Right) -> Entry:
    name = right.name if right.kind is Kind.CLUSTER else runtime.names(settings)(right.name)
    pattern = ACLResourcePatternType.PREFIXED if right.begins else ACLResourcePatternType.LITERAL
    return Entry(
        f"{_USER}{principal}",
        ACLPermissionType.ALLOW.name,
        _OPERATIONS[right.operation].name,
        _RESOURCES[right.kind].name,
        name,
        pattern.name,
        _ANY_HOST,
    )


def _told(acl: ACL) -> Entry:
    pattern = acl.resource_pattern
    return Entry(
        acl.principal,
        acl.permission_type.name,
        acl.operation.name,
        pattern.resource_type.name,
        pattern.resource_name,
        pattern.pattern_type.name,
        acl.host,
    )


def _acl(entry: Entry) -> ACL:
    pattern = ResourcePattern(ResourceType[entry.resource], entry.name, ACLResourcePatternType[entry.pattern])
    permission = ACLPermissionType[entry.permission]
    return ACL(entry.principal, entry.host, ACLOperation[entry.operation], permission, pattern)


def _present(client: KafkaAdminClient) -> list[ACL]:
    every = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    with _asking():
        found, _ = client.describe_acls(ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, every))
    return list(found)


def _raise_first(failed: Sequence[type[KafkaError]]) -> None:
    for error in failed:
        raise error(f"{len(failed)} entries of the access lists")


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except SecurityDisabledError as error:
        raise UsageFailure(
            "this broker keeps no access lists, so everybody may do everything: set authorizer.class.name and "
            "allow.everyone.if.no.acl.found=false on every broker and controller (docs/operations.md, Kafka security)"
        ) from error
    except ClusterAuthorizationFailedError as error:
        raise UsageFailure(
            "the broker does not let this account at the access lists: to look takes Describe on the cluster "
            "(the operator has it), to change them takes a super user or Alter on the cluster"
        ) from error
