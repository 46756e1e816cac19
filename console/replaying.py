"""Replaying a dead letter: its original, or a mended record in its place, on the topic that it came from.

Flows in: dead letters and the key provider. Flows out: records on their topics, acknowledged. What a seal held goes
from memory to Kafka and nowhere else.
"""

import json
import logging
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from signaalwissel.console import environment
from signaalwissel.console.accounting import Accounting, Done
from signaalwissel.console.connections import Writer
from signaalwissel.console.failures import CommandFailure, Exit, ServiceAway, UsageFailure
from signaalwissel.console.settings import Settings
from signaalwissel.processors.dead_letters import open_original
from signaalwissel.processors.emissions import SIGNALS, TASK_UPDATES, TRAJECTORIES
from signaalwissel.processors.followup_updates import UpdateRefused, check_update
from signaalwissel.processors.identifiers import trajectory_key
from signaalwissel.processors.processing_lines import trace_from
from signaalwissel.processors.processing_register import Purpose
from signaalwissel.processors.sealing import KeyDestroyed, KeyProvider, KeyUnavailable, SealBroken
from signaalwissel.processors.simulation_lines import findings_in, kind_of
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.internal import OriginalRecord
from signaalwissel.sinks.access import Database
from signaalwissel.sinks.dead_letters import (
    REPLAYS_HEADER,
    DeadLetterRow,
    replay_dead_letter,
    sealed_original,
)
from signaalwissel.sinks.ledger import EventKind
from signaalwissel.streams.topics import Names

log = logging.getLogger(__name__)

_RECORDS = {SIGNALS: "EarlySignal", TRAJECTORIES: "TrajectoryEvent", TASK_UPDATES: "TaskUpdate"}


class NotReplayable(CommandFailure):
    """One dead letter cannot be replayed; others can."""

    exit_code = Exit.FINDINGS


class Mended(NamedTuple):
    """A record in the place of one that was refused, with its prescribed key."""

    key: bytes
    value: bytes


class Replayer:
    """Sends dead letters again.

    Args:
        engine: Where they lie.
        keys: Opens their seals.
        names: Topic names.
        writer: Sends; None where nothing is replayed but only looked at.
        accounting: Puts every opening on record first.
    """

    def __init__(
        self, engine: Database, keys: KeyProvider, names: Names, writer: Writer | None, accounting: Accounting
    ) -> None:
        self._accounting = accounting
        self._engine = engine
        self._keys = keys
        self._names = names
        self._writer = writer

    def replay(self, dead_letter_id: str, mended: Mended | None = None) -> str:
        """Send one again, wait for the acknowledgement, mark it; gives its topic.

        Raises:
            NotReplayable: Its key was destroyed, or its seal does not open.
            ReplayRefused: It is not there, not open, or came back too often.
            ServiceAway: Kafka or the key provider does not answer; it stays open.
        """
        letter = replay_dead_letter(self._engine, dead_letter_id, self._unsealing(mended), self._publish)
        return topic_of(letter, self._names)

    def look(self, letter: DeadLetterRow) -> OriginalRecord:
        """The original, once that is on record; raises as `replay` does."""
        sealed = sealed_original(self._engine, letter.dead_letter_id)
        if sealed is None:
            raise NotReplayable(f"dead letter {letter.dead_letter_id}: there is none with this id")
        return self._open(letter, sealed, EventKind.SEALED_OPENED)

    def _unsealing(self, mended: Mended | None) -> Callable[[DeadLetterRow, bytes], OriginalRecord]:
        def unseal(letter: DeadLetterRow, sealed: bytes) -> OriginalRecord:
            original = self._open(letter, sealed)
            if mended is None:
                return original
            # A mended record is another one: how often the original failed does not count against it.
            headers = tuple(header for header in original.headers if header.name != REPLAYS_HEADER)
            return OriginalRecord(mended.key, mended.value, headers)

        return unseal

    def _open(
        self, letter: DeadLetterRow, sealed: bytes, kind: EventKind = EventKind.DEAD_LETTER_REPLAYED
    ) -> OriginalRecord:
        about = f"dead letter {letter.dead_letter_id}"
        # Before it is opened: a processing that is not in the log must not happen.
        log.info("%s of %s[%d] is opened", about, letter.topic, letter.partition)
        self._accounting.account(_opening(letter, kind))
        try:
            return open_original(sealed, letter.dead_letter_id, self._keys.by_id)
        except KeyDestroyed as error:
            raise NotReplayable(
                f"{about}: {error}; ask the publisher to send the record again, or `publish` it, and park this one"
            ) from error
        except KeyUnavailable as error:
            raise ServiceAway(f"{about}: {error}") from error
        except (SealBroken, DoesNotFit) as error:
            raise NotReplayable(f"{about}: {error}; are these the keys of this installation?") from error

    def _publish(self, topic: str, original: OriginalRecord) -> None:
        assert self._writer is not None  # noqa: S101 whoever replays has one
        self._writer.send_original(self._names(self._names.bare(topic)), original)


def _opening(letter: DeadLetterRow, kind: EventKind) -> Done:
    return Done(
        Purpose.DEAD_LETTER_OPENED,
        kind,
        about=letter.dead_letter_id,
        municipality=letter.municipality,
        trace_id=trace_from(letter.dead_letter_id),
        subject=None,
    )


def topic_of(letter: DeadLetterRow, names: Names) -> str:
    """The topic on the broker: intake and matcher name it without prefix, the sink with it."""
    return names(names.bare(letter.topic))


def is_published(letter: DeadLetterRow, names: Names) -> bool:
    """Whether others publish records of its topic; what intake, matcher and sink tell each other is internal."""
    return kind_of(names.bare(letter.topic)) in _RECORDS


def read_mended(file: Path, letter: DeadLetterRow, settings: Settings, names: Names) -> Mended:
    """A mended record from a file: one JSON object, in the JSON form of its schema.

    Raises:
        UsageFailure: The file holds no JSON object, or the dead letter is of a topic that nobody mends by hand.
        NotReplayable: The record would be refused again; names field and rule.
    """
    topic = names.bare(letter.topic)
    record_name(letter, topic)
    return mended_of(_json(file), letter, topic, settings, str(file))


def record_name(letter: DeadLetterRow, topic: str) -> str:
    """The schema of a dead letter's record; UsageFailure where nobody mends such a record by hand.

    Args:
        letter: The dead letter.
        topic: Its topic without a prefix.
    """
    name = _RECORDS.get(kind_of(topic))
    if name is None:
        raise UsageFailure(
            f"dead letter {letter.dead_letter_id}: records of {topic} are internal; replay it as it is"
        )
    return name


def mended_of(value: Any, letter: DeadLetterRow, topic: str, settings: Settings, place: str) -> Mended:
    """A mended record from its JSON form; NotReplayable, with `place`, where it would be refused again."""
    name = record_name(letter, topic)
    try:
        record = codec(name).from_json(value)
        _check(topic, value, record, settings)
    except DoesNotFit as finding:
        raise NotReplayable(f"{place}: {finding.field or 'record'}: {finding.rule}") from None
    return Mended(_key(name, record), codec(name).encode(record))


def _check(topic: str, value: Any, record: Any, settings: Settings) -> None:
    if kind_of(topic) == TASK_UPDATES:
        try:
            check_update(record)
        except UpdateRefused as refused:
            raise DoesNotFit(refused.field or "", refused.rule) from None
        return
    policies = environment.policies(settings.policy_dir, for_every_code=True)
    found = findings_in({"topic": topic, "value": value}, policies)
    if found is not None:
        raise DoesNotFit(found.refusal.field or "", found.refusal.rule)


def _key(name: str, record: Any) -> bytes:
    if name == "EarlySignal":
        return f"{record.partner.partner_id}/{record.signal_id}".encode()
    if name == "TrajectoryEvent":
        return trajectory_key(record.municipality, record.trajectory_id)
    update_of: str = record.task_id
    return update_of.encode()


def _json(file: Path) -> Any:
    try:
        # A decimal stays exact on its way through JSON.
        value = json.loads(file.read_text("utf-8"), parse_float=Decimal)
    except OSError as error:
        raise UsageFailure(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError):
        # The parser's own text would repeat what stands in the file.
        raise UsageFailure(f"{file}: is not JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise UsageFailure(f"{file}: is not one JSON object, the value of the record")
    return value
