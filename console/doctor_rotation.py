"""What `doctor` looks at of rotations of match secrets: how far each is, and who must do what."""

from collections.abc import Iterator

from signaalwissel.console import key_service, runtime
from signaalwissel.console.connections import NO_RIGHT, reader
from signaalwissel.console.failures import ServiceAway, UsageFailure
from signaalwissel.console.findings import Finding, away, fine, wrong
from signaalwissel.console.rotation_found import RotationLook
from signaalwissel.console.rotation_words import next_of, told_of
from signaalwissel.console.settings import Settings
from signaalwissel.processors.rotation_plan import RotationFault, RotationStage, check_secrets
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.security.vault_keys import VaultKeys

_CHECK = "rotation"


def check_rotations(settings: Settings) -> Iterator[Finding]:
    """Look at the match secrets of every municipality, and in Kafka only where two of one are there."""
    try:
        keys = key_service.provider(settings)
        codes = _municipalities(settings, keys)
        secrets = {code: keys.match_versions(code) for code in codes}
        under_way = False
        for code, alive in secrets.items():
            if alive and len(alive) == 1:
                continue
            under_way = True
            yield from _rotation(settings, keys, code, alive)
        if not under_way:
            yield fine(_CHECK, "no match secret is being rotated")
    except UsageFailure:
        # The line about keys, or about policies, says it.
        return
    except KeyUnavailable as error:
        fix = "start the key service, or mend SIGNAALWISSEL_VAULT_*; until then worker and sink stop and write nothing"
        yield away(_CHECK, str(error), fix)
    except ServiceAway as failure:
        yield away(_CHECK, str(failure), "start Kafka, or mend SIGNAALWISSEL_KAFKA_*")


def _municipalities(settings: Settings, keys: LocalKeys | VaultKeys) -> list[str]:
    if isinstance(keys, LocalKeys):
        return list(keys.municipalities())
    return sorted(code for code in runtime.policies(settings) if keys.knows(code))


def _rotation(
    settings: Settings, keys: LocalKeys | VaultKeys, code: str, alive: tuple[int, ...]
) -> Iterator[Finding]:
    check = f"{_CHECK} {code}"
    try:
        check_secrets(code, alive)
    except RotationFault as fault:
        yield wrong(check, str(fault), "put back the keys as they were")
        return
    try:
        with reader(settings) as consumer:
            look = RotationLook(settings, consumer, keys, code)
            state = look.state()
            correcting = state.stage is RotationStage.CORRECTING
            left = look.correctable(state.old) if correcting else None
    except UsageFailure as failure:
        yield wrong(check, str(failure), "mend what it names")
        return
    except ServiceAway as failure:
        if not isinstance(failure.__cause__, NO_RIGHT):
            raise
        yield fine(
            check, "is under way; how far is not told, as this account may not read the tables of rotations"
        )
        return
    if left is not None and left.signals:
        yield fine(check, f"{told_of(state, left)}; then {next_of(state, left)}")
    else:
        yield wrong(check, told_of(state, left), next_of(state, left))
