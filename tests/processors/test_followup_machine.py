"""Whatever happens in whatever order, the follow-up keeps its promises (domain 8.7 - 8.11, issue 4).

Decisions, task updates, new counsellors and the clock take turns as Hypothesis likes. After each turn the promises are
tested; and every time that days go by, going by one at a time or all at once must come to the same.
"""

from collections import Counter
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from signaalwissel.processors.followup_clock import tick
from signaalwissel.processors.followup_counsellors import moved
from signaalwissel.processors.followup_deadlines import working_days_after
from signaalwissel.processors.followup_tasks import Outcome, Report, Task, ref_of
from signaalwissel.processors.followup_updates import UpdateRefused
from signaalwissel.schemas.followup import TaskKind, TaskStatus, TaskUpdateKind
from signaalwissel.schemas.routing import Candidate, CorrectionAction, CorrectionCause, Decision, Route
from signaalwissel.schemas.trajectory import Counsellor

from tests.processors.clock_support import MONDAY, what
from tests.processors.followup_support import (
    COUNSELLOR,
    POLICY,
    Desk,
    address_only,
    decision,
    moment,
    regular,
    to_regular,
    update,
)

SIGNALS = st.sampled_from(["s-1", "s-2", "s-3", "s-4"])
TRAJECTORIES = st.sampled_from(["T-1", "T-2"])
ARREARS = st.sampled_from([50_000, 90_000])
COUNSELLORS = st.sampled_from(
    [COUNSELLOR, Counsellor("b-weg", "x"), Counsellor("bewindvoerder-1", "x"), Counsellor("b-18", "")]
)
COLLEAGUES = st.sampled_from(["b-9", "b-18", "b-weg", "bewindvoerder-1"])
DAYS = st.sampled_from([0, 1, 2, 3, 5, 7, 10, 14, 24, 26, 40, 400])
AGES = st.sampled_from([0, 1, 6, 20, 24, 34, 40])
ALSO_OFFERED = {"action": CorrectionAction.ALSO_OFFERED, "cause": CorrectionCause.NOT_REACHED}
ERASED = {"action": CorrectionAction.WITHDRAWN, "cause": CorrectionCause.ERASED}


class FollowUp(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.today = MONDAY
        self.last: dict[str, Decision] = {}
        self.answered = 0
        self.erasures = 0
        self.done: set[str] = set()
        self.returns: Counter[bytes] = Counter()

    # --- What happens ---

    @rule(signal=SIGNALS, trajectory=TRAJECTORIES, arrears=ARREARS, crisis=st.booleans(), age=AGES)
    def hit(self, signal: str, trajectory: str, arrears: int, crisis: bool, age: int) -> None:
        before = self.last.get(signal)
        if before is not None and before.route is Route.REGULAR_FLOW:
            self.returns[ref_of(before)] += 1
        changes = {"trajectory_id": trajectory, "arrears": arrears, "crisis": crisis}
        self._decide(decision(**self._next(signal, age), **changes), signal)

    @rule(signal=SIGNALS, age=AGES)
    def withdrawn(self, signal: str, age: int) -> None:
        first = signal not in self.last
        self._decide((regular if first else to_regular)(**self._next(signal, age)), signal)

    @rule(signal=SIGNALS, age=AGES, named=st.booleans(), one=st.booleans())
    def lives_at_an_address(self, signal: str, age: int, named: bool, one: bool) -> None:
        candidates = (Candidate("T-1", 0), Candidate("T-2", 1))[: 1 if one else 2]
        self._decide(address_only(**self._next(signal, age), candidates=candidates, named=named), signal)

    @precondition(lambda self: self.last)
    @rule(data=st.data())
    def erased(self, data: st.DataObject) -> None:
        signal = data.draw(st.sampled_from(sorted(self.last)))
        self._decide(to_regular(**{**self._next(signal, 0), **ERASED}), signal)
        # The matcher knows it no more: what the partner sends later is another delivery.
        del self.last[signal]
        self.erasures += 1

    @precondition(lambda self: self.answered < len(self.desk.commands))
    @rule()
    def the_matcher_answers_an_offer(self) -> None:
        command = self.desk.commands[self.answered].command
        self.answered += 1
        for signal, made in self.last.items():
            if ref_of(made) == command.signal_ref and made.route is Route.COUNSELLOR_FOLLOWUP:
                self._decide(made._replace(revision=made.revision + 1, **ALSO_OFFERED), signal)
                return

    @precondition(lambda self: self.desk.tasks)
    @rule(
        data=st.data(),
        said=st.sampled_from(TaskUpdateKind),
        by=st.sampled_from(["b-17", "b-9", "bewindvoerder-1"]),
    )
    def reported(self, data: st.DataObject, said: TaskUpdateKind, by: str) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.desk.tasks)))
        offers = len(self.desk.commands)
        try:
            self.desk.update(update(said, task_id, by=by, trajectory_id="T-1"))
        except UpdateRefused:
            return
        # Commands about an identity are the matcher's business, not this test's.
        del self.desk.commands[offers:]

    @precondition(lambda self: self.desk.tasks)
    @rule(data=st.data(), by=st.sampled_from(["b-17", "bewindvoerder-1"]), to=COLLEAGUES)
    def handed_over(self, data: st.DataObject, by: str, to: str) -> None:
        before = self.desk.tasks[data.draw(st.sampled_from(sorted(self.desk.tasks)))]
        try:
            (after,) = self.desk.update(update(TaskUpdateKind.REASSIGNED, before.task_id, by=by, assignee=to))
        except UpdateRefused:
            assert before.ended or to in {"b-weg", "bewindvoerder-1"}
            return
        assert after.assignee == to
        assert after.status is not TaskStatus.ACCEPTED or before.assignee == to
        assert (after.due_on, after.next_on, after.rung, after.team) == (
            before.due_on,
            before.next_on,
            before.rung,
            before.team,
        )
        assert to in (after.history[-1].note or "")

    @rule(counsellor=COUNSELLORS)
    def gets_another_counsellor(self, counsellor: Counsellor) -> None:
        self.desk.counsellor = counsellor
        for task in list(self.desk.tasks.values()):
            changed = None
            if task.kind is TaskKind.CONTACT_ON_RELAPSE:
                changed = moved(task, counsellor, moment(self.today).at, POLICY)
            self.desk.take(Outcome(() if changed is None else (changed,)))

    @rule(days=DAYS)
    def days_go_by_while_the_clock_stands_still(self, days: int) -> None:
        self.today += timedelta(days=days)

    @rule(days=DAYS)
    def days_go_by(self, days: int) -> None:
        self.desk.tick(self.today)
        daily = deepcopy(self.desk)
        for _ in range(days):
            self.today += timedelta(days=1)
            daily.tick(self.today)
        self.desk.tick(self.today)
        assert _shape(daily) == _shape(self.desk)
        self._everything_due_is_done()

    # --- What must hold, always ---

    @invariant()
    def one_relapse_task_runs_for_a_trajectory(self) -> None:
        running = Counter(
            task.trajectory_id for task in self._of_kind(TaskKind.CONTACT_ON_RELAPSE) if not task.ended
        )
        assert all(count == 1 for count in running.values())

    @invariant()
    def nobody_is_done_but_by_a_report_and_done_is_done(self) -> None:
        for task in self.desk.tasks.values():
            if task.status is TaskStatus.DONE:
                assert any(step.by is not None or step.what == "VERIFIED" for step in task.history)
                self.done.add(task.task_id)
            assert task.task_id not in self.done or task.status is TaskStatus.DONE

    @invariant()
    def a_running_task_has_an_owner_a_deadline_and_a_day_for_the_clock(self) -> None:
        for task in self.desk.tasks.values():
            assert task.team
            assert task.assignee not in {"b-weg", "bewindvoerder-1"}
            assert (task.next_on is None) == task.ended
            assert task.ended or task.held

    @invariant()
    def no_rung_comes_twice(self) -> None:
        for task in self.desk.tasks.values():
            steps = Counter(what(task))
            assert steps["ESCALATED"] <= 1
            assert steps["EXPIRED"] <= 1
            reminders = (
                len(POLICY.ladder.remind_after_days) if task.kind is TaskKind.CONTACT_ON_RELAPSE else 1
            )
            assert steps["REMINDED"] <= reminders
            overdue = [step.at for step in task.history if step.what == "OVERDUE"]
            assert len(set(overdue)) == len(overdue)

    @invariant()
    def a_signal_is_offered_once_for_each_time_that_it_came_to_a_counsellor(self) -> None:
        assert len({command.command.command_id for command in self.desk.commands}) == len(self.desk.commands)
        for ref, offers in Counter(command.command.signal_ref for command in self.desk.commands).items():
            assert offers <= 1 + self.returns[ref]

    # --- Means ---

    def _everything_due_is_done(self) -> None:
        for task in self.desk.tasks.values():
            assert tick(task, moment(self.today), POLICY) == Outcome()
            assert task.next_on is None or task.next_on > self.today
            if task.kind is TaskKind.CONTACT_ON_RELAPSE and not task.ended:
                assert all(report.offered for report in task.held if _offer_on(report) <= self.today)

    def _next(self, signal: str, age: int) -> dict[str, Any]:
        """The signal's next revision; a first decision was received `age` days ago."""
        before = self.last.get(signal)
        if before is None:
            signal_id = f"{signal}-{self.erasures}"
            return {"signal_id": signal_id, "revision": 0, "received_on": self.today - timedelta(days=age)}
        revision = before.revision + 1
        return {"signal_id": before.signal_id, "revision": revision, "received_on": before.last_day}

    def _decide(self, made: Decision, signal: str) -> None:
        self.last[signal] = made
        self.desk.follow(made)

    def _of_kind(self, kind: TaskKind) -> list[Task]:
        return [task for task in self.desk.tasks.values() if task.kind is kind]


def _offer_on(report: Report) -> date:
    if report.crisis:
        return working_days_after(report.last_day, POLICY.ladder.crisis_offer_after_working_days)
    return report.last_day + timedelta(days=POLICY.ladder.offer_to_regular_after_days)


def _shape(desk: Desk) -> tuple[Any, ...]:
    """What must not hang on how often the clock looked: all but reminders that were overtaken, and moments."""
    tasks = [
        (t.task_id, t.status, t.assignee, t.team, t.due_on, t.next_on, t.rung, [r.offered for r in t.reports])
        for t in desk.tasks.values()
    ]
    return sorted(tasks, key=lambda task: task[0]), {command.command.command_id for command in desk.commands}


FollowUp.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestFollowUp = FollowUp.TestCase
