"""What is wrong with a record as it lies on a topic: its bytes, its fields, its key, its headers.

In: a record of a public topic. Out: findings, each with code, field and rule, never a value. `refused` says whether it
would become a dead letter, or cannot be read; what else breaks the contract is still handled (a record under another key
is moved). Intake's own rules decide (domain 8.16).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from signaalwissel.processors.dead_letters import About
from signaalwissel.processors.emissions import SIGNALS, TRAJECTORIES
from signaalwissel.processors.every_finding import every_finding
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.public_topics import CONTENT_TYPE, PUBLIC_TOPICS, event_types_of, key_of
from signaalwissel.processors.reading import read_record
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.simulation_lines import about_of
from signaalwissel.processors.traces import TRACE_HEADER, is_trace_context
from signaalwissel.processors.validation import check_published
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.units import Millis

OTHER_KEY: Final = "OTHER_KEY"
OTHER_PARTITION: Final = "OTHER_PARTITION"
OTHER_HEADER: Final = "OTHER_HEADER"
_MOMENTS: Final = {SIGNALS: "received_at", TRAJECTORIES: "recorded_at"}
_REQUIRED: Final = ("ce_id", "ce_source", "ce_specversion", "ce_type", "ce_time", "content-type")

Headers = Sequence[tuple[str, bytes | None]]


class WireRecord(NamedTuple):
    """A record as it lies on a topic; `published` is Kafka's own timestamp."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    partition: int
    published: Millis


class WireFinding(NamedTuple):
    """One rule that a record breaks."""

    code: str
    field: str | None
    rule: str
    refused: bool


class Looked(NamedTuple):
    """What was found of a record.

    Attributes:
        about: Municipality and id, where they have the form of one.
        value: Its JSON form; None where it cannot be read.
        findings: What is wrong.
    """

    about: About
    value: dict[str, Any] | None
    findings: tuple[WireFinding, ...]

    @property
    def refused(self) -> bool:
        """Whether it would become a dead letter."""
        return any(finding.refused for finding in self.findings)


def look_at(
    topic: str, record: WireRecord, policies: Policies, partition_of: Callable[[bytes], int] | None = None
) -> Looked:
    """Everything that is wrong with a record.

    Args:
        topic: The public topic whose rules count, without prefix.
        record: The record.
        policies: Those of the installation.
        partition_of: The partition of a key, by Kafka's own partitioner; None where that is not to be looked at.
    """
    known = next(one for one in PUBLIC_TOPICS if one.name == topic.partition(".")[0])
    kind = codec(known.record)
    try:
        value = kind.to_json(read_record(kind.decode, record.value))
    except Rejected as refusal:
        finding = WireFinding(refusal.code.value, refusal.field, refusal.rule, refused=True)
        return Looked(About(), None, (finding,))
    found = list(_fields(topic, value, record, policies)) if known.written_by_others else []
    found += _headers(topic, value, record.headers, required=not known.written_by_others)
    if known.written_by_others:
        found += _key(topic, value, record, partition_of)
    about = about_of(topic, value) if known.written_by_others else About()
    return Looked(about, value, tuple(found))


def _fields(
    topic: str, value: dict[str, Any], record: WireRecord, policies: Policies
) -> Iterator[WireFinding]:
    found = [WireFinding(*finding, refused=True) for finding in every_finding(topic, value, policies)]
    yield from found
    moment = _MOMENTS.get(topic.partition(".")[0])
    if moment is None or any(finding.field == moment for finding in found):
        return
    try:
        check_published(_millis(value[moment]), record.published, moment)
    except Rejected as refusal:
        yield WireFinding(refusal.code.value, refusal.field, refusal.rule, refused=True)


def _key(
    topic: str, value: dict[str, Any], record: WireRecord, partition_of: Callable[[bytes], int] | None
) -> Iterator[WireFinding]:
    wanted = key_of(topic, value).encode()
    named = next(one for one in PUBLIC_TOPICS if one.name == topic.partition(".")[0]).key
    if record.key != wanted:
        told = "has none" if record.key is None else "is another one"
        yield WireFinding(OTHER_KEY, "key", f"{told}: it must be {named}", refused=False)
    if partition_of is not None and partition_of(wanted) != record.partition:
        rule = "is not that of its key by Kafka's own partitioner (murmur2); it is moved"
        yield WireFinding(OTHER_PARTITION, "partition", rule, refused=False)


def _headers(topic: str, value: dict[str, Any], headers: Headers, *, required: bool) -> Iterator[WireFinding]:
    found = dict(headers)
    types = [kind.encode() for kind in event_types_of(topic, value)]
    rules: tuple[tuple[str, Callable[[bytes], bool], str], ...] = (
        ("ce_id", bool, "must not be empty"),
        ("ce_source", bool, "must not be empty"),
        ("ce_specversion", b"1.0".__eq__, "must be 1.0"),
        ("ce_type", types.__contains__, f"must be {types[0].decode()}"),
        ("ce_time", _is_moment, "must be a moment as CloudEvents writes it: 2026-02-28T10:00:00Z"),
        ("content-type", CONTENT_TYPE.encode().__eq__, f"must be {CONTENT_TYPE}"),
        (TRACE_HEADER, is_trace_context, "must be as W3C Trace Context writes it"),
    )
    for name, holds, rule in rules:
        if name not in found:
            if required and name in _REQUIRED:
                yield WireFinding(OTHER_HEADER, name, "must be there", refused=False)
        elif not holds(found[name] or b""):
            yield WireFinding(OTHER_HEADER, name, rule, refused=False)


def _is_moment(given: bytes) -> bool:
    try:
        return datetime.fromisoformat(given.decode()).tzinfo is not None
    except ValueError:
        return False


def _millis(text: str) -> Millis:
    moment = datetime.fromisoformat(text)
    return Millis(round(moment.astimezone(UTC).timestamp() * 1000))
