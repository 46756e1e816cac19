"""What a rotation of a municipality's match secret needs next (ADR 8).

In: the versions of the secret that were made and not destroyed, and what every partition of intake and matcher
remembers. Out: the stage that the rotation is in. Nothing else is kept of a rotation anywhere, so whoever goes on with
it, after whatever end, goes on from what is true.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from signaalwissel.processors.rotation import done, reached
from signaalwissel.schemas.rotation import MatchRotation, RotationPhase, RotationStep

Partitions = Mapping[int, MatchRotation | None]


class RotationStage(StrEnum):
    """Where a rotation is, first to last; each name says what is being done.

    NONE: one secret, no rotation. DUAL_WRITING: trajectories are brought under both secrets. SWITCHING: signals go to
    the new one. CORRECTING: signals under the old one may still be corrected. REMOVING: trajectories leave the old one.
    FORGETTING: the matcher drops what lies under it. DESTROYING: nothing needs the old secret any more.
    """

    NONE = "NONE"
    DUAL_WRITING = "DUAL_WRITING"
    SWITCHING = "SWITCHING"
    CORRECTING = "CORRECTING"
    REMOVING = "REMOVING"
    FORGETTING = "FORGETTING"
    DESTROYING = "DESTROYING"


class RotationFault(ValueError):
    """The secrets are not as a rotation leaves them; says how and what to do."""


class RotationState(NamedTuple):
    """What is found of a municipality's secrets.

    Attributes:
        municipality: Four digits.
        alive: Versions of the match secret that were made and not destroyed, rising.
        intake: Per partition of intake its newest rotation.
        matcher: Per partition of the matcher its newest rotation.
    """

    municipality: str
    alive: tuple[int, ...]
    intake: Partitions
    matcher: Partitions

    @property
    def stage(self) -> RotationStage:
        """Where the rotation is."""
        if len(self.alive) < 2:
            return RotationStage.NONE
        retired = self.step(RotationPhase.RETIRED)
        if any(reached(found, retired) for found in self.intake.values()):
            # Once it was begun nothing can need the old secret, whatever is still to be removed.
            if self.waiting(self.intake, retired):
                return RotationStage.REMOVING
            waiting = self.waiting(self.matcher, retired)
            return RotationStage.FORGETTING if waiting else RotationStage.DESTROYING
        for phase, stage in (
            (RotationPhase.DUAL, RotationStage.DUAL_WRITING),
            (RotationPhase.SWITCHED, RotationStage.SWITCHING),
        ):
            if self.waiting(self.intake, self.step(phase)):
                return stage
        return RotationStage.CORRECTING

    @property
    def old(self) -> int:
        """The version that goes."""
        return self.alive[0]

    @property
    def new(self) -> int:
        """The version that comes."""
        return self.alive[-1]

    def step(self, phase: RotationPhase) -> RotationStep:
        """The step that brings every partition to a phase."""
        return RotationStep(self.municipality, self.old, self.new, phase)

    @staticmethod
    def waiting(partitions: Partitions, step: RotationStep) -> list[int]:
        """Partitions that still have something to do for a step."""
        return sorted(number for number, found in partitions.items() if not done(found, step))

    @staticmethod
    def untold(partitions: Partitions, step: RotationStep) -> list[int]:
        """Partitions that have not taken a step."""
        return sorted(number for number, found in partitions.items() if not reached(found, step))


def check_secrets(municipality: str, alive: tuple[int, ...]) -> None:
    """Refuse secrets that no rotation leaves behind; raises RotationFault."""
    if not alive:
        raise RotationFault(
            f"municipality {municipality} has no match secret: run `signaalwissel keys create {municipality}`, or put"
            " back the keys that it had"
        )
    if len(alive) > 2:
        raise RotationFault(
            f"municipality {municipality} has match secrets {', '.join(map(str, alive))}: a rotation has two. Put back"
            " the keys as they were"
        )
