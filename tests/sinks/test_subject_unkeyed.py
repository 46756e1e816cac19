"""Erasures that a restored database lacks, of a municipality that left: what is his for certain goes, no other one waits."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.processors.subject_ledger import LedgerEntry, LedgerIds, LedgerKind
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.internal import ClientPseudonym, Fact, TrajectoryState
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause, MatchedBy
from signaalwissel.schemas.trajectory import TrajectoryEventKind
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.sinks import subject_ledger_store, subject_search
from signaalwissel.sinks.audit_verify import verify
from signaalwissel.sinks.subject_restore import Reapplied, reapply
from signaalwissel.sinks.tables import decisions, outbox, tasks, trajectories
from sqlalchemy import select

from tests.processors.followup_support import MUNICIPALITY, POLICY, at_noon, decision, regular
from tests.sinks.clock_support import MONDAY, Office

STAYED = "0363"
ERASED_AT = at_noon(date(2026, 3, 9))
OWN, ANOTHER, ADDRESS = b"\x01" * 33, b"\x02" * 33, b"\xff" * 33
HIS, HERS = ClientPseudonym(bsn=b"h" * 32), ClientPseudonym(bsn=b"w" * 32)
APPLIED, CHANGED = TrajectoryEventKind.APPLIED, TrajectoryEventKind.CLIENT_CHANGED
Listing = Sequence[ClientPseudonym]


class Restored(Office):
    """A restored database; the municipality of its rows left, another one stayed."""

    def __init__(self, database_url: str, folder: Path) -> None:
        super().__init__(database_url, clock=False, departed=frozenset({MUNICIPALITY}))
        self.keys = LocalKeys(folder / "keys")
        self.keys.create(STAYED)
        self.stayed = Policies(POLICY, {STAYED: POLICY})

    def erase_again(self, entries: Sequence[LedgerEntry]) -> Reapplied:
        return reapply(self.engine, entries, self.keys, self.settings, self.stayed)

    def signals(self) -> set[str]:
        """Those of which more than the proof of an erasure is there."""
        return {row["signal_id"] for row in self.rows(decisions) if row["match_key"] is not None}

    def state(self) -> TrajectoryState:
        (row,) = self.rows(trajectories)
        return read_trajectory_state(bytes(row["state"]))

    def commands(self) -> list[tuple[str, int | None]]:
        """What intake is told to erase."""
        topic = self.settings.topic("intake-commands")
        told = [
            codec("IntakeCommand").decode(row["value"]) for row in self.rows(outbox) if row["topic"] == topic
        ]
        return [(one.trajectory_id, one.client) for one in told]

    def lacks(self, entries: Sequence[LedgerEntry]) -> set[LedgerEntry]:
        return set(entries) - set(subject_ledger_store.all_stored(self.engine))


@pytest.fixture
def restored(database_url: str, tmp_path: Path) -> Restored:
    return Restored(database_url, tmp_path)


def entry(kind: LedgerKind, opaque: bytes, municipality: str = MUNICIPALITY) -> LedgerEntry:
    return LedgerEntry("erase-1", kind, opaque, municipality, ERASED_AT)


ENTRIES = [
    entry(LedgerKind.MATCH_KEY, OWN),
    entry(LedgerKind.SIGNAL, b"s" * 16),
    entry(LedgerKind.CLIENT, b"c" * 16),
]


def lasting(*listings: Listing, day: date = MONDAY) -> TrajectoryState:
    """Trajectory T-1 under his key, with an application and the changes after it."""
    facts = tuple(
        Fact(f"e-{n}", n, day, at_noon(day), CHANGED if n else APPLIED, clients=tuple(clients))
        for n, clients in enumerate(listings)
    )
    return TrajectoryState(MUNICIPALITY, "T-1", len(facts), False, "e-0", facts, (OWN,))


def test_what_lies_under_the_key_of_his_bsn_goes_and_nothing_of_others(restored: Restored) -> None:
    hers = decision("s-2", trajectory_id="T-2", match_key=ANOTHER)
    restored.store(decision("s-1", match_key=OWN), hers, states=[lasting([HIS])])
    assert restored.erase_again(ENTRIES) == Reapplied(1, 1, 1, 0, {MUNICIPALITY: 1})
    assert restored.signals() == {"s-2"}
    assert {row["trajectory_id"] for row in restored.rows(tasks)} == {"T-2"}
    assert restored.state().erased
    assert verify(restored.engine).findings == ()


def test_an_erasure_of_who_stayed_is_done_beside_one_of_who_left(restored: Restored) -> None:
    ids = LedgerIds(restored.keys.pseudonym_keys(STAYED).hashed)
    stayed = LedgerEntry("erase-2", LedgerKind.CLIENT, ids.client("T-1", 0), STAYED, ERASED_AT)
    restored.store(states=[lasting([HIS])._replace(municipality=STAYED)])
    restored.store(regular("s-1", match_key=ANOTHER))
    assert restored.erase_again([ENTRIES[1], stayed]) == Reapplied(1, 0, 1, 0, {MUNICIPALITY: 1})
    assert restored.state().erased


def test_keys_that_are_gone_while_nobody_says_that_the_municipality_left_stop_it_all(
    restored: Restored,
) -> None:
    restored.store(decision(match_key=OWN))
    restored.settings = replace(restored.settings, departed=frozenset())
    with pytest.raises(KeyUnavailable, match="SIGNAALWISSEL_DEPARTED"):
        restored.erase_again(ENTRIES)
    assert restored.lacks(ENTRIES) == set(ENTRIES)
    assert restored.signals() == {"s-1"}


@pytest.mark.parametrize(
    "listings",
    [
        pytest.param([[HERS], [HIS]], id="a BSN was mended: his was perhaps the wrong one"),
        pytest.param([[HIS, HERS]], id="two clients, and no decision says which is he"),
        pytest.param([[HIS, HIS]], id="two clients with one BSN"),
        pytest.param([[ClientPseudonym(birth_date=b"d" * 32)]], id="without a BSN"),
    ],
)
def test_a_trajectory_under_his_key_stays_where_nobody_can_tell_that_it_is_his(
    restored: Restored, listings: Sequence[Listing]
) -> None:
    state = lasting(*listings)
    restored.store(states=[state])
    assert restored.erase_again(ENTRIES).trajectories == 0
    assert restored.state() == state


def test_a_trajectory_that_began_after_the_erasure_stays(restored: Restored) -> None:
    state = lasting([HIS], day=date(2026, 3, 10))
    restored.store(states=[state])
    assert restored.erase_again(ENTRIES).trajectories == 0
    assert restored.state() == state


def test_of_two_clients_goes_the_one_whom_a_decision_names_and_intake_need_not_open_anything(
    restored: Restored,
) -> None:
    restored.store(decision(match_key=OWN, client=1), states=[lasting([HERS, HIS])])
    assert restored.erase_again(ENTRIES).trajectories == 1
    first, second = restored.state().facts[0].clients
    assert (first, second) == (HERS, ClientPseudonym())
    assert restored.commands() == []


def test_a_client_whose_bsn_was_mended_stays_whomever_an_earlier_decision_took_him_for(
    restored: Restored,
) -> None:
    state = lasting([HIS], [HERS])
    restored.store(decision(match_key=OWN), states=[state])
    assert restored.erase_again(ENTRIES)[1:3] == (1, 0), "the signal is his, the trajectory is not"
    assert restored.state() == state


def test_intake_is_told_to_take_a_trajectory_of_his_alone_away_as_a_whole(restored: Restored) -> None:
    restored.store(states=[lasting([HIS])])
    restored.erase_again(ENTRIES)
    assert restored.commands() == [("T-1", None)]


def test_a_signal_under_an_address_goes_where_its_last_decision_says_that_it_is_his(
    restored: Restored,
) -> None:
    led = {"match_key": ADDRESS, "matched_by": MatchedBy.ADDRESS_AND_BIRTH_DATE}
    moved = {"action": CorrectionAction.MOVED, "cause": CorrectionCause.IDENTITY}
    restored.store(
        decision("his", **led),
        decision("not his after all", **led),
        regular("nobody's", match_key=ADDRESS),
        states=[lasting([HIS])],
    )
    restored.store(regular("not his after all", revision=1, match_key=ADDRESS, **moved))
    assert restored.erase_again(ENTRIES).signals == 1
    assert restored.signals() == {"not his after all", "nobody's"}


def test_what_cannot_be_found_stays_lacking_and_is_told_each_time(restored: Restored) -> None:
    restored.store(decision(match_key=OWN), regular("s-2", match_key=ADDRESS))
    restored.erase_again(ENTRIES)
    assert restored.lacks(ENTRIES) == set(ENTRIES[1:])
    assert restored.erase_again(ENTRIES) == Reapplied(0, 0, 0, 0, {MUNICIPALITY: 1})


def test_once_nothing_of_the_municipality_is_left_its_erasures_are_done(restored: Restored) -> None:
    restored.store(decision(match_key=OWN))
    assert restored.erase_again(ENTRIES).out_of_reach == {}
    assert restored.lacks(ENTRIES) == set()


def test_with_its_keys_put_back_the_erasure_is_done_in_whole(restored: Restored, tmp_path: Path) -> None:
    backup = LocalKeys(tmp_path / "backup")
    backup.create(MUNICIPALITY)
    restored.store(
        decision(match_key=OWN), regular("s-2", match_key=ADDRESS), regular("s-3", match_key=ANOTHER)
    )
    ids = LedgerIds(backup.pseudonym_keys(MUNICIPALITY).hashed)
    entries = [ENTRIES[0], entry(LedgerKind.SIGNAL, ids.signal(ref_of("s-2", restored)))]
    assert restored.erase_again(entries).out_of_reach == {MUNICIPALITY: 1}
    assert restored.signals() == {"s-2", "s-3"}
    restored.keys = backup
    assert restored.erase_again(entries) == Reapplied(1, 1, 0, 0, {})
    assert restored.signals() == {"s-3"}


def ref_of(signal_id: str, restored: Restored) -> bytes:
    """The accepted delivery."""
    with restored.engine.connect() as connection:
        row = connection.execute(select(decisions).where(decisions.c.signal_id == signal_id)).one()
    return subject_search.ref_of_row(row)
