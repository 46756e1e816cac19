"""Rotation of a match-key secret: what a step does to a partition, and under which secrets it works (ADR 8).

In: steps, one after the other in each partition's log. Out: which versions of the secret the partition works under.
The partition's own table says it, in the transaction of the records that it counts for. So whoever handles the
partition, and whatever he has in memory, a signal has one key, and no trajectory misses one.
"""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from signaalwissel.processors.pseudonyms import SECRET_VERSION_MAX, MatchVersions, PseudonymKeys
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.sealing import KeyDestroyed, KeyProvider, SealingKey
from signaalwissel.processors.validation import check_municipality
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.rotation import MatchRotation, RotationPhase, RotationStep

if TYPE_CHECKING:
    from signaalwissel.processors.matcher_state import Table

_ORDER = tuple(RotationPhase)


def is_step(value: bytes | None) -> bool:
    """Whether a record is a step of a rotation."""
    return value is not None and value.startswith(codec("RotationStep").header)


def read_rotation(value: bytes) -> MatchRotation:
    """A table's entry."""
    found: MatchRotation = codec("MatchRotation").decode(value)
    return found


def versions_of(rotation: MatchRotation) -> MatchVersions:
    """The versions that a partition works under once it has taken a step."""
    old, new = rotation.old, rotation.new
    if rotation.phase is RotationPhase.DUAL:
        return MatchVersions(old, (old, new))
    return MatchVersions(new, (old, new) if rotation.phase is RotationPhase.SWITCHED else (new,))


def reached(rotation: MatchRotation | None, step: RotationStep) -> bool:
    """Whether a partition has taken a step, or a later one."""
    return rotation is not None and _place(rotation) >= _place(step)


def done(rotation: MatchRotation | None, step: RotationStep) -> bool:
    """Whether a partition has nothing left to do for a step."""
    if rotation is None or not reached(rotation, step):
        return False
    return _place(rotation) > _place(step) or rotation.finished


def taken(table: "Table", step: RotationStep) -> bool:
    """Remember a step in a partition's table, unless it or a later one was taken before; whether it was news.

    Raises:
        Rejected: It is no step of a rotation.
    """
    _check(step)
    before = known(table, step.municipality)
    if reached(before, step):
        return False
    # To switch signals changes no trajectory: what was written under both secrets stays so.
    nothing_to_do = (
        step.phase is RotationPhase.SWITCHED
        and before is not None
        and before.new == step.new
        and before.finished
    )
    _keep(table, MatchRotation(*step, finished=nothing_to_do))
    return True


def known(table: "Table", municipality: str) -> MatchRotation | None:
    """The newest rotation of a municipality that a partition knows."""
    value = table.get(municipality.encode())
    return None if value is None else read_rotation(value)


def unfinished(values: Iterable[bytes]) -> dict[str, MatchRotation]:
    """Of a table's entries those with something left to do, by municipality."""
    rotations = map(read_rotation, values)
    return {rotation.municipality: rotation for rotation in rotations if not rotation.finished}


def finish(table: "Table", rotations: Iterable[MatchRotation]) -> None:
    """Remember that nothing is left to do for these."""
    for rotation in rotations:
        _keep(table, rotation._replace(finished=True))


class RotatingKeys:
    """A key provider whose match secrets are those that the partition at hand works under.

    Args:
        keys: Where secrets come from.
        table: Rotations of the partition at hand, by municipality.
    """

    def __init__(self, keys: KeyProvider, table: "Table") -> None:
        self._keys = keys
        self._table = table
        self._versions: dict[bytes, MatchVersions] = {}

    def knows(self, municipality: str) -> bool:
        return self._keys.knows(municipality)

    def pseudonym_keys(self, municipality: str, versions: MatchVersions | None = None) -> PseudonymKeys:
        value = self._table.get(municipality.encode()) if versions is None else None
        if value is not None:
            versions = self._versions.get(value)
            if versions is None:
                versions = self._versions[value] = versions_of(read_rotation(value))
        return self._keys.pseudonym_keys(municipality, versions)

    def day_key(self, municipality: str, day: date) -> SealingKey:
        return self._keys.day_key(municipality, day)

    def identity_key(self, municipality: str) -> SealingKey:
        return self._keys.identity_key(municipality)

    def system_key(self) -> SealingKey:
        return self._keys.system_key()

    def by_id(self, key_id: str) -> SealingKey:
        return self._keys.by_id(key_id)

    def check(self, step: RotationStep) -> None:
        """Refuse a step whose secrets the partition at hand cannot work under; one that it took before passes.

        Raises:
            Rejected: The municipality has no keys, or one of the secrets was destroyed.
            KeyUnavailable: A secret cannot be had now.
        """
        _check(step)
        if reached(known(self._table, step.municipality), step):
            return
        if not self._keys.knows(step.municipality):
            raise Rejected(RejectionCode.UNKNOWN_MUNICIPALITY, "municipality", "it has no keys here")
        try:
            self._keys.pseudonym_keys(step.municipality, versions_of(MatchRotation(*step, finished=False)))
        except KeyDestroyed:
            rule = "its secret was destroyed; the rotation is over"
            raise Rejected(RejectionCode.INVALID_FIELD, "old", rule) from None


def _check(step: RotationStep) -> None:
    check_municipality(step.municipality)
    if not 1 <= step.old < step.new <= SECRET_VERSION_MAX:
        rule = f"must be a higher version than the old one, at most {SECRET_VERSION_MAX}"
        raise Rejected(RejectionCode.INVALID_FIELD, "new", rule)


def _place(step: RotationStep | MatchRotation) -> tuple[int, int]:
    return step.new, _ORDER.index(step.phase)


def _keep(table: "Table", rotation: MatchRotation) -> None:
    table[rotation.municipality.encode()] = codec("MatchRotation").encode(rotation)
