"""The fold of facts into a trajectory; whose day counts is in the tables of the rules."""

from datetime import date
from typing import Any

import pytest
from signaalwissel.processors.periods import Period
from signaalwissel.processors.trajectory import Trajectory, fold
from signaalwissel.schemas.internal import ClientPseudonym, Fact
from signaalwissel.schemas.trajectory import Counsellor, Service, TrajectoryEventKind

Kind = TrajectoryEventKind
ANNA = ClientPseudonym(bsn=b"anna", birth_date=b"17 may", address=b"home")
MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)


def told(*facts: tuple[Kind, date, dict[str, Any]]) -> Trajectory | None:
    story = [Fact(f"e{n}", n, day, 1000, kind, **more) for n, (kind, day, more) in enumerate(facts)]
    return fold("T1", story)


APPLIED = (Kind.APPLIED, MARCH, {"clients": (ANNA,)})


def test_without_an_application_there_is_none() -> None:
    assert told((Kind.ADMITTED, MARCH, {})) is None


def test_each_kind_of_service_has_periods_of_its_own() -> None:
    trajectory = told(
        APPLIED,
        (Kind.SERVICE_OPENED, MARCH, {"service": Service.BUDGET_COACHING}),
        (Kind.SERVICE_OPENED, APRIL, {"service": Service.BUDGET_MANAGEMENT}),
        (Kind.SERVICE_CLOSED, MAY, {"service": Service.BUDGET_COACHING}),
    )
    assert trajectory is not None
    assert trajectory.services == (Period(MARCH, MAY), Period(APRIL))


def test_a_service_named_by_another_event_opens_nothing() -> None:
    trajectory = told(APPLIED, (Kind.PLAN_ADOPTED, APRIL, {"service": Service.BUDGET_COACHING}))
    assert trajectory is not None
    assert trajectory.services == ()


def test_what_it_knows_of_the_whole() -> None:
    trajectory = told(
        APPLIED,
        (Kind.ADMITTED, APRIL, {"counsellor": Counsellor("b-17", "noord")}),
        (Kind.MONITORING_STARTED, MAY, {}),
        (Kind.AFTERCARE_STARTED, MAY, {}),
    )
    assert trajectory is not None
    assert (trajectory.admitted_on, trajectory.counsellor) == (APRIL, Counsellor("b-17", "noord"))
    assert trajectory.monitoring == trajectory.aftercare == (Period(MAY),)
    assert trajectory.clients[0].running == (Period(MARCH),)


@pytest.mark.parametrize("named", [(), (ANNA,)], ids=["without a name", "with it"])
def test_an_objection_of_one_client_is_his(named: tuple[ClientPseudonym, ...]) -> None:
    trajectory = told(APPLIED, (Kind.OBJECTION_LODGED, APRIL, {"clients": named}))
    assert trajectory is not None
    assert trajectory.clients[0].objections == (Period(APRIL),)
