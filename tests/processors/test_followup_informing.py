from datetime import date

import pytest
from signaalwissel.processors import followup_notice_texts as texts
from signaalwissel.processors.followup_notices import Notice
from signaalwissel.schemas.followup import NoticeKind, TaskKind, TaskStatus, TaskUpdateKind
from signaalwissel.schemas.internal import Fact
from signaalwissel.schemas.routing import MatchedBy, TrueReason
from signaalwissel.schemas.trajectory import ExitReason, Service

from tests.processors.agenda_support import ANNA, BRAM, DAY, NAMELESS, Kind, Office, applied, fact
from tests.processors.followup_support import address_only, decision, regular

INFORM = TaskKind.INFORM_RESIDENT
DUE, GIVEN = NoticeKind.PROCESSING_NOTICE_DUE, NoticeKind.PROCESSING_NOTICE_GIVEN
ADMITTED_ON = date(2026, 2, 2)
ADMITTED = fact(Kind.ADMITTED, ADMITTED_ON)
RECEIVED_ON = date(2026, 3, 2)


def admitted(*more: Fact, today: date = ADMITTED_ON) -> Office:
    return Office().on(today, (applied(), ADMITTED, *more))


def informed(day: date) -> Fact:
    return fact(Kind.RESIDENT_INFORMED, day)


def exited(day: date, reason: ExitReason = ExitReason.COMPLETED) -> Fact:
    return fact(Kind.EXITED, day, exit_reason=reason)


# --- After admission ---


def test_fourteen_days_after_admission_somebody_must_inform_the_resident() -> None:
    office = admitted().when_asked(date(2026, 2, 15))
    assert office.tasks == {}
    task = office.when_asked(date(2026, 2, 16)).only(INFORM)
    assert (task.opened_on, task.due_on) == (date(2026, 2, 16), date(2026, 3, 2))
    assert office.told(DUE) == []


def test_a_resident_who_was_informed_needs_no_task() -> None:
    assert admitted(informed(date(2026, 2, 10))).every_day(date(2026, 4, 1)).tasks == {}


def test_the_task_is_cancelled_when_the_case_system_says_that_he_was_informed() -> None:
    office = admitted().every_day(date(2026, 2, 20)).on(date(2026, 2, 21), informed(date(2026, 2, 21)))
    assert office.only(INFORM).status is TaskStatus.CANCELLED
    assert "al geïnformeerd" in (office.only(INFORM).history[-1].note or "")
    assert office.every_day(date(2026, 6, 1)).only(INFORM).status is TaskStatus.CANCELLED


def test_a_task_that_is_done_informed_everybody_for_good() -> None:
    office = (
        admitted().every_day(date(2026, 2, 20)).close(INFORM, TaskUpdateKind.COMPLETED, date(2026, 2, 21))
    )
    office.on(RECEIVED_ON, decision()).every_day(date(2026, 4, 1))
    assert office.only(INFORM).status is TaskStatus.DONE
    assert office.told(DUE) == []


def test_a_running_trajectory_admitted_years_ago_gets_one_task_that_is_due_today() -> None:
    office = Office().on(date(2026, 3, 2), (applied(), fact(Kind.ADMITTED, date(2023, 1, 5))))
    assert office.only(INFORM).due_on == date(2026, 3, 2)


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ((exited(date(2025, 9, 2)),), True),
        ((exited(date(2025, 9, 1)),), False),
        ((exited(date(2026, 2, 20), ExitReason.SELF),), False),
        ((exited(date(2025, 2, 1)), fact(Kind.AFTERCARE_STARTED, date(2025, 2, 1))), True),
        ((exited(date(2025, 2, 1)), fact(Kind.REOPENED, date(2026, 2, 1))), True),
        (
            (
                exited(date(2025, 2, 1)),
                fact(Kind.SERVICE_OPENED, date(2025, 1, 1), service=Service.BUDGET_COACHING),
            ),
            True,
        ),
    ],
)
def test_informing_goes_on_as_long_as_signals_are_tested_against_the_trajectory(
    more: tuple[Fact, ...], wanted: bool
) -> None:
    facts = (applied(), fact(Kind.ADMITTED, date(2025, 1, 20)), *more)
    assert bool(Office().on(date(2026, 3, 2), facts).of(INFORM)) is wanted


def test_when_signals_are_not_tested_any_more_the_task_is_cancelled() -> None:
    office = admitted().every_day(date(2026, 2, 20)).on(date(2026, 3, 1), exited(date(2026, 3, 1)))
    assert office.when_asked(date(2026, 9, 1)).only(INFORM).status is not TaskStatus.CANCELLED
    assert office.when_asked(date(2026, 9, 2)).only(INFORM).status is TaskStatus.CANCELLED


@pytest.mark.parametrize(
    ("ends", "last"),
    [
        ((exited(date(2026, 5, 1), ExitReason.SELF),), date(2026, 4, 30)),
        (
            (
                exited(date(2026, 2, 19), ExitReason.SELF),
                fact(Kind.SERVICE_OPENED, date(2026, 2, 18), service=Service.BUDGET_COACHING),
                fact(Kind.SERVICE_CLOSED, date(2026, 5, 1), service=Service.BUDGET_COACHING),
            ),
            date(2026, 5, 1),
        ),
    ],
)
def test_an_end_that_is_known_beforehand_works_on_its_day(ends: tuple[Fact, ...], last: date) -> None:
    office = admitted().every_day(date(2026, 2, 20)).on(date(2026, 3, 1), ends)
    assert office.when_asked(last).only(INFORM).status is not TaskStatus.CANCELLED
    office.next_on = office.agenda(last).next_on
    assert office.next_on == last + DAY
    assert office.when_asked(last + DAY).only(INFORM).status is TaskStatus.CANCELLED


# --- Because a signal was tested ---


def test_the_first_test_makes_one_notice_due_within_a_month_and_one_task() -> None:
    office = Office().on(RECEIVED_ON, applied(), decision())
    (notice,) = office.told(DUE)
    assert (notice.occurred_on, notice.due_on, notice.trajectory_id) == (RECEIVED_ON, date(2026, 4, 2), "T-1")
    assert office.only(INFORM).due_on == date(2026, 4, 2)
    office.on(date(2026, 3, 9), decision("s-2", received_on=date(2026, 3, 9), arrears=90_000))
    assert len(office.told(DUE)) == len(office.of(INFORM)) == 1


def test_a_test_that_was_no_hit_makes_the_notice_due_as_well() -> None:
    found = regular(
        reason=TrueReason.EXIT_NOT_COMPLETED, trajectory_id="T-1", client=0, matched_by=MatchedBy.BSN
    )
    assert len(Office().on(RECEIVED_ON, applied(), found).told(DUE)) == 1


def test_an_address_is_no_proof_until_it_is_confirmed() -> None:
    office = Office().on(RECEIVED_ON, applied(), address_only())
    assert office.told(DUE) == []
    office.on(date(2026, 3, 4), decision(revision=1, matched_by=MatchedBy.ADDRESS))
    assert office.told(DUE)[0].occurred_on == RECEIVED_ON


def test_who_was_informed_before_the_test_hears_no_more() -> None:
    office = Office().on(RECEIVED_ON, (applied(), informed(date(2025, 2, 1))), decision())
    assert office.told(DUE) == []
    assert office.of(INFORM) == []


def test_a_task_that_runs_is_due_earlier_when_a_test_comes_that_asks_for_it() -> None:
    office = Office().on(date(2026, 3, 20), (applied(), fact(Kind.ADMITTED, date(2026, 3, 6))))
    assert office.only(INFORM).due_on == date(2026, 4, 6)
    office.on(date(2026, 3, 21), decision(received_on=date(2026, 3, 1)))
    assert office.only(INFORM).due_on == date(2026, 4, 1)
    assert office.only(INFORM).history[-1].what == "DUE_EARLIER"
    assert "01-04-2026" in (office.only(INFORM).history[-1].note or "")


def test_each_of_two_clients_has_a_notice_of_his_own_and_they_share_the_task() -> None:
    office = Office().on(
        RECEIVED_ON, applied(ANNA, BRAM), decision(), decision("s-2", client=1, arrears=90_000)
    )
    assert len({notice.addressee for notice in office.told(DUE)}) == 2
    assert len(office.of(INFORM)) == 1


def test_who_died_hears_nothing() -> None:
    died = fact(Kind.EXITED, date(2026, 3, 1), clients=(ANNA,), exit_reason=ExitReason.DECEASED)
    office = Office().on(RECEIVED_ON, (applied(ANNA, BRAM), died), decision())
    assert office.told(DUE) == []


def test_a_bsn_that_becomes_known_makes_no_second_notice() -> None:
    office = Office().on(RECEIVED_ON, applied(NAMELESS), decision())
    office.on(
        date(2026, 3, 9), fact(Kind.CLIENT_CHANGED, date(2026, 3, 9), clients=(NAMELESS._replace(bsn=b"c"),))
    )
    assert len(office.told(DUE)) == 1


def elsewhere(office: Office) -> Office:
    """Another trajectory of the same resident."""
    other = Office(trajectory_id="T-2")
    other.notices = office.notices
    return other


def test_a_resident_is_told_once_whatever_the_trajectory() -> None:
    first = Office().on(RECEIVED_ON, applied(), decision())
    second = elsewhere(first).on(date(2026, 3, 9), applied(), decision("s-2", trajectory_id="T-2"))
    assert len(second.told(DUE)) == 1
    assert second.of(INFORM) == []


def test_who_was_informed_in_another_trajectory_hears_no_more() -> None:
    first = Office().on(date(2025, 3, 1), (applied(), informed(date(2025, 3, 1))))
    second = elsewhere(first).on(RECEIVED_ON, applied(), decision(trajectory_id="T-2"))
    assert second.told(DUE) == []
    assert second.of(INFORM) == []


def test_informed_in_another_trajectory_the_running_task_is_cancelled_with_that_explanation() -> None:
    first = Office().on(RECEIVED_ON, applied(), decision())
    assert not first.only(INFORM).ended
    elsewhere(first).on(date(2026, 3, 9), (applied(), informed(date(2026, 3, 9))))
    first.on(date(2026, 3, 9))
    task = first.only(INFORM)
    assert (task.status, task.history[-1].note) == (TaskStatus.CANCELLED, texts.INFORMED_ELSEWHERE)
    assert first.every_day(date(2026, 6, 1)).only(INFORM) == task


def test_informed_in_another_trajectory_one_of_two_clients_leaves_the_task_to_the_other() -> None:
    first = Office().on(RECEIVED_ON, applied(ANNA, BRAM), decision(), decision("s-2", client=1))
    elsewhere(first).on(date(2026, 3, 9), (applied(), informed(date(2026, 3, 9))))
    assert not first.on(date(2026, 3, 9)).only(INFORM).ended


# --- What the facts tell ---


def test_informing_is_told_by_event_and_by_task() -> None:
    by_event = Office().on(date(2026, 3, 3), (applied(), informed(date(2026, 3, 1))))
    assert [notice.occurred_on for notice in by_event.told(GIVEN)] == [date(2026, 3, 1)]
    by_task = Office().on(RECEIVED_ON, applied(), decision())
    by_task.close(INFORM, TaskUpdateKind.COMPLETED, date(2026, 3, 9)).every_day(date(2026, 3, 20))
    assert [notice.occurred_on for notice in by_task.told(GIVEN)] == [date(2026, 3, 9)]


def test_a_bsn_that_is_mended_repeats_no_notice_given() -> None:
    office = Office().on(date(2026, 3, 3), (applied(), informed(date(2026, 3, 1))))
    office.on(
        date(2026, 3, 9), fact(Kind.CLIENT_CHANGED, date(2026, 3, 9), clients=(ANNA._replace(bsn=b"anna-2"),))
    )
    assert len(office.told(GIVEN)) == 1


def test_an_objection_and_its_withdrawal_are_each_told_once_to_who_objected() -> None:
    office = Office().on(
        date(2026, 3, 3),
        applied(ANNA, BRAM),
        fact(Kind.OBJECTION_LODGED, date(2026, 3, 1), clients=(ANNA,)),
        fact(Kind.OBJECTION_WITHDRAWN, date(2026, 3, 3), clients=(ANNA,)),
    )
    recorded = office.told(NoticeKind.OBJECTION_RECORDED)
    withdrawn = office.told(NoticeKind.OBJECTION_WITHDRAWN)
    assert [n.occurred_on for n in (*recorded, *withdrawn)] == [date(2026, 3, 1), date(2026, 3, 3)]
    assert recorded[0].addressee == withdrawn[0].addressee


def test_an_erased_trajectory_is_told_once_and_names_nobody() -> None:
    office = Office().on(RECEIVED_ON, applied(), decision())
    residents = {notice.addressee for notice in office.notices.values()}
    office.on(date(2026, 3, 9), fact(Kind.ERASED, date(2026, 3, 9))).every_day(date(2026, 3, 20))
    (notice,) = office.told(NoticeKind.DATA_DESTROYED)
    assert (notice.trajectory_id, notice.occurred_on) == ("T-1", date(2026, 3, 9))
    assert notice.addressee not in residents


def test_an_addressee_shows_neither_bsn_nor_trajectory() -> None:
    office = Office().on(RECEIVED_ON, applied(ANNA, NAMELESS), decision(), decision("s-2", client=1))
    shown: list[Notice] = office.told(DUE)
    for notice in shown:
        assert notice.addressee.startswith("resident-")
        assert ANNA.bsn is not None
        assert ANNA.bsn.hex() not in notice.addressee
        assert "T-1" not in notice.addressee
