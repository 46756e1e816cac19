"""`publish`: send records from a file, as a partner or case system would."""

from pathlib import Path
from typing import Annotated, Any

import typer
from signaalwissel.console import environment, runtime
from signaalwissel.console.failures import Exit, ServiceAway, UsageFailure
from signaalwissel.console.kafka_login import check_login
from signaalwissel.console.lines import dump, reading
from signaalwissel.console.progress import progress_of
from signaalwissel.console.registry_ids import adopt
from signaalwissel.console.settings import Settings
from signaalwissel.processors.published import published
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.simulation_lines import (
    Refused,
    UnknownTopic,
    about_of,
    read_line,
    topic_of,
)
from signaalwissel.streams.clock import now_ms
from signaalwissel.streams.delivery import Delivery, NotDelivered
from signaalwissel.streams.publishing import event_time


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
    with (
        Partner(settings, dry_run=dry_run) as partner,
        reading(file) as lines,
        progress_of(file, quiet=as_json) as step,
    ):
        for line in lines:
            step()
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
        self._source = settings.event_source
        self._address = settings.kafka_bootstrap
        self._settings = settings
        self._delivery = None if dry_run else _delivery(settings)

    def __enter__(self) -> "Partner":
        if self._delivery is not None:
            check_login(self._settings)
            adopt(self._settings)
            try:
                self._delivery.__enter__()
            except NotDelivered as error:
                raise ServiceAway(f"Kafka at {self._address}: {error}") from error
        return self

    def __exit__(self, error_type: type[BaseException] | None, *details: object) -> None:
        if self._delivery is None:
            return
        try:
            self._delivery.__exit__(error_type, *details)
        except NotDelivered as error:
            raise ServiceAway(
                f"Kafka did not take every record: {error}; send the file again: what was taken is recognised as"
                " the same"
            ) from error

    def send(self, line: dict[str, Any]) -> str:
        """Send a line; gives its topic.

        Raises:
            UnknownTopic: The topic is no input.
            Rejected: The value does not fit its schema.
        """
        topic = topic_of(line)
        record = read_line(topic, line.get("value"))
        if self._delivery is not None:
            sent = published(record)
            headers = sent.headers(self._source, event_time(now_ms()))
            try:
                self._delivery.send(self._names(topic), sent.key, sent.value, headers)
            except NotDelivered as error:
                raise ServiceAway(f"Kafka does not take records: {error}") from error
        return topic


def _delivery(settings: Settings) -> Delivery:
    return Delivery(
        runtime.bootstrap(settings), runtime.aiokafka_connection(settings), "signaalwissel-publish"
    )


def _text(counts: dict[str, Any]) -> str:
    sent = ", ".join(f"{count} on {topic}" for topic, count in sorted(counts["sent"].items())) or "nothing"
    return f"sent {sent}; {counts['refused']} do not fit their schema"
