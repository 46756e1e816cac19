"""The catalogue of topics and rights, for whoever makes them by other means than `topics apply`, such as Strimzi.

In: nothing but the product's own tables. Out: topics with their settings, and principals with their rights, without
prefix; `{publisher}` stands for whoever has a topic of his own. The Helm chart's files/kafka.json is this.
"""

from collections.abc import Iterable
from typing import Any

from signaalwissel.processors import emissions
from signaalwissel.processors.access_rights import Kind, Right, Role, roles
from signaalwissel.processors.principals import Principals
from signaalwissel.streams.topics import Names, layout

PUBLISHER = "{publisher}"
_TYPES = {
    Kind.TOPIC: "topic",
    Kind.GROUP: "group",
    Kind.TRANSACTIONAL_ID: "transactionalId",
    Kind.CLUSTER: "cluster",
}
"""What a right is about, as Strimzi names it."""


def catalogue() -> dict[str, Any]:
    """Every topic and every principal of an installation with the usual names."""
    inputs = tuple(
        f"{kind}.{PUBLISHER}" for kind in (emissions.SIGNALS, emissions.TRAJECTORIES, emissions.FEEDBACK)
    )
    return {
        "topics": [
            {"name": topic.name, "config": dict(sorted(topic.config.items()))}
            for topic in sorted(layout(Names(publisher_topics=inputs), 1), key=lambda topic: topic.name)
        ],
        "roles": [
            {"role": role.name, "why": role.why, "principal": principal, "rights": list(_rights(role))}
            for role in roles(Principals(), inputs)
            for principal in role.principals
        ],
    }


def _rights(role: Role) -> Iterable[dict[str, Any]]:
    """The rights of a role, one for each thing that they are about, in a fixed order."""
    about: dict[tuple[str, str, str], list[str]] = {}
    for right in sorted(role.rights, key=_order):
        key = (_TYPES[right.kind], right.name, "prefix" if right.begins else "literal")
        about.setdefault(key, []).append(right.operation.value)
    for (kind, name, pattern), operations in about.items():
        yield {"type": kind, "name": name, "pattern": pattern, "operations": sorted(operations)}


def _order(right: Right) -> tuple[str, str, bool, str]:
    return right.kind.value, right.name, right.begins, right.operation.value
