"""Which record is on which public topic, and what of it a schema registry holds.

In: topic names. Out: records, subjects, and the ids that the wire gets from what a registry has.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from signaalwissel.processors import emissions
from signaalwissel.schemas.contract import SchemaVersion, WireIds, public_versions
from signaalwissel.schemas.sameness import same_schema

RECORD_ON: Final[Mapping[str, str]] = {
    emissions.SIGNALS: "EarlySignal",
    emissions.TRAJECTORIES: "TrajectoryEvent",
    emissions.COUNSELLOR_FOLLOWUP: "RoutedSignal",
    emissions.REGULAR_FLOW: "RoutedSignal",
    emissions.COUNSELLOR_CORRECTIONS: "RouteCorrection",
    emissions.REGULAR_CORRECTIONS: "RouteCorrection",
    emissions.TASK_UPDATES: "TaskUpdate",
    emissions.TASKS: "TaskEvent",
    emissions.NOTICES: "NoticeEvent",
    emissions.FEEDBACK: "PartnerFeedback",
}
"""The record on each public topic, by its name without prefix and publisher, in the order of the fixed ids."""


class Registered(NamedTuple):
    """A schema that a registry holds under a subject; `schema` is its parsed JSON."""

    version: int
    schema_id: int
    schema: Any


class Gap(NamedTuple):
    """A committed version that a registry lacks."""

    subject: str
    version: SchemaVersion

    def text(self) -> str:
        """In words."""
        return f"{self.subject} lacks {self.version.name} version {self.version.version}"


def record_on(topic: str) -> str:
    """The record on a topic without prefix; `signals.<publisher>` has what `signals` has."""
    return RECORD_ON[topic.partition(".")[0]]


def subject_of(topic: str) -> str:
    """The subject under which a registry holds the schemas of a topic's values (TopicNameStrategy)."""
    return f"{topic}-value"


def committed_on(topic: str) -> tuple[SchemaVersion, ...]:
    """The committed versions of what is on a topic without prefix, oldest first."""
    name = record_on(topic)
    return tuple(version for version in public_versions() if version.name == name)


def gaps_of(subject: str, committed: Iterable[SchemaVersion], held: Iterable[Registered]) -> list[Gap]:
    """The committed versions that are not under a subject."""
    present = list(held)
    return [
        Gap(subject, version)
        for version in committed
        if not any(same_schema(version.schema, one.schema) for one in present)
    ]


def strangers(committed: Iterable[SchemaVersion], held: Iterable[Registered]) -> list[Registered]:
    """What is under a subject and is none of the committed versions: this program cannot read it."""
    mine = list(committed)
    return [one for one in held if not any(same_schema(version.schema, one.schema) for version in mine)]


def ids_from(held: Mapping[str, Iterable[Registered]], free: Iterable[int]) -> dict[str, WireIds]:
    """The ids on the wire of every public record.

    Args:
        held: What the registry has, by topic without prefix; every committed version is among it.
        free: Fixed ids that the registry gave to no schema: what was written before the registry came stays readable.

    Returns:
        By the name of the record. A registry has one id for one schema, whatever the subject; where it has several,
        the first subject's is written and all are read.
    """
    unclaimed = frozenset(free)
    found: dict[str, WireIds] = {}
    for topic, registered in held.items():
        versions = committed_on(topic)
        reads = {
            one.schema_id: version.version
            for one in registered
            for version in versions
            if same_schema(version.schema, one.schema)
        }
        # The first of several ids of one version.
        writes = {version: schema_id for schema_id, version in reversed(reads.items())}
        name = record_on(topic)
        before = found.get(name)
        fixed = {v.schema_id: v.version for v in versions if v.schema_id in unclaimed}
        if before is not None:
            found[name] = WireIds(before.writes, {**fixed, **reads, **before.reads})
        else:
            found[name] = WireIds(writes, {**fixed, **reads})
    return found
