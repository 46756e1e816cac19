"""What a step of intake or matcher asks to be published: topic, key, value and its CloudEvents identity.

The stream layer adds the topic prefix and writes the headers; `simulate` decodes the same bytes and prints them.
"""

SIGNALS = "signals"
TRAJECTORIES = "trajectories"
TASK_UPDATES = "task-updates"
RESIDENT_EVENTS = "resident-events"
INTAKE_COMMANDS = "intake-commands"
TRAJECTORY_STATES = "trajectory-states"
COUNSELLOR_FOLLOWUP = "counsellor-followup"
REGULAR_FLOW = "regular-flow"
COUNSELLOR_CORRECTIONS = "counsellor-corrections"
REGULAR_CORRECTIONS = "regular-corrections"
DECISIONS = "decisions"
DEAD_LETTERS = "dead-letters"
TASKS = "tasks"
NOTICES = "notices"
FEEDBACK = "feedback"
"""Of a publisher: there is no topic of this name without one."""
IMPORT_LEDGER = "import-ledger"
IMPORT_STATES = "import-states"


class Emission:
    """A record to publish.

    Attributes:
        topic: Name without prefix.
        key: Kafka key; the partition follows from it.
        value: The record in wire format.
        event_type: CloudEvents type on public topics, None on internal ones.
        event_id: CloudEvents id: derived, the same on every replay.
        headers: Further headers: of a dead letter, what is wrong and where.
    """

    __slots__ = ("event_id", "event_type", "headers", "key", "topic", "value")

    def __init__(
        self,
        topic: str,
        key: bytes,
        value: bytes,
        event_type: str | None = None,
        event_id: str = "",
        headers: tuple[tuple[str, bytes], ...] = (),
    ) -> None:
        self.topic = topic
        self.key = key
        self.value = value
        self.event_type = event_type
        self.event_id = event_id
        self.headers = headers
