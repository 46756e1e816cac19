from datetime import date

from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import DeadLetter
from signaalwissel.sinks.journey import signal_journey
from signaalwissel.sinks.settings import DEAD_LETTERS

from tests.processors.followup_support import MUNICIPALITY, decision, to_regular
from tests.sinks.sink_support import SinkBench


def test_a_journey_tells_every_revision_task_and_refusal(bench: SinkBench) -> None:
    refused = DeadLetter(
        "d", "intake", "signals", 0, 7, 7, "INVALID_FIELD", "bsn", "r", MUNICIPALITY, "s-1", b"x"
    )
    bench.publish(DEAD_LETTERS, b"k", codec("DeadLetter").encode(refused))
    bench.decide([decision(), to_regular(), decision("s-2")])
    bench.drain()
    journey = signal_journey(bench.engine, None, "s-1")
    (delivery,) = journey.deliveries
    assert [(row.revision, row.route) for row in delivery.decisions] == [
        (0, "COUNSELLOR_FOLLOWUP"),
        (1, "REGULAR_FLOW"),
    ]
    assert delivery.decisions[1].reason == "NO_TRAJECTORY"
    assert [step.what for step in delivery.tasks[0].history][:1] == ["OPENED"]
    assert [row.offset for row in journey.dead_letters] == [7]


def test_a_number_that_a_partner_uses_again_is_flagged(bench: SinkBench) -> None:
    bench.decide([decision(), decision(received_on=date(2026, 6, 2))])
    bench.drain()
    journey = signal_journey(bench.engine, MUNICIPALITY, "s-1")
    assert [delivery.number_used_again for delivery in journey.deliveries] == [False, True]


def test_what_is_not_known_has_no_journey(bench: SinkBench) -> None:
    bench.drain()
    journey = signal_journey(bench.engine, "0000", "s-1")
    assert (journey.deliveries, journey.dead_letters) == ((), ())
