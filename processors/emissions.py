"""What a step of intake or matcher asks to be published: topic, key, value and its CloudEvents identity.

The stream layer adds the topic prefix and writes the headers; `simulate` decodes the same bytes and prints them.
"""

from typing import Final

SIGNALS: Final = "signals"
TRAJECTORIES: Final = "trajectories"
TASK_UPDATES: Final = "task-updates"
RESIDENT_EVENTS: Final = "resident-events"
INTAKE_COMMANDS: Final = "intake-commands"
TRAJECTORY_STATES: Final = "trajectory-states"
COUNSELLOR_FOLLOWUP: Final = "counsellor-followup"
REGULAR_FLOW: Final = "regular-flow"
COUNSELLOR_CORRECTIONS: Final = "counsellor-corrections"
REGULAR_CORRECTIONS: Final = "regular-corrections"
DECISIONS: Final = "decisions"
DEAD_LETTERS: Final = "dead-letters"
TASKS: Final = "tasks"
NOTICES: Final = "notices"
FEEDBACK: Final = "feedback"
"""Of a publisher: there is no topic of this name without one."""
IMPORT_LEDGER: Final = "import-ledger"
IMPORT_STATES: Final = "import-states"


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
