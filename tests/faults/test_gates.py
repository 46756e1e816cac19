"""The gates of the rows can fail: what they look for would show, and what is too much is told."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from signaalwissel.processors import housekeeping
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.schemas.internal import Delivery, IntakeSignal

from tests.faults.defects import DEFECTS
from tests.faults.matrix import ROWS
from tests.faults.rows_network import _LIMITS, _PHASES, _Times, _too_late
from tests.faults.rows_state import CLOCKS
from tests.faults.run import Settings
from tests.faults.trials import SOUND, Trial

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
POLICY = packaged_policies(for_every_code=True).default


def farthest_ms(stage: int) -> int:
    """What the clock says of a stage of row 9 that is wrong by most."""
    seconds = max(float(one) for clocks in CLOCKS for one in clocks[stage].split("~"))
    return int((NOW + timedelta(seconds=seconds)).timestamp() * 1000)


def test_in_row_9_intake_would_delete_by_its_clock_what_was_written_just_now() -> None:
    written = IntakeSignal((Delivery(NOW_MS, b"", b""),))
    assert housekeeping.deliveries_are_over(written, NOW_MS, POLICY, farthest_ms(0))


def test_in_row_9_the_matcher_would_delete_by_its_clock_what_was_written_just_now() -> None:
    written: Any = SimpleNamespace(written_at=NOW_MS, whole=lambda: None)
    assert housekeeping.recent_is_over(written, NOW.date(), POLICY, farthest_ms(1))
    assert housekeeping.trajectory_is_idle(written, POLICY, farthest_ms(1), at_address=False)


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_that_only_breaks_the_start_is_not_seen(defect: str) -> None:
    assert not Trial(defect, ["I5 after 60 s None is left to read, ready: False"]).as_it_must


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_seen_by_what_it_does(defect: str) -> None:
    told = DEFECTS[defect].told_by[0]
    assert Trial(defect, ["I5 after 60 s 3 is left to read", f"{told}: 3, such as 00"]).as_it_must


def test_without_a_defect_nothing_may_be_seen() -> None:
    assert Trial(SOUND).as_it_must
    assert not Trial(SOUND, ["I5 after 60 s 3 is left to read"]).as_it_must


@pytest.mark.parametrize(("row", "signals"), [(2, 100_000), (14, 36_000), (3, 12_000), (11, 300)])
def test_the_long_form_sends_what_the_matrix_asks_for(row: int, signals: int) -> None:
    assert ROWS[row].count(Settings(1, long=True)) == signals


def test_the_long_form_takes_the_long_number_whatever_the_scale() -> None:
    assert Settings(1, 2.0, long=True).times(60, 10_000) == 10_000
    assert Settings(1, 2.0).times(60, 10_000) == 120


CALM = _Times(200, 400)


def times(**late: _Times) -> dict[str, _Times]:
    return {phase.name: late.get(phase.name.replace(" ", "_"), CALM) for phase in _PHASES}


def test_a_network_as_fast_as_the_calm_one_is_in_time() -> None:
    assert _too_late(times(), 0.0) == []


@pytest.mark.parametrize("limit", _LIMITS, ids=lambda limit: f"{limit[0]} {_Times._fields[limit[1]]}")
def test_a_latency_above_its_limit_is_told(limit: tuple[str, int, int]) -> None:
    name, what, _ = limit
    late = CALM._replace(**{_Times._fields[what]: 60_000})
    assert [one.split(" is ")[0] for one in _too_late(times() | {name: late}, 0.0)] == [
        f"{name}: {_Times._fields[what]}"
    ]


def test_three_times_the_calm_latency_is_the_line_where_ten_milliseconds_are_added() -> None:
    assert _too_late(times(**{"10_ms": CALM._replace(routed_ms=600)}), 0.0) == []
    assert _too_late(times(**{"10_ms": CALM._replace(routed_ms=601)}), 0.0) != []


def test_what_else_a_machine_does_may_take_its_time() -> None:
    assert _too_late(times(**{"10_ms": CALM._replace(routed_ms=5_600)}), 5_000.0) == []
