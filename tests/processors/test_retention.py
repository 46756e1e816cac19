"""From which day on data is over, and what is left of a decision whose trajectory is destroyed."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signaalwissel import processors
from signaalwissel.processors.amsterdam import add_months
from signaalwissel.processors.explanations import explain
from signaalwissel.processors.followup_tasks import Moment
from signaalwissel.processors.policy import PolicyError, load_policies
from signaalwissel.processors.policy_bounds import rights_faults, signal_faults, trajectory_faults
from signaalwissel.processors.retention import (
    DataKind,
    lapse_of,
    last_day_over,
    ledger_entry_over,
    period_of,
    trajectories_named,
    without_destroyed,
)
from signaalwissel.processors.retention_proof import day_destroyed, destruction_command, trajectory_destroyed
from signaalwissel.processors.validation import check_command
from signaalwissel.schemas.internal import ClientPseudonym, Fact, TrajectoryState
from signaalwissel.schemas.routing import Candidate, Route, TrueReason
from signaalwissel.schemas.trajectory import ExitReason, Service, TrajectoryEventKind

from tests.processors.followup_support import address_only, at_noon, decision
from tests.processors.given import default_policies

_Kind = TrajectoryEventKind
DEFAULT = default_policies().default
DAYS = st.dates(date(1950, 1, 1), date(2200, 1, 1))
BOTH = (ClientPseudonym(bsn=b"a" * 32), ClientPseudonym(bsn=b"b" * 32))


def fact(kind: TrajectoryEventKind, on: str, n: int, **fields: object) -> Fact:
    day = date.fromisoformat(on)
    return Fact(f"e-{n}", n, day, at_noon(day), kind, **fields)  # type: ignore[arg-type]


def state(*facts: Fact, erased: bool = False) -> TrajectoryState:
    return TrajectoryState("0344", "T-1", 1, erased, "e-1", facts, ())


def applied(*clients: ClientPseudonym, **fields: object) -> Fact:
    return fact(_Kind.APPLIED, "2020-01-06", 1, clients=clients or BOTH[:1], **fields)


def exited(on: str, n: int = 2, reason: ExitReason = ExitReason.COMPLETED, **fields: object) -> Fact:
    return fact(_Kind.EXITED, on, n, exit_reason=reason, **fields)


@given(today=DAYS, months=st.integers(1, 240))
def test_the_last_day_that_is_over_is_the_last_one_whose_months_have_passed(today: date, months: int) -> None:
    over = last_day_over(today, months)
    assert add_months(over, months) < today <= add_months(over + timedelta(days=1), months)


@pytest.mark.parametrize(
    ("facts", "ended_on"),
    [
        pytest.param([applied()], None, id="it runs"),
        pytest.param([applied(), exited("2021-03-31")], "2021-03-31", id="its exit"),
        pytest.param(
            [applied(), exited("2021-03-31"), fact(_Kind.REOPENED, "2021-05-01", 3)], None, id="reopened"
        ),
        pytest.param(
            [applied(), exited("2021-03-31"), fact(_Kind.AFTERCARE_STARTED, "2021-04-01", 3)],
            None,
            id="aftercare is open",
        ),
        pytest.param(
            [
                applied(),
                exited("2021-03-31"),
                fact(_Kind.SERVICE_OPENED, "2020-04-01", 3, service=Service.BUDGET_MANAGEMENT),
                fact(_Kind.SERVICE_CLOSED, "2022-04-01", 4, service=Service.BUDGET_MANAGEMENT),
            ],
            "2022-04-01",
            id="a service that outlasted it",
        ),
        pytest.param([applied(), fact(_Kind.REFUSED, "2020-02-01", 2)], "2020-02-01", id="refused"),
        pytest.param(
            [
                applied(),
                exited("2021-03-31", reason=ExitReason.DECEASED),
                fact(_Kind.MONITORING_STARTED, "2021-01-01", 3),
            ],
            "2021-03-31",
            id="nobody is left to monitor",
        ),
        pytest.param(
            [applied(*BOTH), exited("2021-03-31", reason=ExitReason.DECEASED, clients=BOTH[:1])],
            None,
            id="it runs on for the other of two",
        ),
        pytest.param(
            [applied(), fact(_Kind.WITHDRAWN_IN_ERROR, "2020-05-01", 2)],
            "2020-05-01",
            id="withdrawn in error",
        ),
    ],
)
def test_a_period_counts_from_the_last_day_of_whatever_lasted(
    facts: list[Fact], ended_on: str | None
) -> None:
    expected = None if ended_on is None else date.fromisoformat(ended_on)
    assert lapse_of(state(*facts)).ended_on == expected


def test_what_was_erased_is_over_at_once() -> None:
    ended_on = lapse_of(state(erased=True)).ended_on
    assert ended_on is not None
    assert ended_on < last_day_over(date(2026, 1, 1), 240)


@pytest.mark.parametrize(
    ("said", "entrepreneur"),
    [((None, None), False), ((True, None), True), ((False, True), True), ((True, False), False)],
)
def test_the_last_word_says_who_has_a_business(
    said: tuple[bool | None, bool | None], entrepreneur: bool
) -> None:
    facts = (applied(entrepreneur=said[0]), exited("2021-03-31", entrepreneur=said[1]))
    assert lapse_of(state(*facts)).entrepreneur is entrepreneur


def test_each_kind_has_the_policys_period_or_none() -> None:
    periods = {kind: period_of(kind, DEFAULT) for kind in DataKind}
    months = {kind: None if period is None else period.months for kind, period in periods.items()}
    assert (months[DataKind.TRAJECTORY], months[DataKind.TRAJECTORY_OF_ENTREPRENEUR]) == (60, 84)
    assert {kind for kind, period in months.items() if period is None} == {
        DataKind.OUTBOX,
        DataKind.TOMBSTONE,
        DataKind.AUDIT_EVENT,
        DataKind.AUDIT_BLOCK,
        DataKind.PROCESSING_LOG,
    }
    assert months[DataKind.SIGNAL] == months[DataKind.DAY_KEY] == 6
    assert (months[DataKind.REQUEST], months[DataKind.ERASURE], months[DataKind.OBJECTION]) == (60, 84, 6)


def test_a_decision_without_its_trajectory_reads_as_if_none_was_found() -> None:
    left = without_destroyed(decision(), {"T-1"})
    assert (left.route, left.reason, left.trajectory_id) == (
        Route.REGULAR_FLOW,
        TrueReason.NO_TRAJECTORY,
        None,
    )
    assert left.explanation == explain(TrueReason.NO_TRAJECTORY)
    assert left.counsellor is left.client is left.team is left.debt_timing is None


def test_a_candidate_that_is_destroyed_is_left_out_and_others_stay() -> None:
    asked = address_only()
    assert list(trajectories_named(asked)) == ["T-1", "T-2"]
    assert without_destroyed(asked, {"T-1"}).candidates == (Candidate("T-2", 1),)
    assert without_destroyed(asked, {"T-3"}) is asked
    assert without_destroyed(decision(), set()) == decision()


def test_proof_and_command_name_the_same_again_and_the_proof_nobody() -> None:
    today = date(2026, 3, 2)
    command = destruction_command("0344", "T-secret", Moment(today, at_noon(today)))
    check_command(command)
    assert command == destruction_command("0344", "T-secret", Moment(today, at_noon(today)))
    assert "T-secret" not in command.command_id
    notices = (trajectory_destroyed("0344", "T-secret", today), day_destroyed("0344", today, today))
    assert not any("T-secret" in repr(notice) for notice in notices)
    assert len({notice.notice_id for notice in notices}) == 2


@pytest.mark.parametrize(
    ("section", "setting", "value"),
    [("corrections", "period_days", 157), ("intake", "orphan_days", 187), ("repeats", "period_days", 187)],
)
def test_a_signal_that_would_go_while_it_is_needed_is_a_fault(section: str, setting: str, value: int) -> None:
    def faults(number: int) -> list[str]:
        sections = {
            name: getattr(DEFAULT, name).model_copy(update={setting: number} if name == section else {})
            for name in ("corrections", "intake", "repeats")
        }
        return list(signal_faults(DEFAULT.retention, **sections))

    assert faults(value - 1) == []
    assert len(faults(value)) == 1
    assert f"{section}.{setting}" in faults(value)[0]


@pytest.mark.parametrize(("months", "faulty"), [(10, True), (11, False)])
def test_a_trajectory_that_would_go_while_it_is_tested_is_a_fault(months: int, faulty: bool) -> None:
    retention = DEFAULT.retention
    short = retention.model_copy(
        update={"trajectory": retention.trajectory.model_copy(update={"months": months})}
    )
    found = list(trajectory_faults(short, DEFAULT.corrections, DEFAULT.intake, DEFAULT.window))
    assert bool(found) is faulty
    assert all("retention.trajectory.months = 10" in fault for fault in found)


def test_a_policy_file_with_such_a_fault_is_refused_by_its_name(tmp_path: Path) -> None:
    shutil.copy(Path(processors.__path__[0]) / "default.toml", tmp_path)
    (tmp_path / "0344.toml").write_text("[retention.trajectory]\nmonths = 10\n")
    with pytest.raises(PolicyError, match=r"0344\.toml: retention\.trajectory\.months = 10 is shorter than"):
        load_policies(tmp_path)


@pytest.mark.parametrize(("months", "faulty"), [(83, True), (84, False)])
def test_a_ledger_of_erasures_that_ends_before_a_backup_may_is_a_fault(months: int, faulty: bool) -> None:
    retention = DEFAULT.retention
    short = retention.model_copy(update={"erasure": retention.erasure.model_copy(update={"months": months})})
    found = list(rights_faults(short, DEFAULT.corrections))
    assert bool(found) is faulty
    assert all("retention.erasure.months = 83" in fault for fault in found)


@pytest.mark.parametrize(("months", "faulty"), [(2, True), (3, False)])
def test_an_objection_that_goes_while_a_signal_of_its_time_may_be_corrected_is_a_fault(
    months: int, faulty: bool
) -> None:
    retention = DEFAULT.retention
    short = retention.model_copy(
        update={"objection": retention.objection.model_copy(update={"months": months})}
    )
    assert bool(list(rights_faults(short, DEFAULT.corrections))) is faulty


@pytest.mark.parametrize(("today", "over"), [(date(2033, 3, 31), False), (date(2033, 4, 1), True)])
def test_an_entry_of_the_erasure_ledger_is_over_the_day_after_its_period(today: date, over: bool) -> None:
    assert ledger_entry_over(at_noon(date(2026, 3, 31)), today, DEFAULT) is over
