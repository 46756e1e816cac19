"""The matcher's tables and the index over them (design 1, 3)."""

from signaalwissel.processors.matcher_index import MATCH_KEY_SIZE
from signaalwissel.processors.matcher_state import KnownTrajectory, MatcherState
from signaalwissel.processors.stamped import record_in

from tests.processors.keyed import KEY, OTHER_KEY, facts, recent, trajectory


class Worker:
    """State over two dicts, as the tables of a partition."""

    def __init__(self) -> None:
        self.trajectories: dict[bytes, bytes] = {}
        self.recents: dict[bytes, bytes] = {}
        self.policies: dict[bytes, bytes] = {}
        self.state = MatcherState(self.trajectories, self.recents, self.policies)

    def restarted(self) -> MatcherState:
        """The state as a worker rebuilds it from the tables."""
        state = MatcherState(self.trajectories, self.recents, self.policies)
        state.load(self.trajectories, self.recents.items(), self.policies)
        return state


def test_match_keys_have_the_size_that_the_index_cuts_off() -> None:
    assert len(KEY) == MATCH_KEY_SIZE


def test_nothing_is_known_at_first() -> None:
    state = Worker().state
    assert (state.copies_at(KEY), state.refs_at(KEY)) == ([], ())
    assert state.recent(b"ref") is None
    assert state.recents_at(KEY) == []
    assert list(state.match_keys()) == []


def test_an_older_or_the_same_version_does_not_replace_a_newer_one() -> None:
    state = Worker().state
    assert state.put_trajectory(KEY, trajectory(version=2), 1)
    assert not state.put_trajectory(KEY, trajectory(version=2), 2)
    assert not state.put_trajectory(KEY, trajectory(version=1), 3)
    assert state.put_trajectory(KEY, trajectory(version=3), 4)
    (known,) = state.trajectories_at(KEY)
    assert (known.trajectory_id, known.version, known.written_at) == ("T1", 3, 4)


def test_a_restart_knows_what_was_known() -> None:
    worker = Worker()
    worker.state.put_trajectory(KEY, trajectory("T1"), 1)
    worker.state.put_trajectory(OTHER_KEY, trajectory("T1"), 1)
    worker.state.put_trajectory(KEY, trajectory("T2"), 1)
    worker.state.put_recent(b"one", recent(), known=False)
    worker.state.put_recent(b"two", recent(), known=False)
    again = worker.restarted()
    assert sorted(one.trajectory_id for one in again.trajectories_at(KEY)) == ["T1", "T2"]
    assert (sorted(again.refs_at(KEY)), len(again.recents_at(KEY))) == ([b"one", b"two"], 2)
    assert set(again.match_keys()) == {KEY, OTHER_KEY}
    assert again.recents_at(OTHER_KEY) == []


def test_a_copy_is_read_and_folded_once_however_many_signals_ask() -> None:
    worker = Worker()
    worker.state.put_trajectory(KEY, trajectory("T1"), 1)
    state = worker.restarted()
    (housekept,) = state.copies_at(KEY)
    (asked,) = state.trajectories_at(KEY)
    assert asked is not housekept
    assert state.trajectories_at(KEY)[0] is asked
    assert state.copies_at(KEY)[0] is asked


def test_a_signal_after_a_new_version_or_a_removal_is_not_shown_the_old_one() -> None:
    state = Worker().state
    state.put_trajectory(KEY, trajectory("T1", version=1), 1)
    state.put_trajectory(KEY, trajectory("T2", version=1), 1)
    assert [one.version for one in state.trajectories_at(KEY)] == [1, 1]
    state.put_trajectory(KEY, trajectory("T1", version=2), 2)
    state.drop_trajectory(KEY, "T2")
    assert [(one.trajectory_id, one.version) for one in state.trajectories_at(KEY)] == [("T1", 2)]
    state.put_trajectory(KEY, trajectory("T2", version=1), 3)
    assert [one.written_at for one in state.trajectories_at(KEY)] == [2, 3]


def test_a_changed_signal_is_kept_once() -> None:
    worker = Worker()
    worker.state.put_recent(b"one", recent(), known=False)
    worker.state.put_recent(b"one", recent()._replace(revision=3), known=True)
    assert [one.revision for one in worker.state.recents_at(KEY)] == [3]


def test_what_is_dropped_is_gone_from_table_and_index() -> None:
    worker = Worker()
    worker.state.put_trajectory(KEY, trajectory("T1"), 1)
    worker.state.put_recent(b"one", recent(), known=False)
    worker.state.drop_trajectory(KEY, "T1")
    assert list(worker.state.match_keys()) == [KEY]
    worker.state.drop_recent(b"one", recent())
    assert list(worker.state.match_keys()) == []
    assert (worker.trajectories, worker.recents) == ({}, {})


def test_a_trajectory_stays_where_its_signal_goes() -> None:
    worker = Worker()
    worker.state.put_trajectory(KEY, trajectory("T1"), 1)
    worker.state.put_recent(b"one", recent(), known=False)
    worker.state.drop_recent(b"one", recent())
    assert list(worker.state.match_keys()) == [KEY]


def test_a_copy_is_folded_as_of_a_horizon() -> None:
    worker = Worker()
    worker.state.put_trajectory(KEY, trajectory(story=facts(recorded_at=(1000, 2000))), 1)
    (known,) = worker.state.trajectories_at(KEY)
    assert known.as_of(2001) is known.whole()
    early = known.as_of(2000)
    assert early is not None
    assert early.clients[0].running[0].end is None
    assert known.as_of(1000) is None


def test_a_copy_without_facts_is_no_trajectory() -> None:
    worker = Worker()
    worker.state.put_trajectory(KEY, trajectory(story=(), erased=True), 1)
    (value,) = worker.trajectories.values()
    assert record_in(value)
    assert KnownTrajectory(value).as_of(1) is None
    assert KnownTrajectory(value).whole() is None
