"""What a sink counts of what it stored."""

import time

from signaalwissel.schemas.internal import DeadLetter
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause
from signaalwissel.sinks.counts import CODES, STAGES, SinkCounts, Stored
from signaalwissel.sinks.records import Batch

from tests.processors.followup_support import decision, regular


def letter(stage: str, code: str) -> DeadLetter:
    return DeadLetter("id", stage, "signals", 0, 0, 0, code, None, "a rule", None, None, b"")


def test_first_decisions_and_corrections_are_counted_apart() -> None:
    counts = SinkCounts()
    corrected = regular("s-2")._replace(
        revision=1, action=CorrectionAction.WITHDRAWN, cause=CorrectionCause.LIFECYCLE
    )
    new = Stored([decision(), decision(), regular("s-2"), corrected])
    counts.stored(Batch(records=9), new, time.monotonic())
    assert counts.decisions == {
        ("COUNSELLOR_FOLLOWUP", decision().reason.value): 2,
        ("REGULAR_FLOW", regular("s-2").reason.value): 1,
    }
    assert counts.corrections == {("WITHDRAWN", "LIFECYCLE"): 1}
    assert (counts.read, counts.transactions) == (9, 1)
    assert counts.batch_records.buckets()[-1] == ("+Inf", 1.0)
    assert counts.last_commit_monotonic is not None


def test_whoever_writes_dead_letters_makes_no_labels() -> None:
    counts = SinkCounts()
    letters = [letter("intake", "UNREADABLE"), letter("999990019", "999990019")]
    counts.stored(Batch(), Stored(dead_letters=letters), time.monotonic())
    assert counts.dead_letters == {("intake", "UNREADABLE"): 1, ("OTHER", "OTHER"): 1}
    assert {stage for stage, _ in counts.dead_letters} <= set(STAGES)
    assert {code for _, code in counts.dead_letters} <= set(CODES)
