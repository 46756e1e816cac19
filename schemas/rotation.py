"""Rotation of a municipality's match-key secret: what is told to every partition, and what each remembers of it."""

from enum import StrEnum
from typing import NamedTuple


class RotationPhase(StrEnum):
    """How far a rotation is in a partition, first to last."""

    DUAL = "DUAL"
    SWITCHED = "SWITCHED"
    RETIRED = "RETIRED"


class RotationStep(NamedTuple):
    """On `intake-commands` and `resident-events`, one in every partition: the next step of a rotation."""

    municipality: str
    old: int
    new: int
    phase: RotationPhase


class MatchRotation(NamedTuple):
    """Intake's and the matcher's table: how far the newest rotation of a municipality is in this partition.

    `finished` says that everything in the partition is as the phase says.
    """

    municipality: str
    old: int
    new: int
    phase: RotationPhase
    finished: bool
