"""Decision by hand against the generic codec: the same record, and the same refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.schemas.contract import Codec, codec
from signaalwissel.schemas.decision_codec import read_decision
from signaalwissel.schemas.errors import DoesNotFit, NotWireFormat, UnknownSchemaId
from signaalwissel.schemas.routing import Decision

from tests.schemas.strategies import EXAMPLES, records

DECISION: Codec[Decision] = codec("Decision")


@given(records("Decision"))
@EXAMPLES
def test_by_hand_is_read_what_the_schema_says(decision: Decision) -> None:
    data = DECISION.encode(decision)
    assert read_decision(data) == decision == DECISION.decode(data)


@given(records("Decision"), st.data())
@EXAMPLES
def test_broken_bytes_are_refused_as_by_the_generic_codec(decision: Decision, data: st.DataObject) -> None:
    whole = DECISION.encode(decision)
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = whole[:at] + bytes([data.draw(st.integers(0, 255))]) + whole[at + 1 :]
    for broken in (whole[:at], whole + b"\x00", flipped):
        try:
            expected: Decision | type[Exception] = DECISION.decode(broken)
        except (DoesNotFit, NotWireFormat, UnknownSchemaId) as error:
            with pytest.raises(type(error)):
                read_decision(broken)
        else:
            assert read_decision(broken) == expected


def test_a_record_of_another_schema_is_refused() -> None:
    with pytest.raises(UnknownSchemaId):
        read_decision(b"\x00\x00\x00\x00\x01rest")
