from signaalwissel.sinks.health import health, lag
from signaalwissel.sinks.records import Place
from signaalwissel.sinks.settings import DECISIONS
from signaalwissel.sinks.tables import consumed_offsets, outbox

from tests.processors.followup_support import decision, regular
from tests.sinks.sink_support import PARTITIONS, SinkBench


def test_health_tells_how_far_the_sink_is(bench: SinkBench) -> None:
    bench.decide([decision(), regular("s-2")])
    bench.drain()
    found = health(bench.engine)
    decided = [p for place, p in found.partitions.items() if place.topic.endswith(DECISIONS)]
    assert sum(p.next_offset for p in decided) == 2
    assert all(0 <= p.idle_s < 60 for p in decided)
    assert (found.outbox_unsent, found.outbox_oldest_s) == (0, 0.0)
    assert (found.tasks, found.dead_letters) == ({"OPEN": 1}, {})
    with bench.engine.begin() as connection:
        connection.execute(outbox.update().values(sent_at=None))
    assert health(bench.engine).outbox_unsent == 1


def test_lag_tells_what_is_not_read_and_what_is_lost(bench: SinkBench) -> None:
    bench.drain()
    bench.decide([regular(f"s-{number}") for number in range(7)])
    behind = lag(bench.engine, bench.settings)
    assert len(behind) == 4 * PARTITIONS
    assert sum(partition.lag for partition in behind.values()) == 7
    assert not any(partition.lost for partition in behind.values())
    with bench.engine.begin() as connection:
        connection.execute(consumed_offsets.update().values(next_offset=1000))
    place = Place(bench.settings.topic(DECISIONS), 0)
    assert lag(bench.engine, bench.settings)[place].lost
