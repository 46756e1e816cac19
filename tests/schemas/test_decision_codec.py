import pytest
from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.schemas.contract import Codec, codec
from signaalwissel.schemas.decision_codec import read_decision
from signaalwissel.schemas.errors import DoesNotFit, NotWireFormat, UnknownSchemaId
from signaalwissel.schemas.routing import (
    Candidate,
    CorrectionAction,
    CorrectionCause,
    DebtTiming,
    Decision,
    Evidence,
    MatchedBy,
    Route,
    TrajectoryStanding,
    TrueReason,
)
from signaalwissel.schemas.signal import Partner, PartnerKind
from signaalwissel.schemas.trajectory import Counsellor

DECISION: Codec[Decision] = codec("Decision")
TEXTS = st.text(max_size=150)
MOMENTS = st.integers(-62_135_596_800_000, 253_402_300_799_999)
INTS = st.integers(-(2**31), 2**31 - 1)

DECISIONS = st.builds(
    Decision,
    routing_id=TEXTS,
    signal_id=TEXTS,
    municipality=TEXTS,
    revision=INTS,
    route=st.sampled_from(Route),
    reason=st.sampled_from(TrueReason),
    explanation=TEXTS,
    policy_version=TEXTS,
    reference_date=st.dates(),
    decided_at=MOMENTS,
    partner=st.builds(Partner, partner_id=TEXTS, kind=st.sampled_from(PartnerKind)),
    arrears=st.integers(-(10**12) + 1, 10**12 - 1),
    arrears_since=st.none() | st.dates(),
    signalled_on=st.none() | st.dates(),
    received_at=MOMENTS,
    crisis=st.booleans(),
    warm_transfer=st.booleans(),
    sealed_subject=st.binary(max_size=200),
    trajectory_id=st.none() | TEXTS,
    trajectory_state=st.none() | st.sampled_from(TrajectoryStanding),
    client=st.none() | INTS,
    counsellor=st.none() | st.builds(Counsellor, counsellor_id=TEXTS, team=TEXTS),
    team=st.none() | TEXTS,
    window_ends_on=st.none() | st.dates(),
    debt_timing=st.none() | st.sampled_from(DebtTiming),
    matched_by=st.none() | st.sampled_from(MatchedBy),
    evidence=st.none() | st.sampled_from(Evidence),
    candidates=st.lists(st.builds(Candidate, trajectory_id=TEXTS, client=INTS), max_size=4).map(tuple),
    match_key=st.binary(max_size=40),
    last_day=st.dates(),
    action=st.none() | st.sampled_from(CorrectionAction),
    cause=st.none() | st.sampled_from(CorrectionCause),
    caused_by_event_id=st.none() | TEXTS,
    previous_routing_id=st.none() | TEXTS,
)


@given(DECISIONS)
def test_by_hand_is_read_what_the_schema_says(decision: Decision) -> None:
    data = DECISION.encode(decision)
    assert read_decision(data) == decision == DECISION.decode(data)


@given(DECISIONS, st.data())
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
