"""Whatever happens in whatever order, the calendar of a trajectory and its notices keep their promises (issue 4).

Lifecycle events, decisions and their corrections, task updates, new counsellors, what happens in another trajectory of
the same resident, and the clock take turns as Hypothesis likes. `Office` tests on each step: one running contact task,
an owner and a next day for every running task, no notice twice, reconciled again nothing. Every time that days go by,
going by one at a time or only when asked must come to the same.
"""

from collections import Counter
from copy import deepcopy
from datetime import date, timedelta
from itertools import combinations
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from signaalwissel.processors.followup_clock import tick
from signaalwissel.processors.followup_notices import resident_ids
from signaalwissel.processors.followup_repeats import outlived
from signaalwissel.processors.followup_tasks import Outcome, Task, ref_of
from signaalwissel.processors.followup_updates import UpdateRefused
from signaalwissel.processors.followup_view import case_of
from signaalwissel.schemas.followup import NoticeKind, TaskKind, TaskStatus, TaskUpdateKind
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause, Decision, Route
from signaalwissel.schemas.trajectory import Counsellor, ExitReason

from tests.processors.agenda_support import ANNA, BRAM, Kind, Office, applied, fact, moment
from tests.processors.followup_support import (
    COUNSELLOR,
    MUNICIPALITY,
    POLICY,
    at_noon,
    decision,
    to_regular,
    update,
)

START = date(2026, 1, 15)
DAYS = st.sampled_from([0, 1, 3, 7, 14, 31, 60])
AGES = st.sampled_from([0, 0, 1, 3, 14, 40])
SIGNALS = st.integers(0, 5)
EVENTS = st.sampled_from(
    [
        *[Kind.MONITORING_STARTED, Kind.MONITORING_ENDED, Kind.ADMITTED, Kind.PLAN_ADOPTED] * 4,
        *[Kind.AFTERCARE_STARTED, Kind.AFTERCARE_ENDED, Kind.EXITED, Kind.RESIDENT_INFORMED] * 3,
        *[Kind.REOPENED, Kind.CLIENT_CHANGED, Kind.OBJECTION_LODGED, Kind.OBJECTION_WITHDRAWN],
        *[Kind.WITHDRAWN_IN_ERROR, Kind.APPLIED, Kind.ERASED],
    ]
)
CLIENTS = st.sampled_from([(ANNA,), (ANNA, BRAM), (BRAM,)])
COUNSELLORS = st.sampled_from([COUNSELLOR, Counsellor("b-weg", "x"), Counsellor("b-18", "")])
ERASED = {"action": CorrectionAction.WITHDRAWN, "cause": CorrectionCause.ERASED}
ANSWERS = frozenset(TaskUpdateKind)
_GIVEN = NoticeKind.PROCESSING_NOTICE_GIVEN


class Calendar(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.office = Office()
        self.elsewhere = Office(trajectory_id="T-2")
        self.elsewhere.notices = self.office.notices
        self.today = START
        self.events = 0
        self.last: dict[int, Decision] = {}
        self.done: set[str] = set()

    @initialize(clients=CLIENTS, monitored=st.booleans(), adopted=st.booleans(), hit=st.booleans())
    def begins(self, clients: tuple[Any, ...], monitored: bool, adopted: bool, hit: bool) -> None:
        told = [applied(*clients)]
        told += [fact(Kind.MONITORING_STARTED, START, 50, event_id="m")] * monitored
        told += [fact(Kind.PLAN_ADOPTED, START, 51, event_id="p")] * adopted
        self.office.on(self.today, tuple(told))
        self.elsewhere.on(self.today, applied())
        if hit:
            self._decide(decision("s-0", received_on=self.today), 0)

    # --- What happens ---

    @rule(kind=EVENTS, age=AGES, clients=CLIENTS, data=st.data())
    def is_recorded(self, kind: Kind, age: int, clients: tuple[Any, ...], data: st.DataObject) -> None:
        self.events += 1
        changes: dict[str, Any] = {"event_id": f"e-{self.events}"}
        if kind in {Kind.APPLIED, Kind.CLIENT_CHANGED}:
            changes["clients"] = clients
        elif kind in {Kind.OBJECTION_LODGED, Kind.OBJECTION_WITHDRAWN}:
            changes["clients"] = (ANNA,)
        elif kind is Kind.EXITED:
            reason = data.draw(st.sampled_from([ExitReason.COMPLETED, ExitReason.DECEASED]))
            named = clients[:1] if reason is ExitReason.DECEASED else ()
            changes |= {"exit_reason": reason, "clients": named}
        day = self.today - timedelta(days=age)
        self.office.on(self.today, fact(kind, day, data.draw(st.integers(1, 99)), **changes))

    @rule(kind=st.sampled_from([Kind.RESIDENT_INFORMED, Kind.ADMITTED]))
    def happens_in_another_trajectory(self, kind: Kind) -> None:
        self.events += 1
        self.elsewhere.on(self.today, fact(kind, self.today, self.events, event_id=f"t-{self.events}"))
        # As the sink does: who was informed there is looked up here at once.
        self.office.clock(self.today)

    @rule(signal=SIGNALS, age=AGES, data=st.data())
    def hits(self, signal: int, age: int, data: st.DataObject) -> None:
        before = self.last.get(signal)
        if before is None:
            changes = {
                "received_on": self.today - timedelta(days=age),
                "arrears": data.draw(st.sampled_from([50_000, 50_000, 90_000])),
                "crisis": data.draw(st.integers(0, 4)) == 0,
                "client": data.draw(st.sampled_from([0, 0, 0, 1])),
            }
        elif before.route is Route.COUNSELLOR_FOLLOWUP:
            return
        else:
            changes = self._again(before)
        self._decide(decision(f"s-{signal}", **changes), signal)

    @precondition(lambda self: self.last)
    @rule(data=st.data(), erased=st.integers(0, 5))
    def is_overturned(self, data: st.DataObject, erased: int) -> None:
        signal = data.draw(st.sampled_from(sorted(self.last)))
        before = self.last[signal]
        if before.route is Route.COUNSELLOR_FOLLOWUP:
            self._decide(
                to_regular(f"s-{signal}", **self._again(before), **({} if erased else ERASED)), signal
            )

    @precondition(lambda self: self.office.tasks)
    @rule(
        data=st.data(), said=st.sampled_from(sorted(ANSWERS)), by=st.sampled_from(["b-17", "bewindvoerder-1"])
    )
    def is_reported(self, data: st.DataObject, said: TaskUpdateKind, by: str) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.office.tasks)))
        try:
            self.office.on(self.today, update(said, task_id, by=by, occurred_at=at_noon(self.today)))
        except UpdateRefused:
            return

    @rule()
    def the_contact_is_made(self) -> None:
        for task in self._running():
            if task.kind is TaskKind.CONTACT_ON_RELAPSE:
                said = update(
                    TaskUpdateKind.CONTACT_MADE, task.task_id, occurred_at=at_noon(self.today), by="b-17"
                )
                self.office.on(self.today, said)

    @precondition(lambda self: self._hits())
    @rule(data=st.data())
    def says_it_again(self, data: st.DataObject) -> None:
        """Mostly after the contact: the partner reports the same arrears under another number."""
        before = self.last[data.draw(st.sampled_from(self._hits()))]
        signal = len(self.last) + 10
        said = {"arrears": before.arrears, "received_on": self.today}
        self._decide(decision(f"s-{signal}", **said), signal)

    @precondition(lambda self: self._of_tasks_that_are_done())
    @rule(data=st.data())
    def is_overturned_after_the_contact(self, data: st.DataObject) -> None:
        signal = data.draw(st.sampled_from(self._of_tasks_that_are_done()))
        self._decide(to_regular(f"s-{signal}", **self._again(self.last[signal])), signal)

    @rule(counsellor=COUNSELLORS)
    def gets_another_counsellor(self, counsellor: Counsellor) -> None:
        due = {task.task_id: task.due_on for task in self._running()}
        self.office.assign(counsellor, self.today)
        for task in self._running():
            assert task.due_on == due.get(task.task_id, task.due_on)

    @rule(days=DAYS)
    def days_go_by_while_the_clock_stands_still(self, days: int) -> None:
        self.today += timedelta(days=days)

    @rule(days=DAYS)
    def days_go_by(self, days: int) -> None:
        self.office.clock(self.today)
        daily = deepcopy(self.office)
        self.today += timedelta(days=days)
        daily.every_day(self.today)
        self.office.when_asked(self.today)
        assert self.office.tasks == daily.tasks
        assert self.office.notices == daily.notices
        for task in self.office.tasks.values():
            assert tick(task, moment(self.today), POLICY) == Outcome()

    # --- What must hold, always ---

    @invariant()
    def nothing_is_done_but_by_a_report_and_done_is_done(self) -> None:
        for task in self.office.tasks.values():
            if task.status is TaskStatus.DONE:
                assert any(step.by is not None and step.what in ANSWERS for step in task.history)
                self.done.add(task.task_id)
            assert task.task_id not in self.done or task.status is TaskStatus.DONE

    @invariant()
    def every_running_task_has_an_owner_a_deadline_and_a_day_for_the_clock(self) -> None:
        for task in self._running():
            assert task.team
            assert task.assignee not in {"b-weg", "bewindvoerder-1"}
            assert task.next_on is not None
            assert isinstance(task.due_on, date)

    @invariant()
    def every_hit_is_in_a_task_that_runs_or_was_done_about_it_or_what_it_repeats(self) -> None:
        if case_of(self.office.view(), moment(self.today), POLICY).closed is not None:
            return
        relapses = self.office.of(TaskKind.CONTACT_ON_RELAPSE)
        for made in self.last.values():
            holders = [task for task in relapses if task.holds(ref_of(made))]
            if made.route is Route.COUNSELLOR_FOLLOWUP:
                (holder,) = holders
                assert holder.status is TaskStatus.DONE or not holder.ended
            else:
                assert holders == []
        assert all(not outlived(task, POLICY) for task in relapses)

    @invariant()
    def nobody_is_to_inform_who_was_informed_whatever_the_trajectory(self) -> None:
        case = case_of(self.office.view(), moment(self.today), POLICY)
        running = [task for task in self._running() if task.kind is TaskKind.INFORM_RESIDENT]
        if self.office.today < self.today or not running or case.trajectory is None:
            return
        told = {n.addressee for n in self.office.notices.values() if n.kind is _GIVEN}
        residents = [resident_ids(MUNICIPALITY, case.trajectory, position) for position in case.present]
        assert any(told.isdisjoint(ids) for ids in residents)

    @invariant()
    def a_month_has_one_contact(self) -> None:
        monthly = self.office.of(TaskKind.MONTHLY_CONTACT)
        known = [task for task in monthly if task.status is not TaskStatus.CANCELLED]
        for one, other in combinations(known, 2):
            common = min(one.due_on, other.due_on) - max(one.opened_on, other.opened_on)
            assert 2 * (common.days + 1) < 31

    @invariant()
    def no_rung_comes_twice_for_one_date(self) -> None:
        for task in self.office.tasks.values():
            again = [index for index, step in enumerate(task.history) if step.what in {"OPENED", "REOPENED"}]
            for begin, end in zip(again, [*again[1:], len(task.history)], strict=True):
                steps = Counter(str(step.what) for step in task.history[begin:end])
                assert steps["ESCALATED"] <= 1
                assert steps["MISSED"] <= 1

    @invariant()
    def a_notice_comes_at_most_once_for_its_cause(self) -> None:
        notices = list(self.office.notices.values())
        due = Counter(n.addressee for n in notices if n.kind is NoticeKind.PROCESSING_NOTICE_DUE)
        told = Counter(n.signal_id for n in notices if n.kind is NoticeKind.PARTNER_FEEDBACK)
        gone = [n for n in notices if n.kind is NoticeKind.DATA_DESTROYED and n.trajectory_id is not None]
        assert all(count == 1 for count in (*due.values(), *told.values()))
        assert len(gone) <= 1

    # --- Means ---

    def _running(self) -> list[Task]:
        return [task for task in self.office.tasks.values() if not task.ended]

    def _hits(self) -> list[int]:
        return sorted(number for number, made in self.last.items() if made.route is Route.COUNSELLOR_FOLLOWUP)

    def _of_tasks_that_are_done(self) -> list[int]:
        relapses = self.office.of(TaskKind.CONTACT_ON_RELAPSE)
        attended = {r.ref for task in relapses if task.status is TaskStatus.DONE for r in task.attended}
        return [number for number in self._hits() if ref_of(self.last[number]) in attended]

    def _again(self, before: Decision) -> dict[str, Any]:
        """The signal's next revision: what it says never changes."""
        return {
            "received_on": before.last_day,
            "revision": before.revision + 1,
            "arrears": before.arrears,
            "crisis": before.crisis,
            "client": before.client,
            "decided_at": at_noon(self.today),
        }

    def _decide(self, made: Decision, signal: int) -> None:
        self.last[signal] = made
        self.office.on(self.today, made)


Calendar.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestCalendar = Calendar.TestCase
