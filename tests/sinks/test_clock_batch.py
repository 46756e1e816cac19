from datetime import date, timedelta

import pytest
from signaalwissel.processors import followup_texts as texts
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.followup_tasks import Moment, Outcome, Task
from signaalwissel.processors.policy import Policies, Policy
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskKind, TaskStatus, TaskUpdateKind
from signaalwissel.schemas.internal import ResidentCommandKind
from signaalwissel.schemas.trajectory import Counsellor, TrajectoryEventKind
from signaalwissel.sinks import clock_batch
from signaalwissel.sinks.agendas import ClockStuck
from signaalwissel.sinks.settings import RESIDENT_EVENTS, TASKS
from signaalwissel.sinks.tables import commands, outbox, trajectories

from tests.processors.followup_support import COUNSELLOR, POLICY, address_only, decision, to_regular, update
from tests.sinks.clock_support import MONDAY, Office, SetTime, state, steps

_Kind = TrajectoryEventKind


@pytest.fixture
def office(database_url: str) -> Office:
    return Office(database_url)


def after(days: int) -> date:
    return MONDAY + timedelta(days=days)


def test_the_ladder_climbs_day_by_day_and_offers_once_before_day_28(office: Office) -> None:
    office.store(decision())
    office.tick_daily(40)
    task = office.only
    assert task.status is TaskStatus.ESCALATED
    assert task.assignee is None
    assert steps(task).count("OFFERED_TO_REGULAR") == 1
    (command,) = [row for row in office.rows(outbox) if row["topic"] == RESIDENT_EVENTS]
    said = codec("ResidentCommand").decode(bytes(command["value"]))
    assert said.kind is ResidentCommandKind.OFFER_TO_REGULAR
    assert said.issued_at < office.time.now(None) - 12 * 24 * 3600 * 1000  # type: ignore[arg-type]
    assert task.next_on is not None
    assert task.next_on > office.time.day


def test_what_was_missed_is_caught_up_once_and_ends_alike(
    office: Office, database_url: str, platform: object
) -> None:
    office.store(decision(), decision("s-2", trajectory_id="T-2"))
    for task in office.tasks():
        assert task.next_on is not None
    office.tick(after(40))
    late = office.tasks()
    assert all(task.status is TaskStatus.ESCALATED for task in late)
    assert all(steps(task).count("OFFERED_TO_REGULAR") == 1 for task in late)
    assert [task.version for task in late] == [2, 2]
    assert office.tick(after(40)) == 0
    assert office.tasks() == late


def test_every_version_of_the_clock_is_published_in_order(office: Office) -> None:
    office.store(decision())
    office.tick_daily(30)
    published = [
        codec("TaskEvent").decode(bytes(row["value"]))
        for row in sorted(office.rows(outbox), key=lambda row: row["id"])
        if row["topic"] == TASKS
    ]
    assert [event.version for event in published] == list(range(1, office.only.version + 1))
    assert len(published) > 3


def test_a_backlog_is_handled_in_batches(database_url: str) -> None:
    office = Office(database_url, clock_batch=3)
    office.store(*(decision(f"s-{n}", trajectory_id=f"T-{n}") for n in range(7)))
    assert office.tick(after(10)) == 3
    assert all(task.rung or len(task.history) > 1 for task in office.tasks())


def test_a_correction_cancels_the_task_with_a_note_and_the_clock_leaves_it(office: Office) -> None:
    office.store(decision())
    office.tick(after(8))
    office.store(to_regular())
    cancelled = office.only
    assert (cancelled.status, cancelled.next_on) == (TaskStatus.CANCELLED, None)
    assert cancelled.history[-1].note == texts.CANCELLED_WITHOUT_SIGNALS
    assert office.tick(after(60)) == 0
    assert office.only == cancelled


def test_a_correction_moves_the_signal_to_the_other_trajectorys_task(office: Office) -> None:
    office.store(decision())
    office.store(decision(revision=1, trajectory_id="T-2"))
    by_trajectory = {task.trajectory_id: task for task in office.tasks()}
    assert by_trajectory["T-1"].status is TaskStatus.CANCELLED
    assert by_trajectory["T-2"].status is TaskStatus.OPEN
    office.tick(after(30))
    assert "OFFERED_TO_REGULAR" in steps(office.tasks()[0]) + steps(office.tasks()[1])
    assert steps(by_trajectory["T-1"])[-1] == "CANCELLED"


def test_a_verification_that_nobody_answers_expires_visibly_within_the_correction_period(
    office: Office,
) -> None:
    office.store(address_only())
    office.tick_daily(36)
    task = office.only
    assert (task.kind, task.status, task.next_on) == (TaskKind.VERIFY_IDENTITY, TaskStatus.EXPIRED, None)
    assert steps(task)[-1] == "EXPIRED"
    assert amsterdam_day(task.history[-1].at) <= after(POLICY.corrections.period_days)
    published = [row for row in office.rows(outbox) if row["topic"] == TASKS]
    assert codec("TaskEvent").decode(bytes(published[-1]["value"])).status is TaskStatus.EXPIRED


def test_the_new_counsellor_gets_the_task_and_its_ladder_goes_on(office: Office) -> None:
    told = [(_Kind.APPLIED, date(2026, 1, 5))]
    office.store(decision(), states=[state(*told, counsellor=COUNSELLOR)])
    office.tick(after(8))
    other = Counsellor("b-18", "team-zuid")
    office.store(states=[state(*told, (_Kind.ADMITTED, date(2026, 1, 9)), counsellor=other)])
    relapse = next(task for task in office.tasks() if task.kind is TaskKind.CONTACT_ON_RELAPSE)
    assert (relapse.assignee, relapse.team, relapse.next_on is not None) == ("b-18", "team-zuid", True)
    office.tick(after(30))
    relapse = next(task for task in office.tasks() if task.kind is TaskKind.CONTACT_ON_RELAPSE)
    assert relapse.status is TaskStatus.ESCALATED


def test_a_task_that_was_done_is_left_alone(office: Office) -> None:
    office.store(decision())
    office.store(updates=[update(TaskUpdateKind.CONTACT_MADE, office.only.task_id)])
    done = office.only
    assert (done.status, done.next_on) == (TaskStatus.DONE, None)
    office.tick(after(60))
    assert office.only == done


def test_a_task_goes_on_under_the_policy_under_which_it_was_opened(database_url: str) -> None:
    Office(database_url).store(decision())
    slower = Policy.model_validate(POLICY.model_dump() | {"ladder": {"team_after_days": 20}})
    office = Office(database_url, Policies(slower, for_every_code=True))
    office.store(decision("s-2", trajectory_id="T-2"))
    office.tick(after(POLICY.ladder.team_after_days))
    status = {task.trajectory_id: task.status for task in office.tasks()}
    assert status == {"T-1": TaskStatus.ESCALATED, "T-2": TaskStatus.OPEN}


def test_while_a_trajectory_is_monitored_there_is_one_contact_a_month(office: Office) -> None:
    office.store(states=[state((_Kind.APPLIED, date(2025, 6, 1)), (_Kind.MONITORING_STARTED, MONDAY))])
    office.tick_daily(70)
    monthly = [task for task in office.tasks() if task.kind is TaskKind.MONTHLY_CONTACT]
    assert sorted(task.opened_on for task in monthly) == [MONDAY, date(2026, 4, 2), date(2026, 5, 2)]
    assert [task.status for task in sorted(monthly, key=lambda task: task.opened_on)] == [
        TaskStatus.EXPIRED,
        TaskStatus.EXPIRED,
        TaskStatus.ESCALATED,
    ]


def test_a_relapse_takes_the_place_of_the_months_contact(office: Office) -> None:
    office.store(states=[state((_Kind.APPLIED, date(2025, 6, 1)), (_Kind.MONITORING_STARTED, MONDAY))])
    office.tick()
    office.store(decision())
    kinds = {task.kind: task.status for task in office.tasks() if task.kind is not TaskKind.INFORM_RESIDENT}
    assert kinds == {
        TaskKind.MONTHLY_CONTACT: TaskStatus.CANCELLED,
        TaskKind.CONTACT_ON_RELAPSE: TaskStatus.OPEN,
    }


def test_with_the_clock_off_a_relapse_still_takes_that_place(database_url: str) -> None:
    office = Office(database_url)
    office.store(states=[state((_Kind.APPLIED, date(2025, 6, 1)), (_Kind.MONITORING_STARTED, MONDAY))])
    off = Office(database_url, clock=False)
    off.store(decision())
    kinds = {task.kind: task.status for task in off.tasks()}
    assert kinds[TaskKind.MONTHLY_CONTACT] is TaskStatus.CANCELLED


def test_what_came_while_the_clock_was_off_is_looked_at_when_it_is_on_again(database_url: str) -> None:
    off = Office(database_url, clock=False)
    off.store(states=[state((_Kind.APPLIED, date(2025, 6, 1)), (_Kind.MONITORING_STARTED, MONDAY))])
    assert off.tasks() == []
    office = Office(database_url)
    office.tick()
    assert [task.kind for task in office.tasks()] == [TaskKind.MONTHLY_CONTACT]
    (row,) = office.rows(trajectories)
    assert row["next_on"] is None or row["next_on"] > MONDAY


def test_a_task_that_comes_back_offers_its_signal_again_under_another_id(office: Office) -> None:
    office.store(decision())
    office.tick(after(25))
    office.store(to_regular())
    office.store(decision(revision=2))
    office.tick(after(34))
    sent = [row["aggregate_id"] for row in office.rows(outbox) if row["topic"] == RESIDENT_EVENTS]
    assert len(set(sent)) == 2
    assert sorted(sent) == sorted(row["command_id"] for row in office.rows(commands))


def test_a_rule_that_makes_no_progress_ends_the_clock(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.store(decision())

    def stuck(task: Task, _: Moment, __: object) -> Outcome:
        return Outcome((task.next_version(),))

    monkeypatch.setattr(clock_batch, "tick", stuck)
    before = office.rows(outbox)
    with pytest.raises(ClockStuck, match="is a defect"):
        office.tick(after(10))
    assert office.rows(outbox) == before


def test_the_present_day_is_taken_under_the_lock(office: Office) -> None:
    office.store(decision())

    class Midnight(SetTime):
        """Midnight passes while the clock waits for the lock."""

        looks = 0

        def now(self, connection: object) -> int:
            self.looks += 1
            if self.looks > 1:
                self.day = after(15)
            return super().now(connection)  # type: ignore[arg-type]

    office.time = Midnight(after(8))
    office.tick(after(8))
    assert office.only.status is TaskStatus.ESCALATED
