"""The hand-over inside a running sink: from a decision to an internetaak, and from its completion to a task that is done."""

from collections.abc import Iterator

import pytest
from signaalwissel.schemas.followup import TaskStatus
from signaalwissel.sinks.open_klant_tables import open_klant_handovers
from signaalwissel.sinks.settings import TASK_UPDATES
from signaalwissel.sinks.tables import notices, tasks

from tests.processors.followup_support import decision
from tests.sinks.open_klant_server import running_stub
from tests.sinks.open_klant_stub import OpenKlantStub
from tests.sinks.open_klant_support import open_klant_settings
from tests.sinks.sink_support import SinkBench, until


@pytest.fixture
def stub() -> Iterator[OpenKlantStub]:
    with running_stub() as stub:
        yield stub


def test_a_relapse_is_handed_over_and_its_completion_ends_the_task(
    bench: SinkBench, stub: OpenKlantStub
) -> None:
    bench.decide([decision()])
    with bench.running(open_klant=open_klant_settings(stub), clock=False) as sink:
        until(lambda: sink.failure is not None or len(stub.tasks) == 1, "the hand-over")
        stub.finish(stub.only_task["uuid"])
        until(
            lambda: [row["status"] for row in bench.rows(tasks)] == [TaskStatus.DONE], "the end of the task"
        )
        until(lambda: bench.rows(open_klant_handovers)[0]["status"] == "CLOSED", "the end of the hand-over")
    (task,) = bench.rows(tasks)
    (record,) = bench.published(TASK_UPDATES, 1)
    assert record.key == task["task_id"].encode()
    assert stub.count("PATCH") == 0


def test_a_contact_that_was_made_in_open_klant_tells_the_partner_that_his_signal_was_taken_up(
    bench: SinkBench, stub: OpenKlantStub
) -> None:
    bench.decide([decision()])
    with bench.running(open_klant=open_klant_settings(stub), clock=False) as sink:
        until(lambda: sink.failure is not None or len(stub.tasks) == 1, "the hand-over")
        stub.register_contact(stub.only_task["aanleidinggevendKlantcontact"]["uuid"], reached=True)
        stub.finish(stub.only_task["uuid"])
        until(
            lambda: [row["status"] for row in bench.rows(tasks)] == [TaskStatus.DONE], "the end of the task"
        )
    (notice,) = bench.rows(notices)
    assert (notice["kind"], notice["feedback"]) == ("PARTNER_FEEDBACK", "TAKEN_UP")


def test_an_open_klant_that_fails_all_the_time_holds_nothing_up(
    bench: SinkBench, stub: OpenKlantStub
) -> None:
    stub.fail("", "status", status=500, times=100_000)
    settings = open_klant_settings(stub, failures_max=1)
    with bench.running(open_klant=settings, clock=False) as sink:
        for number in range(3):
            bench.decide([decision(f"s-{number}", trajectory_id=f"T-{number}")])
            until(lambda: sink.failure is not None or bench.drained(), "the sink")
        until(lambda: stub.count("GET") > 3, "a few tries")
        assert sink.failure is None
    assert len(bench.task_events(3)) == 3
    assert len(bench.rows(tasks)) == 3


def test_off_by_default(bench: SinkBench) -> None:
    bench.decide([decision()])
    bench.drain(clock=False)
    assert bench.rows(open_klant_handovers) == []
