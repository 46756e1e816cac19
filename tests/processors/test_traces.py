"""What a record's headers say of its trace."""

import pytest
from signaalwissel.processors.traces import TraceParent, read_parent

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_trace_parent_and_sampling_are_read_and_written() -> None:
    parent = read_parent([("ce_id", b"x"), ("traceparent", f"00-{TRACE}-{SPAN}-01".encode())])
    assert parent == TraceParent(int(TRACE, 16), int(SPAN, 16), 1)
    assert parent.sampled
    assert parent.header(255) == f"00-{TRACE}-00000000000000ff-01".encode()


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("02", False), ("03", True)])
def test_the_lowest_flag_alone_says_whether_a_trace_is_sampled(flags: str, sampled: bool) -> None:
    parent = read_parent([("traceparent", f"00-{TRACE}-{SPAN}-{flags}".encode())])
    assert parent is not None
    assert parent.sampled is sampled
    assert parent.header(1).endswith(f"-{flags}".encode())


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"0344",
        f"ff-{TRACE}-{SPAN}-01".encode(),
        f"00-{TRACE}-{SPAN}-1".encode(),
        f"00-{TRACE.upper()}-{SPAN}-01".encode(),
        f"00-{'0' * 32}-{SPAN}-01".encode(),
        f"00-{TRACE}-{'0' * 16}-01".encode(),
    ],
)
def test_what_is_no_trace_context_is_none(value: bytes | None) -> None:
    assert read_parent([("traceparent", value)]) is None


def test_a_record_without_the_header_has_no_trace() -> None:
    assert read_parent(()) is None
    assert read_parent([("tracestate", b"x=1")]) is None
