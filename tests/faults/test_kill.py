"""kill -9 in mid-load: nothing is lost, nothing is doubled, the database and the topics agree."""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable

import pytest
from signaalwissel.processors.emissions import COUNSELLOR_FOLLOWUP, REGULAR_FLOW
from signaalwissel.schemas.contract import codec
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.outcomes import count_deliveries, stored_outcomes
from signaalwissel.sources.generator import generate

from tests.system.installation import Installation, gapless, last_of_each, outcome, simulated_decisions
from tests.turns import turn

pytestmark = pytest.mark.timeout(900)


def routings(product: Installation) -> Counter[str]:
    """How often each revision-0 routing stands on the routing topics, for readers of committed records."""
    records = [record for topic in (COUNSELLOR_FOLLOWUP, REGULAR_FLOW) for record in product.read(topic)]
    return Counter(codec("RoutedSignal").decode(record.value).routing_id for record in records)


def kill(process: "subprocess.Popen[bytes]") -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


@turn(0, of=2)
def test_killed_processes_lose_nothing_and_double_nothing(install: Callable[..., Installation]) -> None:
    lines = list(generate(4_000, 12_000, 99))
    product = install()
    expected = last_of_each(simulated_decisions(product.simulated(lines)))
    engine = open_engine(product.database_url, name="test")
    stages = {
        name: product.start(*command)
        for name, command in {
            "intake": ("worker", "--only", "intake"),
            "matcher": ("worker", "--only", "matcher"),
            "sink": ("sink",),
        }.items()
    }
    part = len(lines) // 7
    # Each is killed twice, right behind a part of the load, and the load goes on without waiting for it.
    for number, name in enumerate(("intake", "matcher", "sink") * 2):
        product.publish(lines[number * part : (number + 1) * part])
        time.sleep(1.5)
        kill(stages[name])
        stages[name] = product.start(*(("sink",) if name == "sink" else ("worker", "--only", name)))
    product.publish(lines[6 * part :])
    product.settle(sink=True)

    found = product.decisions()
    assert gapless(found)
    routed = routings(product)
    assert set(routed.values()) == {1}
    assert {name.split("-")[0] for name in routed} == set(expected)
    assert {key: outcome(decision) for key, decision in last_of_each(found).items()} == {
        key: outcome(decision) for key, decision in expected.items()
    }
    assert count_deliveries(engine) == len(expected)
    stored = {
        (o.municipality, o.partner_id, o.signal_id, o.received_at): (o.route, o.trajectory_id)
        for o in stored_outcomes(engine)
    }
    assert stored == {
        (d.municipality, d.partner.partner_id, d.signal_id, d.received_at): outcome(d)
        for d in expected.values()
    }
    # No hit falls out: every signal of a counsellor lies on a task of that trajectory.
    assert all(o.on_task for o in stored_outcomes(engine) if o.trajectory_id is not None)


@turn(1, of=2)
def test_a_second_worker_that_joins_and_is_killed_leaves_every_signal_routed_once(
    install: Callable[..., Installation],
) -> None:
    lines = list(generate(3_000, 9_000, 98))
    product = install()
    expected = last_of_each(simulated_decisions(product.simulated(lines)))
    product.start("worker", "--only", "intake")
    product.start("worker", "--only", "matcher")
    part = len(lines) // 4
    product.publish(lines[:part])
    joined = [product.start("worker", "--only", "intake"), product.start("worker", "--only", "matcher")]
    product.publish(lines[part : 2 * part])
    time.sleep(8.0)
    product.publish(lines[2 * part : 3 * part])
    for process in joined:
        kill(process)
    product.publish(lines[3 * part :])
    product.settle()
    found = product.decisions()
    assert gapless(found)
    assert set(routings(product).values()) == {1}
    assert {key: outcome(decision) for key, decision in last_of_each(found).items()} == {
        key: outcome(decision) for key, decision in expected.items()
    }
