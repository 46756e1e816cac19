"""A rotation in words, for `keys rotate` and `doctor`: how far it is, and what to do."""

from signaalwissel.console.findings import listed
from signaalwissel.console.rotation_found import Correctable
from signaalwissel.processors.rotation_plan import RotationStage, RotationState
from signaalwissel.schemas.rotation import RotationPhase


def told_of(state: RotationState, left: Correctable | None) -> str:
    """How far a rotation is."""
    stage = state.stage
    if stage is RotationStage.NONE:
        return f"match secret {state.new} is in use; no rotation is under way"
    return f"match secret {state.old} to {state.new}: {_doing(state, left)}"


def next_of(state: RotationState, left: Correctable | None, *, begins: bool = False) -> str:
    """What to do; `begins` where a rotation would be begun."""
    if begins:
        return f"would make match secret {state.new + 1}, then write trajectories under both"
    stage, command = state.stage, f"`signaalwissel keys rotate {state.municipality} --continue`"
    if stage is RotationStage.NONE:
        return "nothing to do"
    if stage is RotationStage.CORRECTING and (left is None or left.signals):
        return f"run {command} after that day, or every day: it goes on when it can"
    return f"run {command} while worker runs"


def _doing(state: RotationState, left: Correctable | None) -> str:
    match state.stage:
        case RotationStage.DUAL_WRITING:
            waiting = state.waiting(state.intake, state.step(RotationPhase.DUAL))
            return f"trajectories come under both secrets; to finish: intake, {_partitions(waiting)}"
        case RotationStage.SWITCHING:
            waiting = state.waiting(state.intake, state.step(RotationPhase.SWITCHED))
            return f"signals go to the new one; to finish: intake, {_partitions(waiting)}"
        case RotationStage.REMOVING:
            waiting = state.waiting(state.intake, state.step(RotationPhase.RETIRED))
            return f"trajectories leave the old one; to finish: intake, {_partitions(waiting)}"
        case RotationStage.FORGETTING:
            waiting = state.waiting(state.matcher, state.step(RotationPhase.RETIRED))
            return f"what lies under the old one goes; to finish: the matcher, {_partitions(waiting)}"
        case RotationStage.DESTROYING:
            return "nothing needs the old one any more; it is not destroyed yet"
    return _correcting(left)


def _correcting(left: Correctable | None) -> str:
    if left is None or left.until is None:
        return "signals are under the new one, and none under the old one can be corrected any more"
    return (
        f"signals are under the new one; {left.signals} under the old one can still be corrected, the last of them"
        f" until {left.until}"
    )


def _partitions(numbers: list[int]) -> str:
    return f"partitions {listed([str(number) for number in numbers])}"
