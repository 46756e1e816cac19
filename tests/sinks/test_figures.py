from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import pytest
from signaalwissel.processors.figures import Count
from signaalwissel.processors.policy import Policies
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause, DebtTiming, Decision
from signaalwissel.schemas.signal import Partner, PartnerKind
from signaalwissel.sinks import audit
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.figures import new_arrears, new_arrears_counts
from sqlalchemy import Engine

from tests.processors.followup_support import MUNICIPALITY, POLICY, decision, regular, to_regular
from tests.sinks.sink_support import ledger

FEBRUARY = date(2026, 2, 10)
FIRST = date(2026, 2, 1)
Record = Callable[[Iterable[Decision]], None]


@pytest.fixture
def engine(database_url: str) -> Engine:
    migrate(database_url)
    return open_engine(database_url, name="test")


@pytest.fixture
def record(engine: Engine) -> Record:
    def into_the_audit_trail(made: Iterable[Decision]) -> None:
        with engine.begin() as connection:
            account = ledger()
            audit.record(connection, list(made), account)
            account.store(connection)

    return into_the_audit_trail


def hit(signal_id: str, timing: DebtTiming = DebtTiming.AFTER_ADMISSION, **changes: Any) -> Decision:
    return decision(
        signal_id, received_on=changes.pop("received_on", FEBRUARY), debt_timing=timing, **changes
    )


def counted(engine: Engine, **wanted: Any) -> dict[str, tuple[int, int]]:
    return {
        found.partner_id: (found.after_admission, found.after_exit)
        for found in new_arrears_counts(engine, **wanted)
    }


def test_signals_are_counted_by_what_they_say_about_the_debt(engine: Engine, record: Record) -> None:
    record([hit("a"), hit("b"), hit("c", DebtTiming.AFTER_EXIT)])
    record([hit("d", DebtTiming.BEFORE_ADMISSION), hit("e", DebtTiming.UNKNOWN)])
    assert new_arrears_counts(engine) == [Count(MUNICIPALITY, FIRST, PartnerKind.RENT, "woonstad", 2, 1)]


def test_the_last_revision_counts(engine: Engine, record: Record) -> None:
    record([hit("a"), hit("b"), to_regular("b", received_on=FEBRUARY)])
    back = hit("b", DebtTiming.AFTER_EXIT, revision=2, cause=CorrectionCause.LIFECYCLE)
    assert counted(engine) == {"woonstad": (1, 0)}
    record([back])
    assert counted(engine) == {"woonstad": (1, 1)}


def test_a_signal_that_was_erased_counts_nowhere(engine: Engine, record: Record) -> None:
    record([hit("a"), hit("b")])
    erased = hit("b", revision=1, action=CorrectionAction.WITHDRAWN, cause=CorrectionCause.ERASED)
    record([erased])
    assert counted(engine) == {"woonstad": (1, 0)}


def test_the_same_number_in_another_delivery_is_another_signal(engine: Engine, record: Record) -> None:
    record([hit("a"), hit("a", received_on=date(2026, 2, 28)), hit("a", received_on=date(2026, 3, 31))])
    assert [(found.month, found.after_admission) for found in new_arrears_counts(engine)] == [
        (FIRST, 2),
        (date(2026, 3, 1), 1),
    ]
    assert counted(engine, month=date(2026, 3, 17)) == {"woonstad": (1, 0)}
    assert counted(engine, month=date(2026, 1, 31)) == {}


def test_a_partner_without_a_hit_has_a_line_like_any_other(engine: Engine, record: Record) -> None:
    # So that nobody learns from a line that a resident is known to debt help (domain 8.17).
    water = Partner("water-west", PartnerKind.WATER)
    record([hit("a"), regular("b", received_on=FEBRUARY, partner=water)])
    assert counted(engine) == {"woonstad": (1, 0), "water-west": (0, 0)}


def test_municipalities_are_kept_apart(engine: Engine, record: Record) -> None:
    record([hit("a"), hit("b", municipality="0599", routing_id="other")])
    assert counted(engine, municipality="0599") == {"woonstad": (1, 0)}
    assert len(new_arrears_counts(engine)) == 2


def test_the_table_suppresses_by_the_municipalitys_policy(engine: Engine, record: Record) -> None:
    record(hit(f"s-{number}") for number in range(12))
    record([hit("x", DebtTiming.AFTER_EXIT)])
    policies = Policies(POLICY, for_every_code=True)
    shown = [
        (row.partner_id, row.after_admission.plain, row.after_exit.plain)
        for row in new_arrears(engine, policies, municipality=MUNICIPALITY, month=FEBRUARY)
    ]
    assert shown == [("woonstad", 12, "<10"), (None, 12, ">=1")]
