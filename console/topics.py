"""`topics plan|apply|catalogue`: the topics that must exist, compared with and made on the broker (design 2)."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, NamedTuple

import typer
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError, NoError, TopicAlreadyExistsError, for_code
from signaalwissel.console import environment, runtime
from signaalwissel.console.acls import acl_differences, add, remove
from signaalwissel.console.catalogue import catalogue
from signaalwissel.console.failures import Exit, ServiceAway, UsageFailure
from signaalwissel.console.kafka_login import check_login
from signaalwissel.console.lines import dump
from signaalwissel.console.settings import Settings
from signaalwissel.streams.topics import Topic, layout
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

_BOUND_MS = 30_000
_SPREAD_S = 30.0
_Json = Annotated[bool, typer.Option("--json", help="JSON lines.")]
_Acls = Annotated[bool, typer.Option("--acls", help="Access lists too: who may do what.")]

topics = typer.Typer(help="Make the topics, or show what would be made.", no_args_is_help=True)


class Difference(NamedTuple):
    """What is not as it must be."""

    topic: str
    what: str
    mendable: bool


@topics.command()
def plan(*, as_json: _Json = False, acls: _Acls = False) -> None:
    """Show what `topics apply` would do; ends with 1 when there is anything.

    Example: signaalwissel topics plan --acls
    """
    settings = environment.settings()
    with admin(settings) as client:
        _tell(client, settings, as_json=as_json, acls=acls)


@topics.command()
def apply(
    *,
    as_json: _Json = False,
    acls: _Acls = False,
    remove_surplus: Annotated[
        bool,
        typer.Option("--remove-surplus", help="With --acls: take away rights that are not in the table."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; as plan.")] = False,
) -> None:
    """Make missing topics and mend settings. A partition count is never changed: keys would move.

    With --acls also give every principal the rights of the table in docs/operations.md. That takes an account that may
    change access lists. Rights that are not in the table stay, and are shown, until --remove-surplus takes them away.

    Example: signaalwissel topics apply --acls
    """
    if remove_surplus and not acls:
        raise UsageFailure("--remove-surplus goes with --acls")
    settings = environment.settings()
    with admin(settings) as client:
        if not dry_run:
            make(client, layout(runtime.names(settings), settings.partitions), settings.replication_factor)
            if acls:
                _mend_acls(client, settings, remove_surplus=remove_surplus)
        _tell(client, settings, as_json=as_json, acls=acls)


@topics.command("catalogue")
def catalogue_(
    *, as_json: Annotated[bool, typer.Option("--json", help="As it does without.")] = True
) -> None:
    """Print every topic and every right as one JSON object, for whoever makes them by other means.

    Names are without prefix; {publisher} stands for whoever has an input topic of its own. Needs no Kafka.

    Example: signaalwissel topics catalogue > deploy/helm/signaalwissel/files/kafka.json
    """
    print(json.dumps(catalogue(), indent=1, ensure_ascii=False))


def _mend_acls(client: KafkaAdminClient, settings: Settings, *, remove_surplus: bool) -> None:
    mended = {"missing", "surplus"} if remove_surplus else {"missing"}
    found = acl_differences(client, settings)
    add(client, [difference.entry for difference in found if difference.what == "missing"])
    if remove_surplus:
        remove(client, [difference.entry for difference in found if difference.what == "surplus"])
    _until_told(client, settings, mended)


@retry(
    retry=retry_if_result(bool), stop=stop_after_delay(_SPREAD_S), wait=wait_fixed(0.2),
    retry_error_callback=lambda _state: None,
)  # fmt: skip
def _until_told(client: KafkaAdminClient, settings: Settings, mended: set[str]) -> bool:
    """Whether a broker does not show yet what the controllers took; the retry waits for it, for a while."""
    return any(difference.what in mended for difference in acl_differences(client, settings))


def _tell(client: KafkaAdminClient, settings: Settings, *, as_json: bool, acls: bool) -> None:
    """Show what is otherwise than it must be, and end with 1 when there is anything."""
    found = differences(client, layout(runtime.names(settings), settings.partitions))
    rights = acl_differences(client, settings) if acls else []
    _show(found, as_json=as_json)
    for difference in rights:
        shown = {"acl": difference.what, **difference.entry._asdict()}
        print(dump(shown) if as_json else difference.text())
    if acls and not rights and not as_json:
        print("all rights are as they must be")
    raise typer.Exit(Exit.FINDINGS if found or rights else Exit.DONE)


@contextmanager
def admin(settings: Settings) -> Iterator[KafkaAdminClient]:
    """An administration client; ServiceAway where the broker does not answer or let us in."""
    check_login(settings)
    try:
        client = KafkaAdminClient(
            bootstrap_servers=runtime.bootstrap(settings).split(","),
            client_id="signaalwissel-topics",
            request_timeout_ms=_BOUND_MS,
            bootstrap_timeout_ms=_BOUND_MS,
            **runtime.kafka_python_connection(settings),
        )
        try:
            yield client
        finally:
            client.close()
    except KafkaError as error:
        raise ServiceAway(f"Kafka at {settings.kafka_bootstrap}: {error}") from error


def differences(client: KafkaAdminClient, wanted: list[Topic]) -> list[Difference]:
    """What the broker has otherwise than it must be."""
    present = {entry["name"]: len(entry["partitions"]) for entry in client.describe_topics()}
    there = [topic for topic in wanted if topic.name in present]
    configs = _configs(client, there)
    found = [Difference(topic.name, "is missing", True) for topic in wanted if topic.name not in present]
    for topic in there:
        if present[topic.name] != topic.partitions:
            what = f"has {present[topic.name]} partitions, not {topic.partitions}"
            found.append(Difference(topic.name, what, False))
        told = configs.get(topic.name)
        if not told:
            what = "its settings are not told: give this account the right DescribeConfigs on it"
            found.append(Difference(topic.name, what, False))
            continue
        for key, value in topic.config.items():
            given = told.get(key)
            if given != value:
                found.append(Difference(topic.name, f"{key} is {given}, not {value}", True))
    return found


def make(client: KafkaAdminClient, wanted: list[Topic], replication_factor: int) -> None:
    """Make what is missing and mend what is set otherwise; what exists keeps its partitions."""
    mendable = {difference.topic for difference in differences(client, wanted) if difference.mendable}
    present = set(client.list_topics())
    missing = [topic for topic in wanted if topic.name not in present]
    if missing:
        _create(client, missing, replication_factor)
    for topic in wanted:
        if topic.name in mendable and topic.name in present:
            resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, dict(topic.config))
            client.alter_configs([resource])


def _create(client: KafkaAdminClient, missing: list[Topic], replication_factor: int) -> None:
    made = client.create_topics(
        {
            topic.name: {
                "num_partitions": topic.partitions,
                "replication_factor": replication_factor,
                "configs": dict(topic.config),
            }
            for topic in missing
        },
        timeout_ms=_BOUND_MS,
        raise_errors=False,
    )
    for told in made["topics"]:
        error = for_code(told["error_code"])
        # A broker that had no answer from its controller in time asks it again, and hears of its own work.
        if error not in (NoError, TopicAlreadyExistsError):
            raise error(f"{told['name']}: {told['error_message']}")
    client.wait_for_topics([topic.name for topic in missing], timeout_ms=_BOUND_MS)


def _configs(client: KafkaAdminClient, present: list[Topic]) -> Mapping[str, Mapping[str, str]]:
    """The settings of topics by name and key."""
    if not present:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in present]
    described = client.describe_configs(resources, config_filter="all")["topic"]
    return {
        name: {key: entry["value"] for key, entry in entries.items()} for name, entries in described.items()
    }


def _show(found: list[Difference], *, as_json: bool) -> None:
    for difference in found:
        print(dump(difference._asdict()) if as_json else f"{difference.topic}: {difference.what}")
    if not found and not as_json:
        print("all topics are as they must be")
