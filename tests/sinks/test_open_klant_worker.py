import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.validation import check_published
from signaalwissel.schemas.followup import TaskKind, TaskStatus, TaskStep, TaskUpdate, TaskUpdateKind
from signaalwissel.sinks.database import migrate
from signaalwissel.sinks.open_klant_health import open_klant_health
from signaalwissel.sinks.open_klant_worker import OpenKlantHandover

from tests.sinks.open_klant_server import running_stub
from tests.sinks.open_klant_stub import OpenKlantStub
from tests.sinks.open_klant_support import Desktop, relapse
from tests.sinks.sink_support import take_tasks_away

HANDLED_MS = 1_773_051_300_250


@pytest.fixture
def stub() -> Iterator[OpenKlantStub]:
    with running_stub() as stub:
        yield stub


@pytest.fixture
def desktop(database_url: str, stub: OpenKlantStub) -> Desktop:
    migrate(database_url)
    return Desktop(database_url, stub)


@pytest.fixture
def handed(desktop: Desktop, stub: OpenKlantStub) -> Task:
    """A task that is in Open Klant, open."""
    task = relapse()
    desktop.keep(task)
    with desktop.handing_over():
        desktop.until(lambda: is_in(desktop, task, "OPEN"), "the hand-over")
    assert len(stub.tasks) == 1
    return task


def is_in(desktop: Desktop, task: Task, status: str) -> bool:
    row = desktop.row(task)
    return row is not None and row.status == status and row.version == task.version


def let_the_pause_be_over(handover: OpenKlantHandover) -> None:
    handover._circuit._open_until = 0.0


def test_a_task_is_handed_over_once_and_then_only_looked_at(
    desktop: Desktop, stub: OpenKlantStub, handed: Task
) -> None:
    row = desktop.row(handed)
    assert (str(row.internetaak), str(row.klantcontact)) == (
        stub.only_task["uuid"],
        stub.only_task["aanleidinggevendKlantcontact"]["uuid"],
    )
    assert (row.attempts, row.last_error) == (0, None)
    with desktop.handing_over():
        looked = stub.count("GET internetaken/")
        desktop.until(lambda: stub.count("GET internetaken/") >= looked + 3, "three looks")
    assert (stub.count("POST"), stub.count("PATCH")) == (3, 0)


def test_only_the_chosen_kinds_and_open_tasks_are_handed_over(desktop: Desktop, stub: OpenKlantStub) -> None:
    ended = replace(relapse(2), status=TaskStatus.CANCELLED)
    plan = replace(relapse(3), task_id="plan-1", kind=TaskKind.EVALUATE_PLAN)
    desktop.keep(relapse(1), ended, plan)
    with desktop.handing_over(kinds=frozenset({TaskKind.EVALUATE_PLAN})):
        desktop.until(lambda: is_in(desktop, plan, "OPEN"), "the plan")
    assert "Evalueer" in stub.only_task["gevraagdeHandeling"]
    assert desktop.row(ended) is None


def test_a_later_version_brings_text_and_actor_up_to_date(
    desktop: Desktop, stub: OpenKlantStub, handed: Task
) -> None:
    moved = desktop.change(handed, assignee=None, team="wijkteam", status=TaskStatus.ESCALATED)
    with desktop.handing_over():
        desktop.until(lambda: is_in(desktop, moved, "OPEN"), "the change")
    assert stub.only_task["toelichting"].startswith("De taak is overgedragen aan het team.")
    (uuid,) = [actor["uuid"] for actor in stub.actors.values() if actor["naam"] == "wijkteam"]
    assert stub.only_task["toegewezenAanActoren"] == [{"uuid": uuid}]
    assert stub.only_task["status"] == "te_verwerken"


def test_a_cancelled_task_is_done_there_and_comes_back_when_it_is_reopened(
    desktop: Desktop, stub: OpenKlantStub, handed: Task
) -> None:
    cancelled = desktop.change(handed, status=TaskStatus.CANCELLED)
    with desktop.handing_over():
        desktop.until(lambda: is_in(desktop, cancelled, "CLOSED"), "the end")
        assert stub.only_task["status"] == "verwerkt"
        reopened = desktop.change(cancelled, status=TaskStatus.OPEN)
        desktop.until(lambda: is_in(desktop, reopened, "OPEN"), "the return")
    assert (stub.only_task["status"], stub.only_task["afgehandeldOp"]) == ("te_verwerken", None)
    # What we closed ourselves is no completion by a counsellor.
    assert desktop.updates() == []


def test_what_a_counsellor_marked_as_done_becomes_one_task_update(
    desktop: Desktop, stub: OpenKlantStub, handed: Task
) -> None:
    stub.finish(stub.only_task["uuid"])
    with desktop.handing_over():
        desktop.until(lambda: is_in(desktop, handed, "COMPLETED"), "the completion")
        looked = stub.count("GET")
        done = desktop.change(handed, status=TaskStatus.DONE)
        desktop.until(lambda: is_in(desktop, done, "CLOSED"), "the end")
    (update,) = desktop.updates()
    assert (update.kind, update.task_id, update.by) == (
        TaskUpdateKind.COMPLETED,
        handed.task_id,
        "open-klant",
    )
    assert update.occurred_at == HANDLED_MS
    assert update.update_id == f"open-klant-{stub.only_task['uuid']}-{HANDLED_MS}"
    assert (stub.count("GET"), stub.count("PATCH")) == (looked, 0)


def told(desktop: Desktop, task: Task) -> TaskUpdate:
    with desktop.handing_over():
        desktop.until(lambda: is_in(desktop, task, "COMPLETED"), "the completion")
    (update,) = desktop.updates()
    return update


@pytest.mark.parametrize(
    ("reached", "kind"),
    [
        (True, TaskUpdateKind.CONTACT_MADE),
        (False, TaskUpdateKind.COMPLETED),
        (None, TaskUpdateKind.COMPLETED),
    ],
)
def test_a_contact_that_was_registered_there_is_told_as_one(
    desktop: Desktop, stub: OpenKlantStub, handed: Task, reached: bool | None, kind: TaskUpdateKind
) -> None:
    stub.register_contact(stub.only_task["aanleidinggevendKlantcontact"]["uuid"], reached=reached)
    stub.finish(stub.only_task["uuid"])
    update = told(desktop, handed)
    assert (update.kind, update.reached) == (kind, reached)


def test_an_evaluation_ends_as_completed_though_the_resident_was_reached(
    desktop: Desktop, stub: OpenKlantStub
) -> None:
    task = replace(relapse(), kind=TaskKind.EVALUATE_PLAN)
    desktop.keep(task)
    with desktop.handing_over():
        desktop.until(lambda: is_in(desktop, task, "OPEN"), "the hand-over")
    stub.register_contact(stub.only_task["aanleidinggevendKlantcontact"]["uuid"], reached=True)
    stub.finish(stub.only_task["uuid"])
    assert told(desktop, task).kind is TaskUpdateKind.COMPLETED


@pytest.mark.parametrize("said", ["2999-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_a_completion_on_an_impossible_day_counts_as_of_now(
    desktop: Desktop, stub: OpenKlantStub, handed: Task, said: str
) -> None:
    stub.only_task.update(status="verwerkt", afgehandeldOp=said)
    update = told(desktop, handed)
    check_published(update.occurred_at, time.time_ns() // 1_000_000, "occurred_at")
    assert update.occurred_at > HANDLED_MS


def test_a_completion_is_not_overwritten_by_a_later_version(
    desktop: Desktop, stub: OpenKlantStub, handed: Task
) -> None:
    stub.finish(stub.only_task["uuid"])
    step = TaskStep(HANDLED_MS, "ARREARS_ADDED", None, "Er is een achterstand bij gekomen.")
    desktop.change(handed.with_step(step))
    with desktop.handing_over():
        desktop.until(lambda: desktop.row(handed).status == "COMPLETED", "the completion")
    assert (stub.count("PATCH"), len(desktop.updates())) == (0, 1)


def test_the_same_completion_seen_again_is_told_once(
    desktop: Desktop, stub: OpenKlantStub, handed: Task
) -> None:
    stub.finish(stub.only_task["uuid"])
    with desktop.handing_over():
        desktop.until(lambda: is_in(desktop, handed, "COMPLETED"), "the completion")
    with desktop.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE open_klant_handovers SET status = 'OPEN', next_attempt_at = now()")
    with desktop.handing_over():
        desktop.until(lambda: is_in(desktop, handed, "COMPLETED"), "the completion again")
    assert len(desktop.updates()) == 1


def test_an_internetaak_that_was_deleted_there_is_made_again(
    desktop: Desktop, stub: OpenKlantStub, handed: Task
) -> None:
    before = stub.only_task["uuid"]
    stub.tasks.clear()
    with desktop.handing_over():
        desktop.until(lambda: is_in(desktop, handed, "OPEN") and stub.tasks, "a new one")
    assert stub.only_task["uuid"] != before
    assert str(desktop.row(handed).internetaak) == stub.only_task["uuid"]
    assert len(stub.contacts) == 1


@pytest.mark.parametrize("where", ["POST actoren", "POST maak-klantcontact", "POST internetaken"])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 429, "headers": {"Retry-After": "0"}},
        {"kind": "drop_before"},
        {"kind": "drop_after"},
        {"kind": "late", "seconds": 1.5},
        {"kind": "nonsense"},
    ],
    ids=lambda fault: f"{fault['kind']}{fault.get('status', '')}",
)
def test_whatever_fails_on_the_way_there_is_one_internetaak_in_the_end(
    desktop: Desktop, stub: OpenKlantStub, where: str, fault: dict[str, Any]
) -> None:
    stub.fail(where, **fault)
    task = relapse()
    desktop.keep(task)
    with desktop.handing_over(timeout_s=0.5):
        desktop.until(lambda: is_in(desktop, task, "OPEN"), "the hand-over")
    assert [len(kept) for kept in (stub.contacts, stub.objects, stub.tasks)] == [1, 1, 1]
    assert desktop.row(task).last_error is None


def test_a_task_that_ends_before_it_was_handed_over_is_looked_for_and_closed(
    desktop: Desktop, stub: OpenKlantStub
) -> None:
    task = relapse()
    desktop.keep(task)
    stub.fail("POST internetaken", "drop_after")
    with desktop.handing_over(failures_max=1, pause_s=60.0, pause_max_s=60.0):
        desktop.until(lambda: desktop.row(task) is not None and desktop.row(task).attempts, "a failure")
    cancelled = desktop.change(task, status=TaskStatus.CANCELLED)
    with desktop.handing_over():
        desktop.until(lambda: is_in(desktop, cancelled, "CLOSED"), "the end")
    assert stub.only_task["status"] == "verwerkt"


def test_a_task_that_never_reached_open_klant_and_ended_is_closed_without_a_trace(
    desktop: Desktop, stub: OpenKlantStub
) -> None:
    task = relapse()
    desktop.keep(task)
    stub.fail("GET", "status", status=500, times=1000)
    with desktop.handing_over():
        desktop.until(lambda: desktop.row(task) is not None and desktop.row(task).attempts > 0, "a failure")
        cancelled = desktop.change(task, status=TaskStatus.CANCELLED)
        stub.heal()
        desktop.until(lambda: is_in(desktop, cancelled, "CLOSED"), "the end")
    assert (stub.tasks, stub.contacts) == ({}, {})


def test_one_task_that_is_refused_does_not_hold_up_the_others(desktop: Desktop, stub: OpenKlantStub) -> None:
    refused, fine = relapse(1), relapse(2)
    desktop.keep(refused)
    stub.fail("POST maak-klantcontact", "status", status=400, times=1)
    with desktop.handing_over(pause_s=60.0, pause_max_s=60.0):
        desktop.until(lambda: desktop.row(refused) is not None and desktop.row(refused).attempts, "a refusal")
        desktop.keep(fine)
        desktop.until(lambda: is_in(desktop, fine, "OPEN"), "the other")
        desktop.until(lambda: is_in(desktop, refused, "OPEN"), "the refused one")


def test_after_failures_in_a_row_the_circuit_opens_and_one_try_later_closes_it(
    desktop: Desktop, stub: OpenKlantStub
) -> None:
    made = [relapse(number) for number in range(1, 9)]
    desktop.keep(*made)
    stub.fail("GET onderwerpobjecten", "status", status=500, times=1000)
    with desktop.handing_over(failures_max=3, pause_s=3600.0, pause_max_s=3600.0) as handover:
        desktop.until(lambda: not handover._circuit.closed, "the circuit to open")
        assert stub.count("GET") == 3
        let_the_pause_be_over(handover)
        desktop.until(lambda: stub.count("GET") > 3 and handover._circuit.pause_s > 0, "one try")
        assert stub.count("GET") == 4
        stub.heal()
        let_the_pause_be_over(handover)
        desktop.until(lambda: all(is_in(desktop, task, "OPEN") for task in made), "all tasks")
        assert handover._circuit.closed
    assert len(stub.tasks) == len(made)


def test_a_bad_token_opens_the_circuit_at_once_and_is_told(
    desktop: Desktop, stub: OpenKlantStub, caplog: pytest.LogCaptureFixture
) -> None:
    desktop.keep(relapse(1), relapse(2))
    stub.token = "another"
    with desktop.handing_over(pause_s=60.0, pause_max_s=60.0) as handover:
        desktop.until(lambda: not handover._circuit.closed, "the circuit to open")
    assert stub.count("GET") == 1
    found = open_klant_health(desktop.engine)
    assert found.failing == 1
    assert found.last_error is not None
    assert "HTTP 401: the token is not accepted" in found.last_error
    assert "left alone for 60 s" in caplog.text
    assert "geheim-token" not in caplog.text


def test_a_task_that_retention_takes_away_meanwhile_is_no_crash(
    desktop: Desktop, stub: OpenKlantStub, handed: Task
) -> None:
    stub.fail("GET internetaken/", "late", seconds=0.6)
    with desktop.handing_over():
        asked = stub.count("GET internetaken/")
        desktop.until(lambda: stub.count("GET internetaken/") > asked, "a look")
        take_tasks_away(desktop.engine)
        other = relapse(2)
        desktop.keep(other)
        desktop.until(lambda: is_in(desktop, other, "OPEN"), "the next task")
    assert desktop.row(handed) is None


def test_of_two_hand_overs_one_works_and_the_other_takes_its_place(
    desktop: Desktop, stub: OpenKlantStub
) -> None:
    first, second = relapse(1), relapse(2)
    desktop.keep(first)
    with desktop.handing_over():
        with desktop.handing_over():
            desktop.until(lambda: is_in(desktop, first, "OPEN"), "the first")
        desktop.keep(second)
        desktop.until(lambda: is_in(desktop, second, "OPEN"), "the second")
    assert (len(stub.tasks), stub.count("POST maak-klantcontact")) == (2, 2)


def test_a_database_that_is_away_is_no_failure_of_open_klant(stub: OpenKlantStub) -> None:
    desktop = Desktop("postgresql://nobody@127.0.0.1:9/none", stub)
    desktop.settings = replace(desktop.settings, retry_s=0.5)
    with pytest.raises(AssertionError, match=r"gave up after 0\.5 s"), desktop.handing_over() as handover:
        handover.join(30)
    assert stub.requests == []
