"""Settings and errors of the sink.

Flows in: values that the product's settings were made from. Flows out: one frozen object; nothing here reads the
environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from signaalwissel.sinks.feedback_settings import FeedbackSettings
from signaalwissel.sinks.open_klant_settings import OpenKlantSettings
from signaalwissel.sinks.processing_log_settings import ProcessingLogSettings

DECISIONS = "decisions"
TRAJECTORY_STATES = "trajectory-states"
TASK_UPDATES = "task-updates"
DEAD_LETTERS = "dead-letters"
TASKS = "tasks"
NOTICES = "notices"
RESIDENT_EVENTS = "resident-events"
INTAKE_COMMANDS = "intake-commands"

# The order in which the records of one batch are handled: who runs a trajectory before what opens its tasks, tasks
# before the updates about them.
INPUT_TOPICS = (TRAJECTORY_STATES, DECISIONS, TASK_UPDATES, DEAD_LETTERS)
"""What the sink reads, without prefix."""


class SinkError(Exception):
    """The sink ends: the text says what happened, where, and what to do. Nothing was stored by halves."""


class ServiceAway(SinkError):
    """Kafka or PostgreSQL does not answer; worth another try until the settings' patience is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSettings:
    """How one sink process runs; units are the last part of each name.

    Attributes:
        bootstrap: Kafka, `host:port`, several separated by commas.
        database_url: PostgreSQL 14 or newer, as SQLAlchemy or libpq writes it.
        topic_prefix: Put before every topic's name.
        kafka_connection: Further kafka-python connection options (`security_protocol`, `sasl_mechanism`, ...).
        instance: Which of several sink processes this is, from 0.
        instances: How many there are: this one owns the partitions whose number modulo `instances` is `instance`.
        batch_records: Most records in one database transaction.
        linger_s: How long a batch is gathered after its first record.
        retry_s: How long Kafka or PostgreSQL may be away before the process ends.
        lease_s: A sink whose session is silent for so long (stopped, swapped out) loses its partitions.
        accept_loss: Go on at the log's beginning where records were deleted before they were read.
        ce_source: CloudEvents source of what the sink publishes.
        clock: Whether deadlines run, by the database's time. Without it tasks and notices come from records alone, as
            in a replay of old ones.
        clock_batch: Most tasks and trajectories that the clock handles in one database transaction.
        retention_batch: Most trajectories, or other rows, that retention destroys in one database transaction.
        open_klant: How tasks are handed over to Open Klant; None: they are not.
        processing_log: Where the processing log goes; None: it stays in the database.
        feedback: How partners are told by channels of their own; None: they are not.
        departed: The municipalities that left for good, keys and all: codes.
    """

    bootstrap: str
    database_url: str
    topic_prefix: str = ""
    kafka_connection: Mapping[str, Any] = field(default_factory=dict)
    instance: int = 0
    instances: int = 1
    batch_records: int = 5000
    linger_s: float = 0.1
    retry_s: float = 60.0
    lease_s: float = 60.0
    accept_loss: bool = False
    ce_source: str = "urn:nld:signaalwissel"
    clock: bool = True
    clock_batch: int = 500
    retention_batch: int = 500
    open_klant: OpenKlantSettings | None = None
    processing_log: ProcessingLogSettings | None = None
    feedback: FeedbackSettings | None = None
    departed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not 0 <= self.instance < self.instances:
            raise SinkError(
                f"instance = {self.instance} must lie between 0 and {self.instances - 1} (instances = {self.instances})"
            )

    def topic(self, name: str) -> str:
        """The full name of a topic."""
        return f"{self.topic_prefix}{name}"

    def owns(self, partition: int) -> bool:
        """Whether this process reads the partitions with this number."""
        return partition % self.instances == self.instance
