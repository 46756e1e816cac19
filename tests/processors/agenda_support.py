"""An office for the tests of the agenda: keeps tasks, facts and notices of trajectory T-1 as the sink does.

Facts, decisions and task updates come in on a day; the clock comes by either every day or only when it was asked to.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from signaalwissel.processors.facts import merged
from signaalwissel.processors.followup_agenda import Agenda, TrajectoryView, reconcile
from signaalwissel.processors.followup_case import Situation
from signaalwissel.processors.followup_clock import tick
from signaalwissel.processors.followup_counsellors import moved
from signaalwissel.processors.followup_decisions import follow
from signaalwissel.processors.followup_notices import (
    Notice,
    first_found,
    notices_of_decision,
    notices_of_task,
)
from signaalwissel.processors.followup_tasks import Moment, Task, ref_of
from signaalwissel.processors.followup_updates import apply_update
from signaalwissel.processors.policy import Policy
from signaalwissel.schemas.followup import NoticeKind, TaskKind, TaskStatus, TaskUpdate, TaskUpdateKind
from signaalwissel.schemas.internal import ClientPseudonym, Fact
from signaalwissel.schemas.routing import Decision
from signaalwissel.schemas.trajectory import Counsellor, TrajectoryEventKind

from tests.processors.followup_support import COUNSELLOR, MUNICIPALITY, POLICY, at_noon, update

Kind = TrajectoryEventKind
CONTACTS = frozenset({TaskKind.CONTACT_ON_RELAPSE, TaskKind.MONTHLY_CONTACT, TaskKind.AFTERCARE_CONTACT})
ANNA = ClientPseudonym(bsn=b"anna", birth_date=b"1980")
BRAM = ClientPseudonym(bsn=b"bram", birth_date=b"1979")
NAMELESS = ClientPseudonym(birth_date=b"1981")
DAY = timedelta(days=1)
APPLIED_ON = date(2025, 1, 10)


def fact(kind: Kind, day: date, sequence: int | None = None, **changes: Any) -> Fact:
    """An event of T-1, recorded on the day on which it happened; in the order of the days unless told otherwise."""
    sequence = day.toordinal() if sequence is None else sequence
    event_id = changes.pop("event_id", f"{kind}-{day}-{sequence}")
    return Fact(event_id, sequence, day, at_noon(day), kind, **changes)


def applied(*clients: ClientPseudonym) -> Fact:
    """The application of these clients, Anna's where none is given."""
    return fact(Kind.APPLIED, APPLIED_ON, 0, clients=clients or (ANNA,))


def moment(day: date) -> Moment:
    """Noon of a day."""
    return Moment(day, at_noon(day))


Record = Fact | tuple[Fact, ...] | Decision | TaskUpdate


class Office:
    """One trajectory and whoever works on it; another office of the same residents may share its notices."""

    def __init__(self, policy: Policy = POLICY, trajectory_id: str = "T-1") -> None:
        self.policy = policy
        self.trajectory_id = trajectory_id
        self.facts: tuple[Fact, ...] = ()
        self.tasks: dict[str, Task] = {}
        self.notices: dict[str, Notice] = {}
        self.found: dict[int, date] = {}
        self.next_on: date | None = None
        self.counsellor: Counsellor = COUNSELLOR
        self.today = date.min

    def on(self, day: date, *records: Record) -> "Office":
        """A day: the clock first, then what comes in; the agenda is reconciled after each.

        Several facts in a tuple come at once.
        """
        self.clock(day)
        for record in records:
            self._take(record)
            self._reconcile(moment(day))
            self._tick(moment(day))
        return self

    def clock(self, day: date) -> None:
        """What time brought up to this day."""
        assert day >= self.today
        self.today = day
        self._reconcile(moment(day))
        self._tick(moment(day))

    def every_day(self, until: date) -> "Office":
        """The clock comes by every day, up to and including `until`."""
        while self.today < until:
            self.clock(self.today + DAY)
        return self

    def when_asked(self, until: date) -> "Office":
        """The clock comes by on the days on which the agenda or a task asked for it, up to and including `until`."""
        while (day := min(self._asked(), default=date.max)) <= until:
            self.clock(max(day, self.today))
        self.today = until
        return self

    def assign(self, counsellor: Counsellor, day: date) -> "Office":
        """On a day, the trajectory gets another counsellor."""
        self.clock(day)
        self.counsellor = counsellor
        changed = (moved(task, counsellor, at_noon(day), self.policy) for task in self.tasks.values())
        self._put(*[task for task in changed if task is not None])
        self._reconcile(moment(day))
        return self

    def view(self) -> TrajectoryView:
        """What the sink knows of the trajectory."""
        return TrajectoryView(
            municipality=MUNICIPALITY,
            trajectory_id=self.trajectory_id,
            facts=self.facts,
            tasks=tuple(self.tasks.values()),
            counsellor=self.counsellor,
            erased=any(one.kind is Kind.ERASED for one in self.facts),
            found=dict(self.found),
            settled_notices=frozenset(self.notices),
        )

    def agenda(self, day: date) -> Agenda:
        """What the agenda would change on a day."""
        return reconcile(self.view(), moment(day), self.policy)

    def of(self, kind: TaskKind) -> list[Task]:
        """The tasks of a kind, in order of opening."""
        return [task for task in self.tasks.values() if task.kind is kind]

    def only(self, kind: TaskKind) -> Task:
        """The one task of a kind."""
        (task,) = self.of(kind)
        return task

    def told(self, kind: NoticeKind) -> list[Notice]:
        """The notices of a kind."""
        return [notice for notice in self.notices.values() if notice.kind is kind]

    def close(self, kind: TaskKind, what: TaskUpdateKind, day: date) -> "Office":
        """On a day, whoever has the running task of a kind reports something."""
        (task,) = [task for task in self.of(kind) if not task.ended]
        return self.on(day, update(what, task.task_id, occurred_at=at_noon(day)))

    def _asked(self) -> Iterator[date]:
        yield from (task.next_on for task in self.tasks.values() if task.next_on is not None)
        if self.next_on is not None:
            yield self.next_on

    def _take(self, record: Record) -> None:
        if isinstance(record, Fact):
            self.facts = merged(self.facts, record)
        elif isinstance(record, Decision):
            self._decided(record)
        elif not isinstance(record, TaskUpdate):
            for one in record:
                self.facts = merged(self.facts, one)
        else:
            before = self.tasks.get(record.task_id)
            (after,) = apply_update(record, before, self.policy).tasks
            self._put(after)
            self._note(*notices_of_task(before, after, self.policy))

    def _decided(self, decision: Decision) -> None:
        relapses = tuple(self.of(TaskKind.CONTACT_ON_RELAPSE))
        of_signal = tuple(task for task in self.tasks.values() if task.knows(ref_of(decision)))
        self._put(*follow(decision, Situation(of_signal, relapses, self.counsellor), self.policy))
        self._note(*notices_of_decision(decision))
        found = first_found(decision)
        if found is not None and found.trajectory_id == self.trajectory_id:
            self.found[found.client] = min(found.day, self.found.get(found.client, found.day))

    def _tick(self, now: Moment) -> None:
        """Let time work on the tasks until nothing is due any more."""
        for _ in range(len(self.tasks) + 2):
            due = [t for t in self.tasks.values() if t.next_on is not None and t.next_on <= now.today]
            if not due:
                return
            self._put(*tick(due[0], now, self.policy).tasks)
            self._reconcile(now)
        raise AssertionError("the clock makes no progress")

    def _reconcile(self, now: Moment) -> None:
        agenda = reconcile(self.view(), now, self.policy)
        self._put(*agenda.tasks)
        for notice in agenda.notices:
            assert notice.notice_id not in self.notices
        self._note(*agenda.notices)
        again = reconcile(self.view(), now, self.policy)
        assert again == Agenda(next_on=again.next_on)
        assert agenda.next_on is None or agenda.next_on > now.today
        self.next_on = agenda.next_on
        self._check(now.today)

    def _check(self, today: date) -> None:
        running = [task for task in self.tasks.values() if not task.ended]
        assert sum(task.kind in CONTACTS for task in running) <= 1
        for task in running:
            assert task.team
            assert task.next_on is not None
            assert task.status in {TaskStatus.OPEN, TaskStatus.ACCEPTED, TaskStatus.ESCALATED}
            assert task.kind is not TaskKind.MONTHLY_CONTACT or task.due_on >= today
        assert all(task.next_on is None for task in self.tasks.values() if task.ended)

    def _put(self, *tasks: Task) -> None:
        assert len({task.task_id for task in tasks}) == len(tasks)
        for task in tasks:
            before = self.tasks.get(task.task_id)
            assert task.version == (before.version if before else 0) + 1
            self.tasks[task.task_id] = task

    def _note(self, *notices: Notice) -> None:
        for notice in notices:
            self.notices.setdefault(notice.notice_id, notice)
