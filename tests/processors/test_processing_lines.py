import gzip

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from signaalwissel.processors.processing_lines import (
    Line,
    of_decision,
    page_of,
    resident,
    span_id_of,
    trace_of,
)
from signaalwissel.processors.processing_register import BUILT_IN, Purpose, Register, UnknownPurpose

from tests.processors.followup_support import decision, to_regular

NOW = 1_772_452_801_000


def spans(*lines: Line) -> list[Span]:
    request = ExportTraceServiceRequest.FromString(
        gzip.decompress(page_of(lines, lambda _: BUILT_IN, NOW, "1.0"))
    )
    return list(request.resource_spans[0].scope_spans[0].spans)


def line(**changes: object) -> Line:
    made = Line(Purpose.SEALED_OPENED, "0344", "routing-1", b"t" * 16, resident(b"k" * 33))
    return made._replace(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        (b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "0af7651916cd43dd8448eb211c80319c"),
        (b"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", "0af7651916cd43dd8448eb211c80319c"),
        (b"00-00000000000000000000000000000000-b7ad6b7169203331-01", None),
        (b"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", None),
        (b"nothing", None),
        (b"\xff", None),
        (None, None),
    ],
)
def test_a_trace_id_comes_from_a_header_that_can_be_used(header: bytes | None, trace: str | None) -> None:
    found = trace_of(header)
    assert (None if found is None else found.hex()) == trace


def test_the_same_line_has_the_same_span_and_another_has_another() -> None:
    others = [
        line(purpose=Purpose.RECORD_CONSULTED),
        line(municipality="0363"),
        line(operation="routing-2"),
        line(subject=resident(b"l" * 33)),
        line(subject=None),
    ]
    assert span_id_of(line()) == span_id_of(line(at=5, failed=True))
    assert len({span_id_of(one) for one in (line(), *others)}) == 6


def test_a_fault_of_ours_is_an_error_and_the_next_line_is_not() -> None:
    first, second = spans(line(failed=True), line(operation="other"))
    assert (first.status.code, second.status.code) == (Status.STATUS_CODE_ERROR, Status.STATUS_CODE_OK)


@pytest.mark.parametrize(("at", "told"), [(None, NOW), (5, 5), (-1, NOW), (2**62, NOW)])
def test_a_line_is_dated_by_what_it_says_where_that_can_be(at: int | None, told: int) -> None:
    (span,) = spans(line(at=at))
    assert span.start_time_unix_nano == span.end_time_unix_nano == told * 1_000_000


def test_a_line_of_which_nobody_knows_whose_data_it_is_names_nobody() -> None:
    (span,) = spans(line(subject=None))
    assert [attribute.key for attribute in span.attributes] == ["dpl.core.processing_activity_id"]


def test_pages_one_after_the_other_are_one_request() -> None:
    pages = [page_of([line(operation=str(n))], lambda _: BUILT_IN, NOW, "1.0") for n in range(3)]
    request = ExportTraceServiceRequest.FromString(gzip.decompress(b"".join(pages)))
    assert len(request.resource_spans) == 3


def test_a_purpose_without_an_entry_makes_no_line() -> None:
    nothing = Register("1", {})
    with pytest.raises(UnknownPurpose):
        page_of([line()], lambda _: nothing, NOW, "1.0")


def test_the_lines_of_one_signal_share_trace_and_person() -> None:
    first, second = of_decision(decision(), None), of_decision(to_regular(), None)
    assert (first.trace_id, first.subject) == (second.trace_id, second.subject)
    assert (first.purpose, second.purpose) == (Purpose.SIGNAL_TESTED, Purpose.SIGNAL_RETESTED)
    assert of_decision(decision(), b"x" * 16).trace_id == b"x" * 16
