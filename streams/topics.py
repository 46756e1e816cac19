"""The topics of the product: names, partitions and retention, as `topics apply` makes them (design 2).

In: prefix, partition count, publishers. Out: what must exist on the broker. Every name that the streams use is made
here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from signaalwissel.processors import emissions
from signaalwissel.processors.topic_settings import ALWAYS, CHANGELOG, SIZE

MOVED_SUFFIX = "-moved"
SIGNALS_MOVED = emissions.SIGNALS + MOVED_SUFFIX
TRAJECTORIES_MOVED = emissions.TRAJECTORIES + MOVED_SUFFIX

INTAKE_TRAJECTORIES = "trajectories"
INTAKE_SIGNALS = "signals"
INTAKE_ROTATIONS = "rotations"
MATCHER_TRAJECTORIES = "trajectories"
MATCHER_RECENTS = "recents"
MATCHER_POLICIES = "policies"
MATCHER_ROTATIONS = "rotations"

_DAY_MS = 24 * 60 * 60 * 1000
_WEEK = {"cleanup.policy": "delete", "retention.ms": str(7 * _DAY_MS)}
_MONTH = {"cleanup.policy": "delete", "retention.ms": str(30 * _DAY_MS)}
# A changelog or state that is read whole at a start must not keep a year of old versions.
_COMPACT = {**CHANGELOG, "min.cleanable.dirty.ratio": "0.2", "segment.ms": str(_DAY_MS)}
# What was imported counts for longer than any signal may be old; then its digests go.
_LEDGER = {**_COMPACT, "cleanup.policy": "compact,delete", "retention.ms": str(400 * _DAY_MS)}
# A whole trajectory holds all its events; a decision may name every trajectory at an address.
_LARGE = {SIZE: str(16 << 20)}
# The largest internal record must fit its dead letter, also when every byte of its header names is written as \xNN.
_SEALED = {SIZE: str(80 << 20)}
# Kafka's own default, said aloud: a publisher's record must fit its dead letter wherever the broker allows more.
_PUBLISHED = {SIZE: str((1 << 20) + 12)}


def changelog_topic(app_id: str, table: str) -> str:
    """Name of the compacted topic that holds `table` of the app `app_id`."""
    return f"{app_id}-{table}-changelog"


def table_of(app_id: str, changelog: str) -> str:
    """The table that a changelog of the app `app_id` holds."""
    return changelog.removeprefix(f"{app_id}-").removesuffix("-changelog")


@dataclass(frozen=True)
class Topic:
    """A topic that must exist."""

    name: str
    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True)
class Names:
    """Topic and app names under a prefix.

    Args:
        prefix: Put before every name, as it is.
        publisher_topics: Topics of one publisher: `signals.<publisher>`, `trajectories.<publisher>` and
            `feedback.<publisher>`.
    """

    prefix: str = ""
    publisher_topics: tuple[str, ...] = field(default=())

    def __call__(self, topic: str) -> str:
        """The name on the broker."""
        return self.prefix + topic

    def bare(self, name: str) -> str:
        """The name without prefix."""
        return name.removeprefix(self.prefix)

    @property
    def intake_app(self) -> str:
        """Consumer group and transactional ids of intake; never rename it."""
        return f"{self.prefix}signaalwissel-intake"

    @property
    def matcher_app(self) -> str:
        """Consumer group and transactional ids of the matcher; never rename it."""
        return f"{self.prefix}signaalwissel-matcher"

    def signal_inputs(self) -> list[str]:
        """Topics that bring signals."""
        return self._inputs(emissions.SIGNALS, SIGNALS_MOVED)

    def trajectory_inputs(self) -> list[str]:
        """Topics that bring lifecycle events."""
        return self._inputs(emissions.TRAJECTORIES, TRAJECTORIES_MOVED)

    def feedback_outputs(self) -> list[str]:
        """Topics on which partners are told of their signals."""
        told = f"{emissions.FEEDBACK}."
        return [self(topic) for topic in self.publisher_topics if topic.startswith(told)]

    def _inputs(self, kind: str, moved: str) -> list[str]:
        publishers = [topic for topic in self.publisher_topics if topic.startswith(f"{kind}.")]
        return [self(topic) for topic in (kind, *publishers, moved)]


def layout(names: Names, partitions: int) -> list[Topic]:
    """Every topic of the product under a prefix."""
    signals = names.signal_inputs()
    others = (*names.trajectory_inputs(), names(emissions.INTAKE_COMMANDS), names(emissions.TASK_UPDATES))
    outputs = (
        emissions.COUNSELLOR_FOLLOWUP,
        emissions.REGULAR_FLOW,
        emissions.COUNSELLOR_CORRECTIONS,
        emissions.REGULAR_CORRECTIONS,
        emissions.TASKS,
        emissions.NOTICES,
    )
    compacted = (
        names(emissions.TRAJECTORY_STATES),
        names(emissions.IMPORT_STATES),
        changelog_topic(names.intake_app, INTAKE_TRAJECTORIES),
        changelog_topic(names.intake_app, INTAKE_SIGNALS),
        changelog_topic(names.intake_app, INTAKE_ROTATIONS),
        changelog_topic(names.matcher_app, MATCHER_TRAJECTORIES),
        changelog_topic(names.matcher_app, MATCHER_RECENTS),
        changelog_topic(names.matcher_app, MATCHER_POLICIES),
        changelog_topic(names.matcher_app, MATCHER_ROTATIONS),
    )
    return [
        *_made(signals, partitions, _WEEK | _PUBLISHED),
        *_made(others, partitions, _MONTH | _PUBLISHED),
        *_made([names(emissions.RESIDENT_EVENTS)], partitions, _WEEK | _LARGE),
        *_made((*map(names, outputs), *names.feedback_outputs()), partitions, _MONTH),
        *_made([names(emissions.DECISIONS)], partitions, _MONTH | _LARGE),
        *_made(compacted, partitions, _COMPACT | _LARGE),
        *_made([names(emissions.IMPORT_LEDGER)], partitions, _LEDGER),
        *_made([names(emissions.DEAD_LETTERS)], partitions, _WEEK | _SEALED),
    ]


def settings_of_inputs(names: Names, inputs: Iterable[str]) -> dict[str, dict[str, str]]:
    """What the broker must keep to for the input topics of an app, lest a record ends it or moves its clock."""
    made = {topic.name: topic.config for topic in layout(names, 1)}
    return {name: {key: made[name][key] for key in (*ALWAYS, SIZE)} for name in inputs}


def _made(topics: Iterable[str], partitions: int, config: Mapping[str, str]) -> list[Topic]:
    return [Topic(topic, partitions, {**ALWAYS, **config}) for topic in topics]
