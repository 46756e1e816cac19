"""Retirement of a match-key secret in the matcher: what lies under its keys goes, and nothing comes back (ADR 8).

In: a step of a rotation, then the match keys of a partition. Out: tables without the keys of the old secret.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from signaalwissel.processors import rotation
from signaalwissel.processors.pseudonyms import secret_version
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.schemas.keyed_signal_codec import read_keyed_signal
from signaalwissel.schemas.rotation import MatchRotation, RotationPhase, RotationStep

if TYPE_CHECKING:
    from signaalwissel.processors.matcher_state import MatcherState, Table


class RetiredKeys:
    """Which match keys of a partition are those of a secret that was retired.

    Args:
        table: Rotations of the partition, by municipality.
    """

    def __init__(self, table: "Table") -> None:
        self._table = table
        self._last: dict[str, int] = {}

    def load(self, values: Iterable[bytes]) -> None:
        """Note what the table holds."""
        self._last.update((one.municipality, one.old) for one in map(rotation.read_rotation, values))

    def retire(self, step: RotationStep) -> bool:
        """Take the last step of a rotation; whether it was news.

        Raises:
            Rejected: It is another step: those are intake's.
        """
        if step.phase is not RotationPhase.RETIRED:
            rule = "the matcher has a part in the last step of a rotation only"
            raise Rejected(RejectionCode.INVALID_FIELD, "phase", rule)
        if not rotation.taken(self._table, step):
            return False
        self._last[step.municipality] = step.old
        return True

    def covers(self, municipality: str, match_key: bytes) -> bool:
        """Whether a key of a municipality's was made under a secret that was retired."""
        last = self._last.get(municipality)
        return last is not None and secret_version(match_key) <= last


def retire_match_key(state: "MatcherState", match_key: bytes, rotations: Mapping[str, MatchRotation]) -> None:
    """Forget all that lies under a match key of a secret that goes.

    A signal there is past correction, or the secret would not go; one that somebody brought back since is not
    corrected either. Without the trajectories a fresh answer for it would be wrong, so it goes with them.
    """
    for known in state.copies_at(match_key):
        if _goes(rotations.get(known.municipality), match_key):
            state.drop_trajectory(match_key, known.trajectory_id)
    for signal_ref in state.refs_at(match_key):
        recent = state.recent(signal_ref)
        if recent is not None and _goes(
            rotations.get(read_keyed_signal(recent.signal).municipality), match_key
        ):
            state.drop_recent(signal_ref, recent)


def _goes(found: MatchRotation | None, match_key: bytes) -> bool:
    return found is not None and secret_version(match_key) <= found.old
