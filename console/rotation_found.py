"""What is found of a rotation: in the key provider, and in what intake and matcher committed (ADR 8).

Flows in: the changelogs of their tables of rotations, and of the matcher's recent signals. Flows out: the state of a
rotation, and how many signals may still be corrected under the secret that goes.
"""

from datetime import date, timedelta
from typing import NamedTuple

from kafka import KafkaConsumer, TopicPartition
from signaalwissel.console import runtime
from signaalwissel.console.changelogs import partitions_of, read_through
from signaalwissel.console.connections import BOUND_MS
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.lag import committed_offsets
from signaalwissel.console.settings import Settings
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.emissions import INTAKE_COMMANDS, RESIDENT_EVENTS
from signaalwissel.processors.pseudonyms import secret_version
from signaalwissel.processors.rotation import read_rotation
from signaalwissel.processors.rotation_plan import (
    Partitions,
    RotationFault,
    RotationState,
    check_secrets,
)
from signaalwissel.schemas.keyed_signal_codec import read_keyed_signal
from signaalwissel.schemas.recent_signal_codec import read_recent_signal
from signaalwissel.schemas.rotation import MatchRotation
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.security.vault_keys import VaultKeys
from signaalwissel.streams.topics import (
    INTAKE_ROTATIONS,
    MATCHER_RECENTS,
    MATCHER_ROTATIONS,
    Names,
    changelog_topic,
)


class Correctable(NamedTuple):
    """Signals under the secret that goes which may still be corrected.

    Attributes:
        signals: How many.
        until: The last day of the last of them, by today's policy; it moves on when one is corrected.
    """

    signals: int
    until: date | None


class RotationLook:
    """Looks at the rotation of a municipality.

    Args:
        settings: Of this installation.
        consumer: Reads committed records.
        keys: The key provider.
        municipality: Four digits.
    """

    def __init__(
        self, settings: Settings, consumer: KafkaConsumer, keys: LocalKeys | VaultKeys, municipality: str
    ) -> None:
        self._settings = settings
        self._consumer = consumer
        self._keys = keys
        self._municipality = municipality
        self._names = runtime.names(settings)

    def state(self) -> RotationState:
        """What is found now.

        Raises:
            UsageFailure: The secrets are not as a rotation leaves them, or a topic is not there.
            ServiceAway: Kafka does not answer.
            KeyUnavailable: The key service does not answer.
        """
        alive = self._keys.match_versions(self._municipality)
        try:
            check_secrets(self._municipality, alive)
        except RotationFault as fault:
            raise UsageFailure(str(fault)) from fault
        names = self._names
        return RotationState(
            self._municipality,
            alive,
            self._remembered(names(INTAKE_COMMANDS), changelog_topic(names.intake_app, INTAKE_ROTATIONS)),
            self._remembered(names(RESIDENT_EVENTS), changelog_topic(names.matcher_app, MATCHER_ROTATIONS)),
        )

    def matcher_to_read(self, ends: dict[TopicPartition, int]) -> int:
        """How many partitions of the matcher's input it has not read and committed up to these ends."""
        group = self._names.matcher_app
        committed = committed_offsets(self._settings, [group])[group]
        return sum(committed.get(partition, 0) < end for partition, end in ends.items())

    def ends(self) -> dict[TopicPartition, int]:
        """Where the matcher's input ends now."""
        topic = self._names(RESIDENT_EVENTS)
        partitions = [TopicPartition(topic, number) for number in partitions_of(self._consumer, topic)]
        found: dict[TopicPartition, int] = self._consumer.end_offsets(partitions, timeout_ms=BOUND_MS)
        return found

    def correctable(self, old: int) -> Correctable:
        """Signals that lie under a version of the secret, or an earlier one, and may still be corrected."""
        policies = runtime.policies(self._settings)
        policy = policies.get(self._municipality) or policies.default
        last: dict[bytes, date] = {}
        for record in read_through(self._consumer, recents_changelog(self._names)):
            day = None if record.value is None else self._last_written(record.value, old)
            if day is None:
                last.pop(record.key, None)
            else:
                last[record.key] = day
        period = timedelta(days=policy.corrections.period_days)
        return Correctable(len(last), max(last.values()) + period if last else None)

    def _last_written(self, value: bytes, old: int) -> date | None:
        recent = read_recent_signal(value)
        if secret_version(recent.match_key) > old:
            return None
        signal = read_keyed_signal(recent.signal)
        if signal.municipality != self._municipality:
            return None
        return max(signal.last_day, amsterdam_day(recent.written_at))

    def _remembered(self, topic: str, changelog: str) -> Partitions:
        found: dict[int, MatchRotation | None] = dict.fromkeys(partitions_of(self._consumer, topic))
        for record in read_through(self._consumer, changelog):
            if record.key == self._municipality.encode():
                found[record.partition] = None if record.value is None else read_rotation(record.value)
        return found


def recents_changelog(names: Names) -> str:
    """Where the matcher's recent signals lie."""
    return changelog_topic(names.matcher_app, MATCHER_RECENTS)
