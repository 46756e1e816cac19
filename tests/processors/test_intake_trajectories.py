"""Intake of lifecycle events: what goes out of a trajectory, and what is kept (design 2, 3, 7)."""

import pytest
from signaalwissel.processors.dead_letters import DeadLetters, Source
from signaalwissel.processors.emissions import RESIDENT_EVENTS, TRAJECTORY_STATES, Emission
from signaalwissel.processors.intake_trajectories import IntakeTrajectories
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.publishers import Publishers
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.stamped import record_in
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.fact_codec import (
    read_intake_trajectory,
    read_keyed_trajectory,
    read_trajectory_state,
)
from signaalwissel.schemas.internal import IntakeTrajectory
from signaalwissel.schemas.trajectory import TrajectoryEvent
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys

from tests.processors.given import (
    ANNA,
    AWAY,
    BRAM,
    Story,
    admitted,
    applied,
    client_changed,
    default_policies,
    event,
    exited,
)

KEY = b"0344/T1"
DAY = 86_400_000
START = 1_772_000_000_000
"""Kafka's time: later than whatever the stories tell."""


class Desk:
    """Intake of trajectories over one table."""

    def __init__(self, policies: Policies | None = None, keys: ThrowawayKeys | None = None) -> None:
        self.keys = keys or ThrowawayKeys()
        self.table: dict[bytes, bytes] = {}
        letters = DeadLetters("intake", self.keys, fresh_nonce)
        self.intake = IntakeTrajectories(
            policies or default_policies(), Publishers(), self.keys, fresh_nonce, letters
        )
        self._offset = 0

    def take(self, story: Story) -> list[Emission]:
        """What the last event of a story brings; each at a day of its own in Kafka time."""
        came: list[Emission] = []
        for line in story:
            self._offset += 1
            value = {"sequence": self._offset, "event_id": f"e{self._offset}", **line["value"]}
            found: TrajectoryEvent = codec("TrajectoryEvent").from_json(value)
            source = Source("trajectories", 0, self._offset, START + self._offset * DAY, KEY, b"as it came")
            came = self.intake.step(self.table, found, source)
        return came

    def kept(self) -> IntakeTrajectory:
        return read_intake_trajectory(record_in(self.table[KEY]))


def keys_of(emissions: list[Emission]) -> list[bytes]:
    return [emission.key for emission in emissions if emission.topic == RESIDENT_EVENTS]


def test_a_change_goes_out_whole_under_every_match_key_and_once_as_a_state() -> None:
    desk = Desk()
    came = desk.take(applied("2025-01-10", ANNA, BRAM))
    assert len(keys_of(came)) == 3  # two BSNs, one address
    state = read_trajectory_state(came[-1].value)
    assert (came[-1].topic, came[-1].key) == (TRAJECTORY_STATES, KEY)
    assert sorted(keys_of(came)) == list(state.match_keys)
    for emission in came[:-1]:
        found = read_keyed_trajectory(emission.value)
        assert (found.facts, found.version, found.caused_by_event_id) == (state.facts, 1, "e1")


def test_every_change_is_the_next_version_and_holds_all_facts() -> None:
    desk = Desk()
    desk.take(applied())
    found = read_trajectory_state(desk.take(admitted("2025-02-01"))[-1].value)
    assert (found.version, [fact.event_id for fact in found.facts]) == (2, ["e1", "e2"])


def test_an_old_address_stays_a_key() -> None:
    desk = Desk()
    before = keys_of(desk.take(applied()))
    after = keys_of(desk.take(client_changed("2025-02-01", {**ANNA, **AWAY})))
    assert set(before) < set(after)
    assert len(after) == 3


def test_nothing_of_the_clients_goes_out_or_is_kept_in_the_clear() -> None:
    desk = Desk()
    came = desk.take(applied())
    for content in [emission.value for emission in came] + list(desk.table.values()):
        for secret in (b"111222333", b"Jansen", b"3511"):
            assert secret not in content


def test_the_identity_of_the_clients_is_kept_sealed_per_event() -> None:
    desk = Desk()
    desk.take([*applied(), *admitted("2025-02-01"), *client_changed("2025-03-01", ANNA)])
    assert [identity.event_id for identity in desk.kept().identities] == ["e1", "e3"]
    assert all(b"0344/identity" in identity.sealed for identity in desk.kept().identities)


def test_a_mended_event_replaces_its_sealed_identity() -> None:
    desk = Desk()
    desk.take(applied(event_id="a", recorded="2025-02-01", sequence=1))
    desk.take(applied("2025-01-10", BRAM, event_id="a", recorded="2025-01-31", sequence=1))
    assert [identity.event_id for identity in desk.kept().identities] == ["a"]
    assert len(desk.kept().facts) == 1


def test_the_same_event_again_says_nothing() -> None:
    desk = Desk()
    again = applied(event_id="a", sequence=1)
    desk.take(again)
    assert desk.take(again) == []
    assert desk.kept().version == 1


def test_erasing_tells_every_key_and_keeps_nothing_but_that_it_was() -> None:
    desk = Desk()
    before = keys_of(desk.take(applied()))
    came = desk.take(event("ERASED", "2025-02-01"))
    assert keys_of(came) == before
    told = [read_keyed_trajectory(emission.value) for emission in came[:-1]]
    assert {(found.erased, found.facts) for found in told} == {(True, ())}
    assert read_trajectory_state(came[-1].value).match_keys == ()
    kept = desk.kept()
    assert (kept.erased, kept.facts, kept.match_keys, kept.identities, kept.waiting) == (True, (), (), (), ())


def test_erased_before_it_was_known_stays_erased() -> None:
    desk = Desk()
    desk.take(event("ERASED", "2025-02-01"))
    assert desk.take(applied()) == []


def test_what_waits_is_kept_and_goes_out_with_the_application() -> None:
    desk = Desk()
    assert desk.take(exited("2025-06-01", sequence=9)) == []
    assert desk.intake.waits_until(desk.table, KEY) == START + 31 * DAY
    came = desk.take(applied(sequence=1))
    assert len(read_trajectory_state(came[-1].value).facts) == 2
    assert desk.intake.waits_until(desk.table, KEY) is None


def test_what_waits_too_long_becomes_a_dead_letter_and_the_entry_goes() -> None:
    desk = Desk()
    desk.take(exited("2025-06-01", sequence=9))
    assert desk.intake.expire(desk.table, KEY, START + 31 * DAY) == []
    (letter,) = desk.intake.expire(desk.table, KEY, START + 31 * DAY + 1)
    found = codec("DeadLetter").decode(letter.value)
    assert (found.code, found.offset, found.record_id) == ("ORPHANED_EVENT", 1, "e1")
    assert KEY not in desk.table


def test_nothing_expires_that_does_not_wait() -> None:
    desk = Desk()
    assert desk.intake.expire(desk.table, KEY, START + 99 * DAY) == []
    assert desk.intake.waits_until(desk.table, KEY) is None
    desk.take(applied())
    assert desk.intake.expire(desk.table, KEY, START + 99 * DAY) == []


def test_nothing_expires_for_a_municipality_that_lost_its_policy() -> None:
    """Start-up says so; throwing its events away would be worse."""
    desk = Desk()
    desk.take(exited("2025-06-01", sequence=9))
    letters = DeadLetters("intake", desk.keys, fresh_nonce)
    none = Policies(default_policies().default)
    without = IntakeTrajectories(none, Publishers(), desk.keys, fresh_nonce, letters)
    assert without.waits_until(desk.table, KEY) is None
    assert without.expire(desk.table, KEY, START + 99 * DAY) == []


def test_what_may_be_shown_of_a_refused_event() -> None:
    found: TrajectoryEvent = codec("TrajectoryEvent").from_json(
        applied(event_id="e1", sequence=1)[0]["value"]
    )
    assert IntakeTrajectories.about(found) == ("0344", "e1")


@pytest.mark.parametrize(("ahead", "refused"), [(DAY, False), (DAY + 1, True)])
def test_an_event_recorded_more_than_a_day_after_publication_is_refused(ahead: int, refused: bool) -> None:
    desk = Desk()
    found: TrajectoryEvent = codec("TrajectoryEvent").from_json(
        applied(event_id="e1", sequence=1)[0]["value"]
    )
    source = Source("trajectories", 0, 1, found.recorded_at - ahead, KEY, b"as it came")
    if not refused:
        assert desk.intake.step(desk.table, found, source)
        return
    with pytest.raises(Rejected, match="INVALID_FIELD: recorded_at"):
        desk.intake.step(desk.table, found, source)


def test_an_event_that_names_a_stranger_is_published_under_no_key_of_his() -> None:
    desk = Desk()
    before = keys_of(desk.take(applied()))
    assert keys_of(desk.take(exited("2025-06-01", clients=[BRAM]))) == before


def test_one_of_two_that_wait_expires_alone() -> None:
    desk = Desk()
    desk.take([*exited("2025-06-01", sequence=9), *admitted("2025-02-01")])
    assert len(desk.intake.expire(desk.table, KEY, START + 31 * DAY + 1)) == 1
    assert [entry.event_id for entry in desk.kept().waiting] == ["e2"]
    assert [fact.event_id for fact in desk.kept().facts] == ["e2"]
    assert len(desk.intake.expire(desk.table, KEY, START + 32 * DAY + 1)) == 1
    assert KEY not in desk.table
