"""Of which tasks readers hear nothing more after a restore: those of residents whom the ledger says were erased."""

from datetime import date
from pathlib import Path

import pytest
from signaalwissel.processors.erased_tasks import ErasedTasks
from signaalwissel.processors.identifiers import signal_ref
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.processors.subject_ledger import LedgerEntry, LedgerIds, LedgerKind
from signaalwissel.schemas.followup import TaskEvent, TaskKind, TaskSignal, TaskStatus
from signaalwissel.security.local_keys import LocalKeys

from tests.processors.followup_support import MUNICIPALITY, at_noon

ELSEWHERE = "0999"
AT = at_noon(date(2026, 3, 9))


@pytest.fixture
def keys(tmp_path: Path) -> LocalKeys:
    """Of one municipality; there are none of the other."""
    made = LocalKeys(tmp_path / "keys")
    made.create(MUNICIPALITY)
    return made


def clients(keys: LocalKeys, *positions: int) -> list[LedgerEntry]:
    """Entries of erased clients of trajectory T-1."""
    ids = LedgerIds(keys.pseudonym_keys(MUNICIPALITY).hashed)
    return [
        LedgerEntry("e-1", LedgerKind.CLIENT, ids.client("T-1", position), MUNICIPALITY, AT)
        for position in positions
    ]


def told(status: TaskStatus = TaskStatus.DONE, *signals: TaskSignal, of: str = MUNICIPALITY) -> TaskEvent:
    """A task of trajectory T-1."""
    day = date(2026, 3, 9)
    return TaskEvent(
        "t-1", 2, TaskKind.INFORM_RESIDENT, status, "T-1", of, None, "noord", day, tuple(signals), ()
    )


@pytest.mark.parametrize(
    ("erased", "count", "expected"),
    [
        ((0,), 1, True),
        ((0,), 2, False),
        ((1,), 2, False),
        ((0, 1), 2, True),
        ((), 1, False),
        # Of a trajectory that nobody knows.
        ((0,), None, True),
        ((1,), None, False),
        ((0, 1), None, True),
    ],
)
def test_a_task_without_signals_is_of_the_erased_when_no_client_of_its_trajectory_is_left(
    keys: LocalKeys, erased: tuple[int, ...], count: int | None, expected: bool
) -> None:
    assert ErasedTasks(clients(keys, *erased), keys, lambda *_: count)(told()) is expected


def test_a_running_task_is_not_given_up_where_a_second_client_may_be_left(keys: LocalKeys) -> None:
    erased = ErasedTasks(clients(keys, 0), keys, lambda *_: None)
    assert not erased(told(TaskStatus.ACCEPTED))


def test_a_task_with_a_signal_that_was_not_erased_is_not_of_the_erased(keys: LocalKeys) -> None:
    ids = LedgerIds(keys.pseudonym_keys(MUNICIPALITY).hashed)
    ref = signal_ref(MUNICIPALITY, "woonstad", "s-1", AT)
    entries = [
        *clients(keys, 0, 1),
        LedgerEntry("e-1", LedgerKind.SIGNAL, ids.signal(ref), MUNICIPALITY, AT),
    ]
    erased = ErasedTasks(entries, keys, lambda *_: None)
    his, other = (TaskSignal("woonstad", number, AT, "r-1", False) for number in ("s-1", "s-2"))
    assert erased(told(TaskStatus.DONE, his))
    assert not erased(told(TaskStatus.DONE, his, other))


def test_keys_that_are_gone_stop_only_what_is_told_of_their_own_municipality(keys: LocalKeys) -> None:
    gone = LedgerEntry("e-2", LedgerKind.CLIENT, b"x" * 16, ELSEWHERE, AT)
    erased = ErasedTasks([gone, *clients(keys, 0)], keys, lambda *_: 1)
    assert erased(told())
    with pytest.raises(KeyUnavailable):
        erased(told(of=ELSEWHERE))
