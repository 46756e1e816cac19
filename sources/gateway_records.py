"""From a value that was sent to a record that may go onto Kafka, by the rules of intake (domain 8.16).

In: an item of a message and who sends it. Out: a Ready record, or a Refusal with every finding at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from signaalwissel.processors.access import Action, Principal, Target, may
from signaalwissel.processors.emissions import SIGNALS, TASK_UPDATES, TRAJECTORIES
from signaalwissel.processors.every_finding import Finding, every_finding
from signaalwissel.processors.followup_updates import UpdateRefused
from signaalwissel.processors.municipality_codes import normalised_code
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.published import SIGNAL_TYPE, TASK_UPDATE_TYPE, Published, event_type, published
from signaalwissel.processors.publishers import Publishers
from signaalwissel.processors.reading import RECORD_SIZE_MAX
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.simulation_lines import Record, checked
from signaalwissel.processors.validation import check_published
from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.followup import TaskUpdate
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.units import Millis
from signaalwissel.sources.gateway_messages import Item


@dataclass(frozen=True, slots=True)
class Resource:
    """What can be sent: a path, the kind of record behind it and the right that it takes.

    Attributes:
        path: Below `/v1/`.
        kind: Input topic without prefix or publisher.
        schema: The record's name.
        action: The right to send it.
        moment: The field that must not lie more than a day after its publication, None for none.
        record_id: The field by which its sender knows it.
    """

    path: str
    kind: str
    schema: str
    action: Action
    moment: str | None
    record_id: str


SIGNAL = Resource("signalen", SIGNALS, "EarlySignal", Action.SUBMIT_SIGNAL, "received_at", "signal_id")
EVENT = Resource(
    "trajectgebeurtenissen",
    TRAJECTORIES,
    "TrajectoryEvent",
    Action.SUBMIT_TRAJECTORY_EVENT,
    "recorded_at",
    "event_id",
)
UPDATE = Resource("taakupdates", TASK_UPDATES, "TaskUpdate", Action.SUBMIT_TASK_UPDATE, None, "update_id")
RESOURCES = (SIGNAL, EVENT, UPDATE)
"""What goes onto Kafka."""
CHECK = Resource("toetsen", SIGNALS, "EarlySignal", Action.CHECK_RESIDENT, "received_at", "signal_id")
"""What is only asked: a signal that is decided, told of and kept nowhere."""


class Ready(NamedTuple):
    """A record that may go onto Kafka, and what its sender is told once it stands there."""

    published: Published
    answer: Mapping[str, Any]


class Refusal(NamedTuple):
    """Why a record is not taken: HTTP's status and every finding."""

    status: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides whether a record is taken.

    Attributes:
        policies: Those of the installation.
        publishers: The allow-list of the input topics; the gateway writes as one of their publishers.
        topic: The input topic without prefix for a kind of record.
        clock: Milliseconds since 1970.
    """

    policies: Policies
    publishers: Publishers
    topic: Callable[[str], str]
    clock: Callable[[], Millis]


def prepared(
    resource: Resource, item: Item, principal: Principal, rules: Rules, tasks: Mapping[str, str]
) -> Ready | Refusal:
    """A record, or why it is not taken.

    Args:
        resource: Where it was sent.
        item: As it was sent.
        principal: Who sends.
        rules: What decides.
        tasks: The municipality of each task that an update may name and that the sender may see.
    """
    record = taken(resource, item, principal, rules, tasks)
    return record if isinstance(record, Refusal) else _ready(resource, record)


def taken(
    resource: Resource, item: Item, principal: Principal, rules: Rules, tasks: Mapping[str, str]
) -> Record | Refusal:
    """What was sent as a record, where its sender may send it and intake would take it; the same arguments."""
    if item.finding is not None:
        return _invalid(Finding(RejectionCode.UNREADABLE, item.field, item.finding))
    now = rules.clock()
    value = _completed(resource, item.value, now)
    record = _by_the_rules(resource.kind, value, rules.policies)
    if record is None:
        return Refusal(400, tuple(every_finding(resource.kind, value, rules.policies)))
    return (
        _not_taken(resource, item, record, now)
        or _not_allowed(resource, record, principal, rules, tasks)
        or record
    )


def _by_the_rules(kind: str, value: Any, policies: Policies) -> Record | None:
    """The record, or None where something is wrong with it: then all that is wrong is looked for, which takes longer."""
    code = value.get("municipality") if isinstance(value, dict) else None
    if isinstance(code, str) and policies.get(code) is None:
        return None
    try:
        return checked(kind, value, policies)
    except (Rejected, UpdateRefused):
        return None


def task_of(item: Item) -> str | None:
    """The task that an item names, None where it names none."""
    task = item.value.get("task_id") if isinstance(item.value, dict) else None
    return task if isinstance(task, str) else None


def _completed(resource: Resource, value: Any, now: Millis) -> Any:
    """The value with its municipality code in four digits, and a signal with its moment of receipt."""
    if not isinstance(value, dict) or resource is UPDATE:
        return value
    changed = dict(value)
    code = normalised_code(changed.get("municipality"))
    if code is not None:
        changed["municipality"] = code
    if resource.kind == SIGNALS and changed.get("received_at") is None:
        moment = datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds")
        changed["received_at"] = moment.replace("+00:00", "Z")
    return changed


def _not_taken(resource: Resource, item: Item, record: Record, now: Millis) -> Refusal | None:
    wanted = _type_of(record)
    if item.event_type is not None and item.event_type != wanted:
        return _invalid(Finding(RejectionCode.INVALID_FIELD, "type", f"must be {wanted} for this record"))
    if resource.moment is None:
        return None
    try:
        check_published(getattr(record, resource.moment), now, resource.moment)
    except Rejected as rejected:
        return _invalid(Finding(rejected.code.value, rejected.field, rejected.rule))
    return None


def _not_allowed(
    resource: Resource, record: Record, principal: Principal, rules: Rules, tasks: Mapping[str, str]
) -> Refusal | None:
    partner = record.partner.partner_id if isinstance(record, EarlySignal) else None
    if isinstance(record, TaskUpdate):
        municipality = tasks.get(record.task_id)
        if municipality is None:
            return Refusal(
                404,
                (Finding("UNKNOWN_TASK", "task_id", "is no task of a municipality that you may speak for"),),
            )
    else:
        municipality = record.municipality
    if not may(principal, resource.action, Target(municipality, partner_id=partner)):
        field = "municipality" if partner is None else "partner.partner_id"
        return _forbidden(field, "you may not speak for this municipality and partner")
    if isinstance(record, TaskUpdate):
        return None
    try:
        rules.publishers.check(rules.topic(resource.kind), municipality, partner)
    except Rejected as rejected:
        return _forbidden(rejected.field, rejected.rule)
    return None


def _ready(resource: Resource, record: Record) -> Ready | Refusal:
    try:
        sent = published(record)
    except DoesNotFit as finding:
        return _invalid(Finding(RejectionCode.UNREADABLE, finding.field or None, finding.rule))
    if len(sent.value) > RECORD_SIZE_MAX:
        return _invalid(
            Finding(RejectionCode.TOO_LARGE, None, f"must have at most {RECORD_SIZE_MAX} bytes as Avro")
        )
    return Ready(sent, {"id": getattr(record, resource.record_id), "event_id": sent.event_id})


def _type_of(record: Record) -> str:
    if isinstance(record, EarlySignal):
        return SIGNAL_TYPE
    return TASK_UPDATE_TYPE if isinstance(record, TaskUpdate) else event_type(record.kind)


def _invalid(finding: Finding) -> Refusal:
    return Refusal(400, (finding,))


def _forbidden(field: str | None, rule: str) -> Refusal:
    return Refusal(403, (Finding(RejectionCode.PUBLISHER_NOT_ALLOWED, field, rule),))
