from collections import Counter
from datetime import date, timedelta

import pytest
from signaalwissel.processors import followup_notice_texts as texts
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import (
    Feedback,
    NoticeEvent,
    NoticeKind,
    TaskKind,
    TaskStatus,
    TaskUpdateKind,
)
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause
from signaalwissel.schemas.trajectory import TrajectoryEventKind
from signaalwissel.sinks.settings import NOTICES
from signaalwissel.sinks.tables import found, notices, outbox

from tests.processors.followup_support import decision, to_regular, update
from tests.sinks.clock_support import MONDAY, Office, state
from tests.sinks.sink_support import SinkBench, until

_Kind = TrajectoryEventKind
ADMITTED = ((_Kind.APPLIED, date(2025, 6, 1)), (_Kind.ADMITTED, date(2025, 7, 1)))


@pytest.fixture
def office(database_url: str) -> Office:
    return Office(database_url)


def published(office: Office) -> list[NoticeEvent]:
    return [
        codec("NoticeEvent").decode(bytes(row["value"]))
        for row in office.rows(outbox)
        if row["topic"] == NOTICES
    ]


def kinds(office: Office) -> Counter[NoticeKind]:
    return Counter(notice.kind for notice in published(office))


def test_a_resident_is_to_be_told_once_counted_from_the_first_day_found(office: Office) -> None:
    office.store(decision(), states=[state(*ADMITTED)])
    office.store(decision("s-2", received_on=MONDAY + timedelta(days=3), arrears=90_000))
    office.tick_daily(3)
    (due,) = [n for n in published(office) if n.kind is NoticeKind.PROCESSING_NOTICE_DUE]
    assert due.due_on == date(2026, 4, 2)
    assert [(row["client"], row["first_found_on"]) for row in office.rows(found)] == [(0, MONDAY)]


def test_an_earlier_day_that_comes_later_counts(office: Office) -> None:
    office.store(decision())
    office.store(decision("s-2", received_on=MONDAY - timedelta(days=9), arrears=90_000))
    office.store(decision("s-3", received_on=MONDAY + timedelta(days=9), arrears=95_000))
    (row,) = office.rows(found)
    assert row["first_found_on"] == MONDAY - timedelta(days=9)


def test_a_partner_hears_once_what_came_of_his_signal_without_a_trajectory(office: Office) -> None:
    office.store(decision())
    said = update(TaskUpdateKind.CONTACT_MADE, office.tasks()[0].task_id)
    for _ in range(2):
        office.store(updates=[said])
    (told,) = published(office)
    assert (told.kind, told.feedback) == (NoticeKind.PARTNER_FEEDBACK, Feedback.TAKEN_UP)
    assert (told.addressee, told.trajectory_id) == ("woonstad", None)
    assert len(office.rows(notices)) == 1


def test_an_erased_signal_leaves_the_proof_and_not_what_its_partner_was_told(office: Office) -> None:
    office.store(decision())
    office.store(updates=[update(TaskUpdateKind.CONTACT_MADE, office.only.task_id)])
    office.store(
        to_regular(action=CorrectionAction.WITHDRAWN, cause=CorrectionCause.ERASED, explanation="weg")
    )
    assert kinds(office) == {NoticeKind.DATA_DESTROYED: 1}
    assert [row["kind"] for row in office.rows(notices)] == ["DATA_DESTROYED"]
    assert all(b"s-1" not in bytes(row["value"]) for row in office.rows(outbox))


def test_an_erased_trajectory_is_told_once_and_who_was_found_is_forgotten(office: Office) -> None:
    office.store(decision(), states=[state(*ADMITTED)])
    gone = state(*ADMITTED, (_Kind.ERASED, MONDAY))._replace(erased=True)
    office.store(states=[gone])
    office.store(states=[gone._replace(version=9)])
    office.tick(MONDAY + timedelta(days=40))
    assert kinds(office)[NoticeKind.DATA_DESTROYED] == 1
    assert office.rows(found) == []


def test_who_is_informed_in_one_trajectory_is_not_informed_again_in_another(office: Office) -> None:
    office.store(decision(), states=[state(*ADMITTED)])
    (task,) = [task for task in office.tasks() if task.kind is TaskKind.INFORM_RESIDENT]
    elsewhere = state(*ADMITTED, (_Kind.RESIDENT_INFORMED, MONDAY))._replace(trajectory_id="T-2")
    office.store(states=[elsewhere])
    office.tick()
    after = next(one for one in office.tasks() if one.task_id == task.task_id)
    assert after.status is TaskStatus.CANCELLED
    assert after.history[-1].note == texts.INFORMED_ELSEWHERE
    assert office.tick() == 0


def test_an_objection_is_recorded_once_by_its_event(office: Office) -> None:
    told = state(*ADMITTED, (_Kind.OBJECTION_LODGED, MONDAY))
    office.store(states=[told])
    office.store(states=[told._replace(version=9)])
    office.store(
        states=[state(*ADMITTED, (_Kind.OBJECTION_LODGED, MONDAY), (_Kind.OBJECTION_WITHDRAWN, MONDAY))]
    )
    office.tick(MONDAY + timedelta(days=1))
    assert kinds(office)[NoticeKind.OBJECTION_RECORDED] == 1


def test_a_notice_goes_out_with_its_cloudevents_headers(bench: SinkBench) -> None:
    bench.decide([decision()])
    bench.drain()
    task_id = bench.task_events(1)[0].task_id
    bench.report(update(TaskUpdateKind.CONTACT_MADE, task_id))
    bench.drain()
    until(bench.drained, "the relay")
    (record,) = bench.published(NOTICES, 1)
    headers = {name: value.decode() for name, value in record.headers}
    assert record.key.decode() + ":1" == headers["ce_id"]
    assert headers["ce_type"] == "nl.schuldhulpverlening.kennisgeving-vastgelegd"
    assert headers["content-type"] == "application/avro"
