"""What a sink has done since it started, for a metrics page that asks from another thread.

Flows in: batches once they are committed. Flows out: plain numbers; nothing is decided by them, and none of them names
a resident, a signal or a trajectory.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from signaalwissel.processors.distribution import RECORDS, SECONDS, Distribution
from signaalwissel.processors.rejection import RejectionCode
from signaalwissel.schemas.internal import DeadLetter
from signaalwissel.schemas.routing import Decision
from signaalwissel.sinks.records import Batch, Place

OTHER = "OTHER"
"""What no stage of ours names: whoever may write a dead letter could write anything."""
NOTHING = "NONE"
STAGES = ("intake", "matcher", "sink", OTHER)
CODES = (*map(str, RejectionCode), OTHER)


class Stored(NamedTuple):
    """What was new in a batch: decisions, and dead letters."""

    decisions: Sequence[Decision] = ()
    dead_letters: Sequence[DeadLetter] = ()


@dataclass(slots=True)
class SinkCounts:
    """Written by the sink's thread, read by any other.

    Attributes:
        read: Records of stored batches.
        transactions: Batches stored.
        decisions: First decisions of a signal, by route and true reason.
        corrections: Later revisions, by action and cause.
        dead_letters: By the stage that refused and the code.
        batch_records: How many records batches had.
        storing_s: How long a batch took in the database.
        lag: Per partition, offsets behind the end that Kafka told last.
        held: Whether the processing log keeps it from taking in more.
        last_commit_monotonic: `time.monotonic()` of the last batch, None before the first.
    """

    read: int = 0
    transactions: int = 0
    decisions: Counter[tuple[str, str]] = field(default_factory=Counter)
    corrections: Counter[tuple[str, str]] = field(default_factory=Counter)
    dead_letters: Counter[tuple[str, str]] = field(default_factory=Counter)
    batch_records: Distribution = field(default_factory=lambda: Distribution(RECORDS))
    storing_s: Distribution = field(default_factory=lambda: Distribution(SECONDS))
    lag: Mapping[Place, int] = field(default_factory=dict)
    held: bool = False
    last_commit_monotonic: float | None = None

    def stored(self, batch: Batch, new: Stored, began_s: float) -> None:
        """A batch is committed; `began_s` by `time.monotonic()`."""
        ended_s = time.monotonic()
        self.read += batch.records
        self.transactions += 1
        self.batch_records.note(batch.records)
        self.storing_s.note(ended_s - began_s)
        self.last_commit_monotonic = ended_s
        self.decisions.update((d.route.value, d.reason.value) for d in new.decisions if not d.revision)
        self.corrections.update(_correction(d) for d in new.decisions if d.revision)
        self.dead_letters.update(map(_refusal, new.dead_letters))


def _correction(decision: Decision) -> tuple[str, str]:
    action, cause = decision.action, decision.cause
    return NOTHING if action is None else action.value, NOTHING if cause is None else cause.value


def _refusal(letter: DeadLetter) -> tuple[str, str]:
    return letter.stage if letter.stage in STAGES else OTHER, letter.code if letter.code in CODES else OTHER
