"""`schemas check|register`: the contract's schemas, compared with each other and with a schema registry.

What `schemas asyncapi|openapi` print stands in contract_documents.py.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer
from signaalwissel.console import environment
from signaalwissel.console.contract_documents import asyncapi, openapi
from signaalwissel.console.failures import Exit, ServiceAway, UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.console.registry_ids import registry_settings, subjects
from signaalwissel.console.settings import Settings
from signaalwissel.processors.contract_topics import (
    committed_on,
    gaps_of,
    strangers,
)
from signaalwissel.schemas.compatibility import broken_successions, incompatibilities
from signaalwissel.schemas.contract import SchemaVersion, versions
from signaalwissel.sources.schema_registry import (
    COMPATIBILITY,
    Incompatible,
    Registry,
    RegistryAway,
    RegistrySettings,
    RegistryUnusable,
)

_Json = Annotated[bool, typer.Option("--json", help="JSON lines.")]

schemas = typer.Typer(
    help="The schemas of the contract, and a registry's copy of them.", no_args_is_help=True
)
schemas.command()(asyncapi)
schemas.command()(openapi)


@schemas.command()
def check(*, as_json: _Json = False) -> None:
    """Compare the committed versions with each other and, where one is set, with the schema registry.

    Every version must read all that older ones wrote. Ends with 1 when something is wrong, with 3 when the registry
    does not answer.

    Example: signaalwissel schemas check
    """
    settings = environment.settings()
    chosen = registry_settings(settings)
    found = list(_broken())
    if chosen is not None:
        with opened(chosen) as registry:
            found += findings_in(registry, settings)
    for subject, what in found:
        print(dump({"subject": subject, "what": what}) if as_json else f"{subject}: {what}")
    if not found and not as_json:
        where = "no registry is set" if chosen is None else f"{chosen.url} has them"
        print(f"{len(versions())} versions, each reads what older ones wrote; {where}")
    raise typer.Exit(Exit.FINDINGS if found else Exit.DONE)


@schemas.command()
def register(
    *,
    as_json: _Json = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what is missing; register nothing.")
    ] = False,
) -> None:
    """Put every committed version that a public topic needs into the schema registry, oldest first.

    Sets BACKWARD_TRANSITIVE for every subject first. What is there already stays: a second run changes nothing.

    Example: SIGNAALWISSEL_SCHEMA_REGISTRY_URL=https://registry:8081 signaalwissel schemas register
    """
    settings = environment.settings()
    chosen = registry_settings(settings)
    if chosen is None:
        raise UsageFailure(
            "SIGNAALWISSEL_SCHEMA_REGISTRY_URL is not set: give the URL of the registry's REST API"
        )
    if list(_broken()):
        raise UsageFailure("the committed schemas break each other: see `signaalwissel schemas check`")
    with opened(chosen) as registry:
        done = list(fill(registry, settings, dry_run=dry_run))
    for line in done:
        print(dump(line) if as_json else _text(line))
    if not done and not as_json:
        print("nothing is missing")


class RegistrySession:
    """A registry whose failures are those of a command."""

    def __init__(self, chosen: RegistrySettings) -> None:
        self._chosen = chosen
        self._registry: Registry | None = None

    def __enter__(self) -> Registry:
        try:
            self._registry = Registry(self._chosen)
        except RegistryUnusable as error:
            raise UsageFailure(f"SIGNAALWISSEL_{error}") from error
        return self._registry.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if self._registry is not None:
            self._registry.__exit__(kind, error, trace)
        if isinstance(error, RegistryAway):
            raise ServiceAway(f"{error}; start it, or mend SIGNAALWISSEL_SCHEMA_REGISTRY_...") from error
        if isinstance(error, Incompatible):
            raise UsageFailure(f"{error}; see `signaalwissel schemas check`") from error


def opened(chosen: RegistrySettings) -> RegistrySession:
    """The registry for the length of a block."""
    return RegistrySession(chosen)


def fill(registry: Registry, settings: Settings, *, dry_run: bool = False) -> Iterator[dict[str, Any]]:
    """Register what is missing; one line for each change. Raises RegistryAway, Incompatible."""
    for topic, subject in subjects(settings).items():
        if registry.compatibility(subject) != COMPATIBILITY:
            if not dry_run:
                registry.enforce(subject)
            yield {"subject": subject, "set": COMPATIBILITY}
        for gap in gaps_of(subject, committed_on(topic), registry.held(subject)):
            schema_id = None if dry_run else registry.register(subject, gap.version.schema)
            yield {
                "subject": subject,
                "record": gap.version.name,
                "version": gap.version.version,
                "id": schema_id,
            }


def findings_in(registry: Registry, settings: Settings) -> Iterator[tuple[str, str]]:
    """What a registry has otherwise than it must: subject, and what is wrong. Raises RegistryAway."""
    for topic, subject in subjects(settings).items():
        committed, held = committed_on(topic), registry.held(subject)
        for gap in gaps_of(subject, committed, held):
            yield subject, f"lacks {gap.version.name} version {gap.version.version}: run `schemas register`"
        level = registry.compatibility(subject)
        if level != COMPATIBILITY:
            yield (
                subject,
                f"its compatibility is {level or 'not set'}, not {COMPATIBILITY}: run `schemas register`",
            )
        for one in strangers(committed, held):
            yield subject, _stranger(one.version, one.schema, committed)


def _stranger(number: int, schema: Any, committed: Sequence[SchemaVersion]) -> str:
    try:
        broken = incompatibilities(schema, committed[-1].schema)
    except (KeyError, TypeError, ValueError):
        return f"version {number} there is no Avro schema that can be read"
    if broken:
        told = "; ".join(f"{finding.field or 'record'}: {finding.rule}" for finding in broken[:3])
        return f"version {number} there is not of this program, which could not read it: {told}"
    return f"version {number} there is not of this program: what is written with it is refused by its id"


def _broken() -> Iterator[tuple[str, str]]:
    for old, new, found in broken_successions(versions()):
        for finding in found:
            where = finding.field or "record"
            yield f"{new.name}.v{new.version}", f"cannot read version {old.version}: {where}: {finding.rule}"


def _text(line: dict[str, Any]) -> str:
    if "set" in line:
        return f"{line['subject']}: {line['set']}"
    told = "is missing" if line["id"] is None else f"has id {line['id']}"
    return f"{line['subject']}: {line['record']} version {line['version']} {told}"
