"""What `doctor` looks at in Kafka and PostgreSQL."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, TopicAuthorizationFailedError
from signaalwissel.console import runtime
from signaalwissel.console.connections import NO_RIGHT, database, reader
from signaalwissel.console.doctor_erasures import check_erasures
from signaalwissel.console.doctor_followup import check_follow_up
from signaalwissel.console.doctor_processing_log import check_processing_log
from signaalwissel.console.doctor_retention import check_retention
from signaalwissel.console.doctor_security import check_audit_trail, login_finding
from signaalwissel.console.failures import ServiceAway, UsageFailure
from signaalwissel.console.findings import Finding, away, fine, listed, wrong
from signaalwissel.console.reading_lag import findings_of, findings_unseen, lag_of, waiting_since
from signaalwissel.console.settings import Settings
from signaalwissel.console.topics import Difference, admin, differences
from signaalwissel.processors.emissions import INTAKE_COMMANDS, RESIDENT_EVENTS
from signaalwissel.sinks.access import Database, SchemaVersion, schema_version
from signaalwissel.sinks.database_grants import LoginRights, login_rights
from signaalwissel.sinks.database_roles import Role
from signaalwissel.sinks.dead_letters import DeadLetterStatus
from signaalwissel.sinks.health import PartitionLag, SinkHealth, health, lag
from signaalwissel.sinks.records import Place
from signaalwissel.streams.clock import now_ms
from signaalwissel.streams.cluster import check_layout
from signaalwissel.streams.errors import LayoutError
from signaalwissel.streams.topics import (
    INTAKE_ROTATIONS,
    INTAKE_SIGNALS,
    INTAKE_TRAJECTORIES,
    MATCHER_POLICIES,
    MATCHER_RECENTS,
    MATCHER_ROTATIONS,
    MATCHER_TRAJECTORIES,
    Names,
    Topic,
    changelog_topic,
    layout,
)
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

_OUTBOX_WAIT_MAX_S = 60.0
_COORDINATOR_BOUND_S = 15.0
_PAUSE_S = 0.3


@dataclass(frozen=True)
class Stage:
    """What one of the two apps reads and keeps."""

    name: str
    group: str
    inputs: list[str]
    changelogs: list[str]


def stages(names: Names) -> list[Stage]:
    """Intake and matcher."""
    intake, matcher = names.intake_app, names.matcher_app
    return [
        Stage(
            "intake",
            intake,
            [*names.signal_inputs(), *names.trajectory_inputs(), names(INTAKE_COMMANDS)],
            [
                changelog_topic(intake, table)
                for table in (INTAKE_SIGNALS, INTAKE_TRAJECTORIES, INTAKE_ROTATIONS)
            ],
        ),
        Stage(
            "matcher",
            matcher,
            [names(RESIDENT_EVENTS)],
            [
                changelog_topic(matcher, table)
                for table in (MATCHER_TRAJECTORIES, MATCHER_RECENTS, MATCHER_POLICIES, MATCHER_ROTATIONS)
            ],
        ),
    ]


def check_kafka(settings: Settings) -> Iterator[Finding]:
    """Look at the broker, its topics, and how far intake and matcher are; nothing where no broker is set."""
    if not settings.kafka_bootstrap:
        return
    try:
        with reader(settings, decodes=False) as consumer, admin(settings) as client:
            yield fine("kafka", f"{settings.kafka_bootstrap} answers")
            names = runtime.names(settings)
            wanted = layout(names, settings.partitions)
            yield _topics(differences(client, wanted))
            counts = {topic["name"]: len(topic["partitions"]) for topic in client.describe_topics()}
            for stage in stages(names):
                yield _partitions(stage, counts)
                lags = lag_of(consumer, stage.inputs, _committed(client, stage.group))
                yield from _reading(stage.name, consumer, lags, wanted)
    except ServiceAway as failure:
        if isinstance(failure.__cause__, NO_RIGHT):
            yield wrong("kafka rights", f"this account may not look: {failure}", "run doctor as the operator")
            return
        yield away("kafka", str(failure), "start Kafka, or mend SIGNAALWISSEL_KAFKA_*")


def check_database(settings: Settings, *, kafka_answers: bool) -> Iterator[Finding]:
    """Look at PostgreSQL and at what the sink has in it; nothing where no database is set."""
    if settings.database_url is None:
        return
    try:
        with database(settings) as engine:
            version = schema_version(engine)
            yield fine("postgresql", "answers")
            yield _migrations(version)
            if not version.up_to_date:
                return
            rights = login_rights(engine)
            yield login_finding(settings, rights)
            yield from check_audit_trail(settings, engine)
            yield from _stored(health(engine))
            yield from check_processing_log(settings, engine)
            yield from _records(settings, engine, rights)
            if kafka_answers:
                yield from _sink_reading(settings, lag(engine, runtime.sink_settings(settings)))
    except ServiceAway as failure:
        yield away("postgresql", str(failure), "start PostgreSQL, or mend SIGNAALWISSEL_DATABASE_URL")
    except UsageFailure as failure:
        yield wrong("postgresql", str(failure), "mend SIGNAALWISSEL_DATABASE_URL")


def _records(settings: Settings, engine: Database, rights: LoginRights) -> Iterator[Finding]:
    """What takes a look at records of every municipality, where this login may."""
    if Role.WEB in rights.roles and not rights.owns:
        may_not = "not looked at: the login of the pages may not read every municipality's records"
        yield fine("follow-up", may_not)
        yield fine("retention", may_not)
        return
    yield from check_follow_up(settings, engine)
    yield from check_retention(settings, engine)
    yield from check_erasures(settings, engine)


def _topics(found: list[Difference]) -> Finding:
    if not found:
        return fine("topics", "all are there, with the settings that they need")
    texts = [f"{difference.topic} {difference.what}" for difference in found]
    if all(difference.mendable for difference in found):
        return wrong("topics", listed(texts), "run `signaalwissel topics apply`")
    fix = (
        "a partition count is not changed in place, as keys would move: set SIGNAALWISSEL_PARTITIONS to what is there,"
        " or make the topics anew; `signaalwissel topics apply` mends the rest"
    )
    return wrong("topics", listed(texts), fix)


def _partitions(stage: Stage, counts: Mapping[str, int]) -> Finding:
    check = f"{stage.name} partitions"
    try:
        return fine(check, f"{check_layout(counts, stage.inputs, stage.changelogs)} on every input and table")
    except LayoutError as error:
        fix = f"make what differs anew while it is empty, or use a new prefix; until then {stage.name} does not start"
        return wrong(check, str(error), fix)


@retry(
    retry=retry_if_exception(lambda error: isinstance(error, KafkaError) and error.retriable),
    stop=stop_after_delay(_COORDINATOR_BOUND_S),
    wait=wait_fixed(_PAUSE_S),
    reraise=True,
)
def _committed(client: KafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    # A new cluster makes its topic of offsets when it is first asked for them, and has no coordinator until then.
    offsets = client.list_group_offsets([group]).get(group, {})
    return {partition: entry.offset for partition, entry in offsets.items() if entry.offset >= 0}


def _reading(
    name: str, consumer: KafkaConsumer, lags: Mapping[Place, PartitionLag], wanted: list[Topic]
) -> Iterator[Finding]:
    now = now_ms()
    try:
        ages = {place: now - since for place, since in waiting_since(consumer, lags).items()}
    except TopicAuthorizationFailedError:
        yield from findings_unseen(name, lags)
        return
    retentions = {
        topic.name: int(topic.config["retention.ms"]) for topic in wanted if "retention.ms" in topic.config
    }
    yield from findings_of(name, lags, ages, retentions)


def _sink_reading(settings: Settings, lags: Mapping[Place, PartitionLag]) -> Iterator[Finding]:
    with reader(settings, decodes=False) as consumer:
        yield from _reading("sink", consumer, lags, layout(runtime.names(settings), settings.partitions))


def _migrations(version: SchemaVersion) -> Finding:
    if version.up_to_date:
        return fine("migrations", f"the tables are those of {version.newest}")
    return wrong(
        "migrations",
        f"the tables are those of {version.present or 'no version'}, this program needs {version.newest}",
        "start the sink of this version: it brings the tables up to date",
    )


def _stored(found: SinkHealth) -> Iterator[Finding]:
    count = found.dead_letters.get(DeadLetterStatus.OPEN, 0)
    if count:
        yield wrong(
            "dead letters",
            f"{count} are open",
            "see `signaalwissel dead-letters list`, then replay or park them",
        )
    else:
        yield fine("dead letters", "none is open")
    waiting = f"{found.outbox_unsent} records wait, the oldest for {found.outbox_oldest_s:.0f} s"
    if found.outbox_unsent and found.outbox_oldest_s > _OUTBOX_WAIT_MAX_S:
        yield wrong("outbox", waiting, "look at the log of the sink, or start it: it sends them")
    else:
        yield fine("outbox", waiting if found.outbox_unsent else "nothing waits")
