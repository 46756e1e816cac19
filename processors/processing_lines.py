"""Lines of the processing log: one for every processing of every person's data (Logboek Dataverwerkingen).

In: what was decided, stored or opened. Out: lines, and the bytes in which they go over OTLP. A line names its person by
a digest of a pseudonym, never a BSN, and never who did it: that stands in the audit trail, under the same trace id.
"""

import gzip
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from signaalwissel.processors.followup_decisions import erases_signal
from signaalwissel.processors.followup_notices import Notice
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.processing_register import NAMES, Purpose, Register
from signaalwissel.schemas.internal import DeadLetter, TrajectoryState
from signaalwissel.schemas.routing import Decision
from signaalwissel.schemas.units import Millis

RESIDENT = "urn:signaalwissel:betrokkene:koppelsleutel"
"""The person is named by a digest of the keyed match key: the same for each line of one person in one municipality."""
TRAJECTORY = "urn:signaalwissel:betrokkene:traject"
"""The person is a client of the trajectory that is named by a digest."""
SIGNAL = "urn:signaalwissel:betrokkene:signaal"
"""The person is whom the signal is about that is named by a digest."""

_ACTIVITY_ID = "dpl.core.processing_activity_id"
_SUBJECT_ID = "dpl.core.data_subject_id"
_SUBJECT_TYPE = "dpl.core.data_subject_id_type"
_PACKED_FAST = 1
_NANOS = 1_000_000
_MILLIS_MAX = (2**64 - 1) // _NANOS
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_SEPARATOR = "\x1f"


class Subject(NamedTuple):
    """Whose data: a pseudonym, and what kind of pseudonym that is."""

    kind: str
    id: str


class Line(NamedTuple):
    """One processing of one person's data.

    Attributes:
        operation: What names the processing; with purpose and person it makes the span id, so that a line that is
            sent twice is recognised.
        trace_id: 16 bytes, the same for all that follows from one signal.
        subject: Whose data, None where that cannot be known without opening a seal.
        at: When; None for the time at which it is stored.
        failed: An internal fault ended it; what came in wrong is none.
    """

    purpose: Purpose
    municipality: str
    operation: str
    trace_id: bytes
    subject: Subject | None
    at: Millis | None = None
    failed: bool = False


def trace_of(traceparent: bytes | None) -> bytes | None:
    """The trace id of a W3C traceparent header; None where there is none that can be used."""
    found = None if traceparent is None else _TRACEPARENT.fullmatch(traceparent)
    trace_id = None if found is None else bytes.fromhex(found[1].decode())
    return trace_id if trace_id and any(trace_id) else None


def trace_from(*about: str) -> bytes:
    """The trace id of what came without one: derived, so that all that is about it has the same."""
    return hashlib.blake2b(_SEPARATOR.join(about).encode(), digest_size=16, person=b"trace").digest()


def resident(match_key: bytes) -> Subject:
    """A person by match key."""
    return Subject(RESIDENT, _pseudonym(match_key))


def client_of(municipality: str, trajectory_id: str) -> Subject:
    """A person by trajectory."""
    return Subject(TRAJECTORY, _pseudonym(_SEPARATOR.join((municipality, trajectory_id)).encode()))


def subject_of_signal(ref: bytes) -> Subject:
    """A person by the signal about him."""
    return Subject(SIGNAL, _pseudonym(ref))


def subject_of_notice(municipality: str, trajectory_id: str | None, about: str) -> Subject:
    """A person by a notice: by its trajectory, or else by the signal or addressee that it names."""
    if trajectory_id is not None:
        return client_of(municipality, trajectory_id)
    return subject_of_signal(f"{municipality}{_SEPARATOR}{about}".encode())


def of_decision(decision: Decision, trace_id: bytes | None) -> Line:
    """The test of a signal, or of the same one again."""
    purpose = Purpose.SIGNAL_RETESTED if decision.revision else Purpose.SIGNAL_TESTED
    if erases_signal(decision):
        purpose = Purpose.DATA_ERASED
    subject = resident(decision.match_key)
    # A routing id is the signal's reference and a revision; to hash the reference anew would cost more than the line.
    trace_id = trace_id or trace_from(decision.routing_id.rpartition("-")[0])
    return Line(purpose, decision.municipality, decision.routing_id, trace_id, subject, decision.decided_at)


def of_task(task: Task) -> list[Line]:
    """A version of a task: about each resident whose signals are in it, or else about the trajectory's client."""
    traces = {report.match_key: trace_from(report.ref.hex()) for report in task.reports}
    about = [(resident(match_key), trace_id) for match_key, trace_id in traces.items()]
    if not about:
        known = client_of(task.municipality, task.trajectory_id or task.task_id)
        about = [(known, trace_from(task.municipality, task.trajectory_id or task.task_id))]
    operation = f"{task.task_id}:{task.version}"
    return [
        Line(Purpose.FOLLOW_UP, task.municipality, operation, trace_id, subject)
        for subject, trace_id in about
    ]


def of_notice(notice: Notice) -> Line:
    """A notice that was made."""
    about = notice.signal_id or notice.addressee
    subject = subject_of_notice(notice.municipality, notice.trajectory_id, about)
    trace_id = trace_from(notice.notice_id)
    return Line(Purpose.NOTICE_MADE, notice.municipality, notice.notice_id, trace_id, subject)


def of_trajectory(state: TrajectoryState) -> list[Line]:
    """A new state of a trajectory: about each client by his match keys, or by the trajectory where it has none."""
    about = [resident(match_key) for match_key in state.match_keys]
    operation = f"{state.municipality}/{state.trajectory_id}:{state.version}"
    purpose = Purpose.DATA_ERASED if state.erased else Purpose.TRAJECTORY_KEPT
    trace_id = trace_from(state.municipality, state.trajectory_id)
    return [
        Line(purpose, state.municipality, operation, trace_id, subject)
        for subject in about or [client_of(state.municipality, state.trajectory_id)]
    ]


def of_dead_letter(letter: DeadLetter) -> Line:
    """A record that is kept sealed; whose it is nobody knows."""
    municipality = letter.municipality or ""
    trace_id = trace_from(letter.dead_letter_id)
    return Line(Purpose.DEAD_LETTER_KEPT, municipality, letter.dead_letter_id, trace_id, None)


def span_id_of(line: Line) -> bytes:
    """The span id: the same line has the same, whoever sends it and however often."""
    subject = "" if line.subject is None else line.subject.id
    text = _SEPARATOR.join((line.purpose, line.municipality, line.operation, subject))
    return hashlib.blake2b(text.encode(), digest_size=8, person=b"span").digest()


def page_of(
    lines: Sequence[Line], register_of: Callable[[str], Register], now: Millis, version: str
) -> bytes:
    """Lines as an OTLP export request in protobuf, packed by gzip.

    Pages put one behind the other are a request again: that is how gzip goes on, and protobuf merges a repeated field.

    Args:
        lines: What was done.
        register_of: The register of a municipality.
        now: For lines without a time of their own.
        version: Of the product.

    Raises:
        UnknownPurpose: A line has a purpose that is not in the register.
    """
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add()
    spans.resource.attributes.extend(
        [_attribute("service.name", "signaalwissel"), _attribute("service.version", version)]
    )
    scope = spans.scope_spans.add()
    scope.scope.name = "signaalwissel.processing_log"
    scope.spans.extend(_spans(lines, register_of, now))
    # The fastest level: lines differ in little more than their ids, which no level makes smaller.
    return gzip.compress(request.SerializeToString(), _PACKED_FAST, mtime=0)


def _spans(lines: Iterable[Line], register_of: Callable[[str], Register], now: Millis) -> Iterable[Span]:
    # A message is made once for all lines that differ in ids and time alone, and copied by whoever takes it: this is
    # on the path of every signal.
    models: dict[tuple[str, str, str | None], Span] = {}
    for line in lines:
        subject = line.subject
        key = (line.purpose, line.municipality, None if subject is None else subject.kind)
        span = models.get(key)
        if span is None:
            span = models[key] = _model(line, register_of(line.municipality))
        # What says that it was done in a time that OTLP cannot tell is dated when it is stored.
        at = (line.at if line.at is not None and 0 <= line.at <= _MILLIS_MAX else now) * _NANOS
        span.trace_id = line.trace_id
        span.span_id = span_id_of(line)
        span.start_time_unix_nano = at
        span.end_time_unix_nano = at
        span.status.code = Status.STATUS_CODE_ERROR if line.failed else Status.STATUS_CODE_OK
        if subject is not None:
            span.attributes[-1].value.string_value = subject.id
        yield span


def _model(line: Line, register: Register) -> Span:
    attributes = [_attribute(_ACTIVITY_ID, register.activity_of(line.purpose))]
    if line.subject is not None:
        attributes += [_attribute(_SUBJECT_TYPE, line.subject.kind), _attribute(_SUBJECT_ID, "")]
    return Span(name=NAMES[line.purpose], kind=Span.SPAN_KIND_INTERNAL, attributes=attributes)


def _attribute(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def _pseudonym(of: bytes) -> str:
    return hashlib.blake2b(of, digest_size=16, person=b"processing-log").hexdigest()
