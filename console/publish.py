"""`publish`: send records from a file, as a partner or case system would."""

from pathlib import Path
from typing import Annotated, Any

import typer
from kafka import KafkaProducer
from kafka.errors import KafkaError
from signaalwissel.console import environment, runtime
from signaalwissel.console.failures import Exit, ServiceAway, UsageFailure
from signaalwissel.console.lines import dump, reading
from signaalwissel.console.settings import Settings
from signaalwissel.processors.emissions import SIGNALS
from signaalwissel.processors.identifiers import trajectory_key
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.simulation import Refused, UnknownTopic, about_of, kind_of, read_line, topic_of
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.trajectory import TrajectoryEvent
from signaalwissel.streams.clock import now_ms
from signaalwissel.streams.publishing import event_time

_BOUND_MS = 30_000
_DELIVERY_BOUND_S = 60.0


def publish(
    file: Annotated[Path, typer.Argument(help="JSON lines with topic and value; - reads standard input.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as one JSON object.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and count; send nothing.")] = False,
) -> None:
    """Encode records, send them with the prescribed keys and wait until the broker has acknowledged each.

    A record that does not fit its schema cannot be sent: it is shown, and the command ends with 1.

    Example: signaalwissel publish month.jsonl
    """
    settings = environment.settings()
    sent: dict[str, int] = {}
    refused = 0
    with Partner(settings, dry_run=dry_run) as partner, reading(file) as lines:
        for line in lines:
            try:
                topic = partner.send(line.content)
            except UnknownTopic as error:
                raise UsageFailure(f"{file}:{line.number}: {error}") from error
            except Rejected as refusal:
                refused += 1
                about = about_of(line.content["topic"], line.content.get("value"))
                value = {
                    "line": line.number,
                    **Refused(line.content["topic"], about, refusal).line()["value"],
                }
                typer.echo(dump(value), err=True)
                continue
            sent[topic] = sent.get(topic, 0) + 1
    counts = {"sent": sent, "refused": refused}
    print(dump(counts) if as_json else _text(counts))
    raise typer.Exit(Exit.FINDINGS if refused else Exit.DONE)


class Partner:
    """Sends records as partners and case systems do: Avro, the prescribed key, CloudEvents headers."""

    def __init__(self, settings: Settings, *, dry_run: bool = False) -> None:
        self._names = runtime.names(settings)
        self._source = ("ce_source", settings.event_source.encode())
        self._failure: BaseException | None = None
        self._producer = None if dry_run else _producer(settings)

    def __enter__(self) -> "Partner":
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        if self._producer is None:
            return
        try:
            self._producer.flush(timeout=_DELIVERY_BOUND_S)
            self._producer.close(timeout=_DELIVERY_BOUND_S)
        except KafkaError as error:
            self._failure = error
        if self._failure is not None and error_type is None:
            raise ServiceAway(
                f"Kafka did not take every record: {self._failure}; send the file again: what was taken"
                " is recognised as the same"
            ) from self._failure

    def send(self, line: dict[str, Any]) -> str:
        """Send a line; gives its topic.

        Raises:
            UnknownTopic: The topic is no input.
            Rejected: The value does not fit its schema.
        """
        topic = topic_of(line)
        record = read_line(topic, line.get("value"))
        if self._failure is not None:
            raise ServiceAway(f"Kafka does not take records: {self._failure}") from self._failure
        if self._producer is not None:
            name, key, event_id, moment = _described(topic, record)
            headers = [
                ("ce_id", event_id.encode()),
                self._source,
                ("ce_specversion", b"1.0"),
                ("ce_type", name[1].encode()),
                ("ce_time", event_time(moment)),
                ("content-type", b"application/avro"),
            ]
            try:
                sending = self._producer.send(
                    self._names(topic), key=key, value=codec(name[0]).encode(record), headers=headers
                )
            except KafkaError as error:
                raise ServiceAway(f"Kafka does not take records: {error}") from error
            sending.add_errback(self._failed)
        return topic

    def _failed(self, error: BaseException) -> None:
        self._failure = error


def _described(topic: str, record: Any) -> tuple[tuple[str, str], bytes, str, int]:
    if kind_of(topic) == SIGNALS and isinstance(record, EarlySignal):
        key = f"{record.partner.partner_id}/{record.signal_id}".encode()
        event_id = (
            f"{record.municipality}/{record.partner.partner_id}/{record.signal_id}/{record.received_at}"
        )
        return ("EarlySignal", "nl.vroegsignalering.signaal-ontvangen"), key, event_id, now_ms()
    if not isinstance(record, TrajectoryEvent):
        raise TypeError(f"{type(record).__name__} is no input record")
    key = trajectory_key(record.municipality, record.trajectory_id)
    kind = "nl.schuldhulpverlening.traject-" + record.kind.lower().replace("_", "-")
    return ("TrajectoryEvent", kind), key, record.event_id, now_ms()


def _producer(settings: Settings) -> KafkaProducer:
    try:
        return KafkaProducer(
            bootstrap_servers=runtime.bootstrap(settings).split(","),
            client_id="signaalwissel-publish",
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            linger_ms=20,
            batch_size=256 << 10,
            bootstrap_timeout_ms=_BOUND_MS,
            max_block_ms=_BOUND_MS,
            metrics_enabled=False,
            **runtime.kafka_python_connection(settings),
        )
    except KafkaError as error:
        raise ServiceAway(f"Kafka at {settings.kafka_bootstrap}: {error}") from error


def _text(counts: dict[str, Any]) -> str:
    sent = ", ".join(f"{count} on {topic}" for topic, count in sorted(counts["sent"].items())) or "nothing"
    return f"sent {sent}; {counts['refused']} do not fit their schema"
