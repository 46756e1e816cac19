"""Takes a rotation of a municipality's match secret as far as it goes now (ADR 8).

Flows in: what is found of it. Flows out: steps in every partition of `intake-commands` and `resident-events`, and a
secret made or destroyed. Each step may be given twice, and what comes next is read from what was committed. So a run
that ended anywhere, or two at once, do no harm.
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from kafka import KafkaConsumer
from signaalwissel.console import runtime
from signaalwissel.console.connections import writer
from signaalwissel.console.failures import CommandFailure, Exit
from signaalwissel.console.rotation_found import Correctable, RotationLook
from signaalwissel.console.settings import Settings
from signaalwissel.processors.emissions import INTAKE_COMMANDS, RESIDENT_EVENTS
from signaalwissel.processors.rotation_plan import Partitions, RotationStage, RotationState
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.rotation import RotationPhase, RotationStep
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.security.vault_keys import VaultKeys

PATIENCE_S = 180.0
"""How long nothing may happen while worker is waited for."""
_LOOK_S = 0.5

_PHASES = {
    RotationStage.DUAL_WRITING: RotationPhase.DUAL,
    RotationStage.SWITCHING: RotationPhase.SWITCHED,
    RotationStage.CORRECTING: RotationPhase.RETIRED,
    RotationStage.REMOVING: RotationPhase.RETIRED,
    RotationStage.FORGETTING: RotationPhase.RETIRED,
}


class RotationWaits(CommandFailure):
    """Intake or matcher does not go on."""

    exit_code = Exit.FINDINGS


class RotationResult(NamedTuple):
    """How far it came; `correctable` only where it waits for that."""

    state: RotationState
    correctable: Correctable | None


class Rotating:
    """Goes on with a rotation.

    Args:
        settings: Of this installation.
        consumer: Reads committed records.
        keys: The key provider.
        municipality: Four digits.
        told: Is told of every step.
    """

    def __init__(
        self,
        settings: Settings,
        consumer: KafkaConsumer,
        keys: LocalKeys | VaultKeys,
        municipality: str,
        told: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._municipality = municipality
        self._told = told
        self._names = runtime.names(settings)
        self.look = RotationLook(settings, consumer, keys, municipality)

    def begin(self, state: RotationState) -> None:
        """Make the next version of the secret: from here on a rotation is under way."""
        self._told(f"making match secret {state.new + 1}")
        self._keys.make_match_secret(self._municipality, state.new + 1)

    def go_on(self) -> RotationResult:
        """Do everything that can be done now.

        Raises:
            RotationWaits: Nothing moves in intake or matcher.
            KeyUnavailable, UsageFailure, ServiceAway: As `RotationLook.state`.
        """
        state = self.look.state()
        while (stage := state.stage) is not RotationStage.NONE:
            if stage is RotationStage.CORRECTING:
                left = self.left(state)
                if left.signals:
                    return RotationResult(state, left)
            self._told(f"{stage}: match secret {state.old} to {state.new}")
            if stage is RotationStage.DESTROYING:
                self._keys.destroy_match_secret(self._municipality, state.old)
            else:
                self._step(state.step(_PHASES[stage]), at_matcher=stage is RotationStage.FORGETTING)
            state = self.look.state()
        return RotationResult(state, None)

    def left(self, state: RotationState) -> Correctable:
        """Signals that may still be corrected under the old secret, once the matcher has seen the last of them."""
        # Every partition of intake has switched, so what stands behind these ends is under the new secret.
        ends = self.look.ends()
        self._wait(lambda: self.look.matcher_to_read(ends), "the matcher to read what came before the switch")
        return self.look.correctable(state.old)

    def _step(self, step: RotationStep, *, at_matcher: bool) -> None:
        topic = self._names(RESIDENT_EVENTS if at_matcher else INTAKE_COMMANDS)
        partitions = self._partitions(at_matcher=at_matcher)
        self._send(topic, step, RotationState.untold(partitions, step))

        def left() -> int:
            return len(RotationState.waiting(self._partitions(at_matcher=at_matcher), step))

        self._wait(left, f"{'the matcher' if at_matcher else 'intake'} to finish {step.phase}")

    def _partitions(self, *, at_matcher: bool) -> Partitions:
        state = self.look.state()
        return state.matcher if at_matcher else state.intake

    def _send(self, topic: str, step: RotationStep, partitions: Sequence[int]) -> None:
        value = codec("RotationStep").encode(step)
        with writer(self._settings) as sender:
            for partition in partitions:
                sender.send(topic, step.municipality.encode(), value, partition)

    def _wait(self, left: Callable[[], int], what: str) -> None:
        """Return when nothing is left; RotationWaits when that number stays the same for too long."""
        before, moved_at = None, time.monotonic()
        while (now := left()) > 0:
            if now != before:
                self._told(f"waiting for {what}: {now} partitions left")
                before, moved_at = now, time.monotonic()
            elif time.monotonic() - moved_at > PATIENCE_S:
                raise RotationWaits(
                    f"waited {PATIENCE_S:.0f} s for {what}, in {now} partitions. Does `signaalwissel worker` run? See"
                    f" `signaalwissel doctor`, then run `signaalwissel keys rotate {self._municipality} --continue`:"
                    " nothing is lost"
                )
            time.sleep(_LOOK_S)
