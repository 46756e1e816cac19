"""What the matcher keeps of one partition: trajectories and recent signals per match key (design 1, 3).

Three tables of bytes: one small entry per trajectory copy and per recent signal, so that a busy key is never
rewritten whole, and one per policy under which a recent signal was decided; and an index over them in memory. The
tables are any mapping of bytes: the stream layer's, or a dict in `simulate`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from signaalwissel.processors.facts import within_horizon
from signaalwissel.processors.matcher_index import MatcherIndex
from signaalwissel.processors.policy import Policy, PolicyError
from signaalwissel.processors.policy_archive import policy_from_json, policy_to_json
from signaalwissel.processors.retirement import RetiredKeys
from signaalwissel.processors.stamped import record_in, stamp, written_at
from signaalwissel.processors.trajectory import Trajectory, fold
from signaalwissel.schemas.fact_codec import read_keyed_trajectory, read_trajectory_head
from signaalwissel.schemas.internal import Fact, RecentSignal
from signaalwissel.schemas.recent_signal_codec import (
    read_recent_head,
    read_recent_signal,
    write_recent_signal,
)
from signaalwissel.schemas.units import Millis


class Table(Protocol):
    """A table of bytes; a set and a delete are part of the chunk's transaction."""

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""

    def __setitem__(self, key: bytes, value: bytes) -> None: ...
    def __delitem__(self, key: bytes) -> None: ...


class KnownTrajectory:
    """A trajectory at a match key; folded when a signal first asks.

    Only the fold is kept: the facts take ten times its memory, and hardly ever does a horizon cut some of them off.
    """

    __slots__ = (
        "_folded",
        "_is_folded",
        "_latest",
        "municipality",
        "table_value",
        "trajectory_id",
        "version",
    )

    def __init__(self, table_value: bytes) -> None:
        self.table_value = table_value
        self.municipality, self.trajectory_id, self.version = read_trajectory_head(record_in(table_value))
        self._folded: Trajectory | None = None
        self._is_folded = False
        self._latest: Millis = 0

    def as_of(self, horizon: Millis) -> Trajectory | None:
        """The trajectory as the facts within the horizon have it (domain 8.11)."""
        if not self._is_folded:
            facts = self._facts()
            self._folded = fold(self.trajectory_id, facts)
            for fact in facts:
                self._latest = max(self._latest, fact.recorded_at)
            self._is_folded = True
        if self._latest < horizon:
            return self._folded
        return fold(self.trajectory_id, within_horizon(self._facts(), horizon))

    @property
    def written_at(self) -> Millis:
        """When this copy was written, in Kafka time."""
        return written_at(self.table_value)

    def whole(self) -> Trajectory | None:
        """The trajectory as all its facts have it; housekeeping asks for all in turn, so it keeps nothing."""
        return self._folded if self._is_folded else fold(self.trajectory_id, self._facts())

    def _facts(self) -> tuple[Fact, ...]:
        return read_keyed_trajectory(record_in(self.table_value)).facts


class PolicyArchive:
    """The policies under which the recent signals of one partition were decided, each as long as one needs it.

    Args:
        table: Table of policies, keyed by version.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._kept: set[str] = set()
        self._uses: dict[str, int] = {}
        self._parsed: dict[str, Policy] = {}

    def load(self, versions: Iterable[bytes]) -> None:
        """Note which versions the table holds."""
        self._kept.update(version.decode() for version in versions)

    def keep(self, policy: Policy) -> None:
        """Archive a policy that a signal is decided under; nearly always it is there already."""
        if policy.version not in self._kept:
            self._table[policy.version.encode()] = policy_to_json(policy)
            self._kept.add(policy.version)

    def of(self, recent: RecentSignal, loaded: Policy | None) -> Policy:
        """The policy under which a signal was first decided, whatever its file says now (domain 8.11).

        Args:
            recent: The signal.
            loaded: The policy that its municipality has now, if any.

        Raises:
            PolicyError: The policy was never archived, or the archive cannot be read.
        """
        version = recent.policy_version
        if loaded is not None and loaded.version == version:
            return loaded
        policy = self._parsed.get(version)
        if policy is None:
            data = self._table.get(version.encode())
            if data is None:
                raise PolicyError(
                    f"policy {version}: recent signals were decided under it, but the matcher's table of policies"
                    " does not have it; bring back the policy file, or the changelog of that table"
                )
            policy = self._parsed[version] = policy_from_json(data)
        return policy

    def used(self, version: str) -> None:
        """Note one more recent signal that was decided under a version."""
        self._uses[version] = self._uses.get(version, 0) + 1

    def unused(self, version: str) -> None:
        """Note that one such signal is gone; with the last one the policy goes."""
        left = self._uses.get(version, 0) - 1
        if left > 0:
            self._uses[version] = left
            return
        self._uses.pop(version, None)
        self._parsed.pop(version, None)
        if version in self._kept:
            self._kept.remove(version)
            del self._table[version.encode()]


class MatcherState:
    """The state of one partition.

    Args:
        trajectories: Table of trajectory copies, keyed by match key and trajectory id.
        recents: Table of recent signals, keyed by signal ref.
        policies: Table of the policies that they were decided under, keyed by version.
        rotations: Table of rotations of match keys, keyed by municipality; without it none was ever told of.
    """

    def __init__(
        self, trajectories: Table, recents: Table, policies: Table, rotations: Table | None = None
    ) -> None:
        self._trajectories = trajectories
        self._recents = recents
        self._index = MatcherIndex()
        self._asked: dict[bytes, KnownTrajectory] = {}
        self.policies = PolicyArchive(policies)
        self.retired = RetiredKeys({} if rotations is None else rotations)

    def load(
        self,
        trajectories: Iterable[bytes],
        recents: Iterable[tuple[bytes, bytes]],
        policies: Iterable[bytes],
        rotations: Iterable[tuple[bytes, bytes]] = (),
    ) -> None:
        """Rebuild the index after a restart or a rebalance.

        Args:
            trajectories: The keys of the table of trajectories.
            recents: The entries of the table of recent signals.
            policies: The keys of the table of policies.
            rotations: The entries of the table of rotations.
        """
        self._index.load_entries(trajectories)
        for signal_ref, value in recents:
            match_key, version = read_recent_head(value)
            self._index.add_ref(match_key, signal_ref)
            self.policies.used(version)
        self.policies.load(policies)
        self.retired.load(value for _, value in rotations)

    def trajectories_at(self, match_key: bytes) -> Sequence[KnownTrajectory]:
        """The trajectories at a match key, for a signal that is to be decided: the next one finds them folded."""
        entries = self._index.entries_at(match_key)
        if not entries:
            return ()
        found = []
        for entry in entries:
            known = self._asked.get(entry)
            if known is None:
                known = self._asked[entry] = KnownTrajectory(self._value_of(entry))
            found.append(known)
        return found

    def copies_at(self, match_key: bytes) -> Sequence[KnownTrajectory]:
        """The same for housekeeping, which asks for all keys in turn: nothing is kept of what nobody asked for."""
        entries = self._index.entries_at(match_key)
        return [self._asked.get(entry) or KnownTrajectory(self._value_of(entry)) for entry in entries]

    def put_trajectory(self, match_key: bytes, record: bytes, now: Millis) -> bool:
        """Keep a trajectory copy unless a newer version is known; whether it was kept."""
        known = KnownTrajectory(stamp(record, now))
        entry = _trajectory_entry(match_key, known.trajectory_id)
        earlier = self._trajectories.get(entry)
        if earlier is None:
            self._index.add_entry(entry)
        elif read_trajectory_head(record_in(earlier)).version >= known.version:
            return False
        self._trajectories[entry] = known.table_value
        self._asked.pop(entry, None)
        return True

    def drop_trajectory(self, match_key: bytes, trajectory_id: str) -> None:
        """Forget a trajectory copy that no rule can need any more."""
        entry = _trajectory_entry(match_key, trajectory_id)
        del self._trajectories[entry]
        self._asked.pop(entry, None)
        self._index.drop_entry(entry)

    def knows(self, signal_ref: bytes) -> bool:
        """Whether this delivery was decided and can still be corrected."""
        return self._recents.get(signal_ref) is not None

    def recent(self, signal_ref: bytes) -> RecentSignal | None:
        """A recent signal by its ref, or None."""
        value = self._recents.get(signal_ref)
        return None if value is None else read_recent_signal(value)

    def refs_at(self, match_key: bytes) -> Sequence[bytes]:
        """The refs of the recent signals at a match key, oldest first."""
        return self._index.refs_at(match_key)

    def recents_at(self, match_key: bytes) -> list[RecentSignal]:
        """The recent signals at a match key, oldest first."""
        refs = self._index.refs_at(match_key)
        return [recent for ref in refs if (recent := self.recent(ref)) is not None]

    def put_recent(self, signal_ref: bytes, recent: RecentSignal, *, known: bool) -> None:
        """Keep a recent signal; `known` when it was kept before."""
        self._recents[signal_ref] = write_recent_signal(recent)
        if not known:
            self._index.add_ref(recent.match_key, signal_ref)
            self.policies.used(recent.policy_version)

    def drop_recent(self, signal_ref: bytes, recent: RecentSignal) -> None:
        """Forget a recent signal."""
        self._index.drop_ref(recent.match_key, signal_ref)
        del self._recents[signal_ref]
        self.policies.unused(recent.policy_version)

    def match_keys(self) -> Iterator[bytes]:
        """The match keys at which something is known."""
        return self._index.match_keys()

    def _value_of(self, entry: bytes) -> bytes:
        value = self._trajectories.get(entry)
        if value is None:
            raise KeyError(entry)
        return value


def _trajectory_entry(match_key: bytes, trajectory_id: str) -> bytes:
    return match_key + trajectory_id.encode()
