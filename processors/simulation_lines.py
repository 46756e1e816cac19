"""Lines of `simulate` and `validate`: which record a line holds, and what is wrong with it whatever the others are.

In: `{"topic": ..., "value": {...}}`. Out: records, or refusals as lines of `dead-letters`; never a value that broke a
rule.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from signaalwissel.processors.dead_letters import About, what_may_be_shown
from signaalwissel.processors.emissions import DEAD_LETTERS, SIGNALS, TASK_UPDATES, TRAJECTORIES
from signaalwissel.processors.followup_updates import UpdateRefused, check_update
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.validation import check_event, check_municipality, check_signal
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.followup import TaskUpdate
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.trajectory import TrajectoryEvent

Line = dict[str, Any]
Record = EarlySignal | TrajectoryEvent | TaskUpdate

_IDS = {SIGNALS: "signal_id", TRAJECTORIES: "event_id", TASK_UPDATES: "update_id"}
RECORDS = {SIGNALS: "EarlySignal", TRAJECTORIES: "TrajectoryEvent", TASK_UPDATES: "TaskUpdate"}
"""The schema of each kind of input."""


class UnknownTopic(ValueError):
    """A line names a topic that is no input."""


class Refused(NamedTuple):
    """A record that would become a dead letter: where it came from and why, never a value."""

    topic: str
    about: About
    refusal: Rejected | UpdateRefused

    def line(self) -> Line:
        """The dead letter as a line; `signal_id`, `event_id` or `update_id` by what the record is."""
        kind = kind_of(self.topic)
        value = {
            "topic": self.topic,
            "municipality": self.about.municipality,
            "record_id": self.about.record_id,
            _IDS[kind]: self.about.record_id,
            "code": self.refusal.code.value,
            "field": self.refusal.field,
            "rule": self.refusal.rule,
        }
        return {"topic": DEAD_LETTERS, "value": value}


def topic_of(line: Mapping[str, Any]) -> str:
    """The topic of a line; raises UnknownTopic where it is no input."""
    topic = line.get("topic")
    if not isinstance(topic, str) or kind_of(topic) not in RECORDS:
        raise UnknownTopic(
            "the topic must be signals, trajectories, one of a publisher (signals.<publisher>), or task-updates"
        )
    return topic


def checked(topic: str, value: Any, policies: Policies) -> Record:
    """The record of a line's value, by every rule that asks for no other record; raises Rejected or UpdateRefused."""
    record = read_line(topic, value)
    if isinstance(record, EarlySignal):
        check_municipality(record.municipality)
        check_signal(record, policies[record.municipality])
    elif isinstance(record, TaskUpdate):
        check_update(record)
    else:
        check_event(record)
    return record


def findings_in(line: Mapping[str, Any], policies: Policies) -> Refused | None:
    """Why a record would be refused whatever the others are, or None; raises UnknownTopic."""
    topic = topic_of(line)
    try:
        checked(topic, line.get("value"), policies)
    except (Rejected, UpdateRefused) as refusal:
        return Refused(topic, about_of(topic, line.get("value")), refusal)
    return None


def kind_of(topic: str) -> str:
    """`signals` for `signals.<publisher>`, and likewise for trajectories; task updates have one topic."""
    kind = topic.split(".", 1)[0]
    return topic if kind == TASK_UPDATES else kind


def read_line(topic: str, value: Any) -> Record:
    """The record of a line's value; raises Rejected where it does not fit the schema."""
    if value is None:
        raise Rejected(RejectionCode.NULL_VALUE, None, "has no value")
    try:
        record: Record = codec(RECORDS[kind_of(topic)]).from_json(value)
    except DoesNotFit as finding:
        raise Rejected(RejectionCode.UNREADABLE, finding.field or None, finding.rule) from None
    return record


def about_of(topic: str, value: Any) -> About:
    """What may be shown of a line: municipality and id, where they have the form of one."""
    if not isinstance(value, dict):
        return About()
    return what_may_be_shown(value.get("municipality"), value.get(_IDS[kind_of(topic)]))
