"""`topics plan|apply`: the topics that must exist, compared with and made on the broker (design 2)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, NamedTuple

import typer
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError
from signaalwissel.console import environment, runtime
from signaalwissel.console.failures import Exit, ServiceAway
from signaalwissel.console.lines import dump
from signaalwissel.console.settings import Settings
from signaalwissel.streams.topics import Topic, layout

_BOUND_MS = 30_000

topics = typer.Typer(help="Make the topics, or show what would be made.", no_args_is_help=True)


class Difference(NamedTuple):
    """What is not as it must be."""

    topic: str
    what: str
    mendable: bool


@topics.command()
def plan(*, as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False) -> None:
    """Show what `topics apply` would do; ends with 1 when there is anything.

    Example: signaalwissel topics plan
    """
    settings = environment.settings()
    with admin(settings) as client:
        found = differences(client, layout(runtime.names(settings), settings.partitions))
    _show(found, as_json=as_json)
    raise typer.Exit(Exit.FINDINGS if found else Exit.DONE)


@topics.command()
def apply(*, as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False) -> None:
    """Make missing topics and mend settings. A partition count is never changed: keys would move.

    Example: signaalwissel topics apply
    """
    settings = environment.settings()
    wanted = layout(runtime.names(settings), settings.partitions)
    with admin(settings) as client:
        make(client, wanted, settings.replication_factor)
        left = differences(client, wanted)
    _show(left, as_json=as_json)
    raise typer.Exit(Exit.FINDINGS if left else Exit.DONE)


@contextmanager
def admin(settings: Settings) -> Iterator[KafkaAdminClient]:
    """An administration client; ServiceAway where the broker does not answer."""
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
        client.create_topics(
            {
                topic.name: {
                    "num_partitions": topic.partitions,
                    "replication_factor": replication_factor,
                    "configs": dict(topic.config),
                }
                for topic in missing
            },
            timeout_ms=_BOUND_MS,
            wait_for_metadata=True,
        )
    for topic in wanted:
        if topic.name in mendable and topic.name in present:
            resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, dict(topic.config))
            client.alter_configs([resource])


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
