"""`rebuild`: fills the matcher from `trajectory-states`, and gives it the commands again that stand (design 1, 3).

Flows in: the newest state of every trajectory, the commands in the database. Flows out: each state whole, under each
of its match keys, on `resident-events`; and after them, by the outbox, each command about a signal that can still be
corrected. Versions and command ids make it harmless to repeat: the matcher takes what it has not had.
"""

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Annotated, NamedTuple

import typer
from kafka import KafkaConsumer, TopicPartition
from rich.console import Console
from rich.progress import Progress
from signaalwissel.console import environment, runtime
from signaalwissel.console.accounting import note
from signaalwissel.console.connections import Writer, database, reader, writer
from signaalwissel.console.failures import CommandFailure, Exit, UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.console.settings import Settings
from signaalwissel.console.whole_topics import records_of
from signaalwissel.processors.emissions import RESIDENT_EVENTS, TRAJECTORY_STATES
from signaalwissel.processors.reading import UNREADABLE
from signaalwissel.schemas.fact_codec import read_trajectory_state, trajectory_body, write_keyed_trajectory
from signaalwissel.sinks import subject_objections
from signaalwissel.sinks.commands import count_standing, give_again
from signaalwissel.sinks.ledger import EventKind
from signaalwissel.sinks.records import KafkaRecord


class StateUnreadable(CommandFailure):
    """A record on `trajectory-states` is none of ours."""

    exit_code = Exit.FINDINGS


class Counts(NamedTuple):
    """What was done, or would be.

    Attributes:
        trajectories: Those with at least one match key.
        without_keys: Erased ones, or ones whose clients have neither BSN nor address: nothing to publish.
        records: What goes to `resident-events` of trajectories.
        commands: Those that stand: the sink's outbox sends them.
    """

    trajectories: int = 0
    without_keys: int = 0
    records: int = 0
    commands: int = 0

    def with_keys(self, count: int) -> "Counts":
        """After one more trajectory with so many keys."""
        if not count:
            return self._replace(without_keys=self.without_keys + 1)
        return self._replace(trajectories=self.trajectories + 1, records=self.records + count)


def rebuild(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and count; send nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as one JSON object.")] = False,
) -> None:
    """Fill the matcher again from the trajectories that intake keeps, when its tables or their topics were lost.

    Publishes the newest state of every trajectory to the matcher's input. Then the sink sends again what persons and
    deadlines said of signals that can still be corrected: confirmed and refuted identities, offers to the regular
    flow. It may run while everything runs, and again: the matcher takes only what it has not had.

    Example: signaalwissel rebuild --dry-run
    """
    settings = environment.settings()
    names = runtime.names(settings)
    source, target = names(TRAJECTORY_STATES), names(RESIDENT_EVENTS)
    counts = Counts()
    with (
        reader(settings) as consumer,
        nullcontext() if dry_run else writer(settings) as sender,
        Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress,
    ):
        numbers = sorted(consumer.partitions_for_topic(source) or ())
        if not numbers:
            raise UsageFailure(f"there is no topic {source}; make it with `signaalwissel topics apply`")
        for number in progress.track(numbers, description="partitions"):
            for record in newest_records(consumer, TopicPartition(source, number)):
                counts = counts.with_keys(_publish(record, sender, target))
    # Only now: the writer is closed, so the broker has every trajectory before the first command.
    counts = counts._replace(commands=_give_again(settings, dry_run=dry_run))
    print(dump({**counts._asdict(), "dry_run": dry_run}) if as_json else _text(counts, dry_run=dry_run))


def newest_records(consumer: KafkaConsumer, partition: TopicPartition) -> Iterator[KafkaRecord]:
    """The newest record of each key in a partition, up to where the partition ends now.

    Raises:
        ServiceAway: The broker gives nothing for a while before the end is reached.
    """
    newest = {record.key: record for record in records_of(consumer, partition)}
    # A removed key keeps a record without a value until the log is compacted.
    return (record for record in newest.values() if record.value is not None)


def _give_again(settings: Settings, *, dry_run: bool) -> int:
    """Have the sink send the commands that stand; gives their number, 0 where no database is set."""
    if settings.database_url is None:
        return 0
    chosen = runtime.sink_settings(settings)
    with database(settings) as engine:
        if dry_run:
            return count_standing(engine) + subject_objections.count_standing(engine, chosen)
        count = give_again(engine, chosen) + subject_objections.give_again(engine, chosen)
        note(engine, EventKind.COMMANDS_GIVEN_AGAIN, f"{count} commands")
        return count


def _publish(record: KafkaRecord, sender: Writer | None, topic: str) -> int:
    """Send a state under each of its match keys; gives their number."""
    try:
        state = read_trajectory_state(record.value or b"")
    except UNREADABLE as error:
        raise StateUnreadable(
            f"{record.topic}[{record.partition}]@{record.offset}: is no trajectory state: {error};"
            " only intake may write there"
        ) from error
    if sender is not None:
        published = write_keyed_trajectory(trajectory_body(state))
        for match_key in state.match_keys:
            sender.send(topic, match_key, published)
    return len(state.match_keys)


def _text(counts: Counts, *, dry_run: bool) -> str:
    what = "would be published" if dry_run else "published"
    return (
        f"{counts.trajectories} trajectories {what} in {counts.records} records;"
        f" {counts.without_keys} without match keys (erased); {counts.commands} commands stand"
    )
