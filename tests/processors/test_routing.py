"""Routing records: topics, keys and ids of what the matcher publishes (design 2)."""

import pytest
from signaalwissel.processors.decision import NOBODY, Verdict
from signaalwissel.processors.emissions import Emission
from signaalwissel.processors.routing import Revision, Routing
from signaalwissel.schemas.routing import CorrectionAction, Route, TrueReason

from tests.processors.given import default_policies
from tests.processors.keyed import KEY, keyed_signal

SIGNAL = keyed_signal()
REF = SIGNAL.signal_ref.hex()


def routing(verdict: Verdict = NOBODY, revision: int = 0) -> Routing:
    return Routing(SIGNAL, KEY, verdict, Revision(revision, None, None, None, 1), default_policies().default)


def named(emission: Emission) -> tuple[str, bytes, str]:
    return emission.topic, emission.key, emission.event_id


def test_the_first_record_goes_under_the_signal_to_the_regular_flow() -> None:
    assert named(routing().first()) == ("regular-flow", b"0344/woonstad/S1", f"{REF}-0")
    assert routing().first().event_type == "nl.vroegsignalering.signaal-gerouteerd"


def test_the_audit_record_is_internal() -> None:
    assert named(routing().decision()) == ("decisions", b"0344/woonstad/S1", "")
    assert routing().decision().event_type is None


def test_a_correction_goes_under_the_trajectory_that_it_is_about() -> None:
    told = routing(revision=1).tell_counsellor(CorrectionAction.WITHDRAWN, "T9")
    assert named(told) == ("counsellor-corrections", b"0344/T9", f"{REF}-1-counsellor-withdrawn")


def test_or_under_the_signal_for_the_regular_side() -> None:
    told = routing(revision=1).tell_regular(CorrectionAction.MOVED)
    assert named(told) == ("regular-corrections", b"0344/woonstad/S1", f"{REF}-1-regular-moved")


def test_a_hit_without_a_trajectory_is_never_published() -> None:
    """Our own bug, and no input's: it ends the work instead of sending a signal to nobody."""
    contradiction = Verdict(Route.COUNSELLOR_FOLLOWUP, TrueReason.RUNNING_TRAJECTORY)
    with pytest.raises(ValueError, match="has a trajectory"):
        routing(contradiction).first()
