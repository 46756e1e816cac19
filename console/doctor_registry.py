"""What `doctor` looks at in the schema registry: whether it has every version, under the rule that keeps them readable."""

from collections.abc import Iterator

from signaalwissel.console.failures import ServiceAway, UsageFailure
from signaalwissel.console.findings import Finding, away, fine, listed, wrong
from signaalwissel.console.registry_ids import registry_settings
from signaalwissel.console.schemas import findings_in, opened
from signaalwissel.console.settings import Settings


def check_registry(settings: Settings) -> Iterator[Finding]:
    """Look at the registry; nothing where none is set."""
    try:
        chosen = registry_settings(settings)
        if chosen is None:
            return
        with opened(chosen) as registry:
            found = [f"{subject}: {what}" for subject, what in findings_in(registry, settings)]
    except ServiceAway as failure:
        yield away("schema registry", str(failure), "start it, or mend SIGNAALWISSEL_SCHEMA_REGISTRY_...")
        return
    except UsageFailure as failure:
        yield wrong("schema registry", str(failure), "mend the setting that it names")
        return
    if found:
        yield wrong("schema registry", listed(found), "run `signaalwissel schemas register`")
    else:
        yield fine("schema registry", f"{chosen.url} has every version, under BACKWARD_TRANSITIVE")
