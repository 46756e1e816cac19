"""The ids that a process writes and reads: those of the schema registry where one is set, looked up once at its start.

Flows in: settings. Flows out: the codecs' ids, fixed until the process ends, or a failure that says what to do.
"""

from collections.abc import Mapping, Sequence

from signaalwissel.console import runtime
from signaalwissel.console.failures import ServiceAway, UsageFailure
from signaalwissel.console.settings import Settings
from signaalwissel.processors.contract_topics import (
    RECORD_ON,
    Registered,
    committed_on,
    gaps_of,
    ids_from,
    subject_of,
)
from signaalwissel.schemas.contract import public_versions, use_registry_ids
from signaalwissel.sources.schema_registry import Registry, RegistryAway, RegistrySettings, RegistryUnusable


def registry_settings(settings: Settings) -> RegistrySettings | None:
    """The way to the registry, None where there is none; UsageFailure names what is wrong."""
    if settings.schema_registry_url is None:
        return None
    password = settings.schema_registry_password
    try:
        return RegistrySettings(
            url=settings.schema_registry_url,
            username=settings.schema_registry_username,
            password=None if password is None else password.get_secret_value(),
            ca_file=settings.schema_registry_ca_file,
            timeout_s=settings.schema_registry_timeout_s,
            patience_s=settings.schema_registry_patience_s,
        )
    except RegistryUnusable as error:
        raise UsageFailure(f"SIGNAALWISSEL_{error}") from error


def subjects(settings: Settings) -> dict[str, str]:
    """The subject of every public topic, by the topic without prefix; publishers' own topics among them."""
    names = runtime.names(settings)
    topics = [*RECORD_ON, *names.publisher_topics]
    return {topic: subject_of(names(topic)) for topic in topics}


def adopt(settings: Settings) -> None:
    """Take the ids of the registry, where one is set; before this process reads or writes a record.

    Raises:
        ServiceAway: It does not answer within the patience that is set, or lacks a version of ours.
        UsageFailure: A setting cannot be used.
    """
    chosen = registry_settings(settings)
    if chosen is None:
        return
    try:
        with Registry(chosen) as registry:
            held = {topic: registry.held(subject) for topic, subject in subjects(settings).items()}
            _check_complete(settings, held)
            free = [v.schema_id for v in public_versions() if not registry.knows(v.schema_id)]
    except RegistryUnusable as error:
        raise UsageFailure(f"SIGNAALWISSEL_{error}") from error
    except RegistryAway as error:
        raise ServiceAway(f"{error}; start it, or mend SIGNAALWISSEL_SCHEMA_REGISTRY_...") from error
    use_registry_ids(ids_from(held, free))


def _check_complete(settings: Settings, held: Mapping[str, Sequence[Registered]]) -> None:
    named = subjects(settings)
    gaps = [
        gap
        for topic, registered in held.items()
        for gap in gaps_of(named[topic], committed_on(topic), registered)
    ]
    if gaps:
        raise ServiceAway(
            f"the schema registry at {settings.schema_registry_url}: {'; '.join(gap.text() for gap in gaps)}: "
            "run `signaalwissel schemas register`, then start again"
        )
