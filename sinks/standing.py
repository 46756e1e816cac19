"""How a sink stands, for a health check that asks from another thread.

Flows in: what the sink's own thread notes in its rounds. Flows out: a `Standing`.
"""

from signaalwissel.processors.progress import Standing
from signaalwissel.sinks.counts import SinkCounts


class SinkStanding:
    """Written by the sink's thread, read by any other.

    Attributes:
        counts: What it has done.
    """

    def __init__(self) -> None:
        self.counts = SinkCounts()
        self._moved = 0
        self._behind = 0
        self._reads = False
        self._held = False

    def begins(self) -> None:
        """Its partitions are the sink's own, and it reads them."""
        self._reads = True

    def session_ends(self) -> None:
        """It reads nothing at the moment: a service is away."""
        self._reads = False

    def held(self) -> None:
        """The processing log is too far behind: the sink takes in nothing, on purpose."""
        self._held = self.counts.held = True

    def round_ends(self, *, stored: bool, behind: int) -> None:
        """A round is over.

        Args:
            stored: Whether records were stored.
            behind: Offsets still to be read, as of the last look.
        """
        self._held = self.counts.held = False
        self._behind = behind
        if stored or not behind:
            self._moved += 1

    def standing(self) -> Standing:
        """What a look finds; a round without end is found because nothing moves."""
        unready = []
        if not self._reads:
            unready.append(
                "the sink reads nothing yet: it waits for Kafka, PostgreSQL or another sink to end"
            )
        if self._held:
            unready.append("the processing log is too far behind: the sink takes in nothing more")
        due = f"a round of the sink is under way, {self._behind} offsets behind"
        return Standing(None if self._held else due, self._moved, tuple(unready))
