"""Why a worker process ends: one class per cause, each text says where it happened and what to do.

Flows in: facts found by the engine. Flows out: exceptions that end the process with a non-zero status. Stock
Faust logs most of these and goes on (an exception in an agent even acknowledges the record); the engine never
does, because memory and log would part ways.
"""

from __future__ import annotations

from pathlib import Path

from signaalwissel.streams.positions import Log, Position


class EngineError(Exception):
    """The worker cannot go on; nothing was acknowledged beyond its last commit."""


class LayoutError(EngineError):
    """The topics are not as the app needs them: missing, or with unequal partition counts."""


class UnknownTopicError(EngineError):
    """A handler sent to a topic that does not exist."""


class OffsetLostError(EngineError):
    """A committed offset points outside the log: records were deleted before they were read."""

    def __init__(self, place: str, committed: int, beginning: int, end: int) -> None:
        super().__init__(
            f"{place}: the next record to read is offset {committed}, but the log now holds {beginning} up to "
            f"{end}. Records were deleted before this app had read them (retention too short, or the topic was "
            "made anew). Find out what is missing; then start once with accept_loss "
            f"(signaalwissel worker --accept-loss) to go on at offset {beginning}."
        )
        self.place = place
        self.committed = committed
        self.beginning = beginning
        self.end = end


class ChangelogLostError(EngineError):
    """A table's changelog does not hold any more what it held when this app last committed."""

    def __init__(self, place: str, known: Position, found: Log) -> None:
        if not known.origin.same_topic(found.origin):
            what = f"it is another topic of the same name, and goes up to offset {found.end}"
        else:
            what = f"it holds {found.origin.beginning} up to {found.end}"
        super().__init__(
            f"{place}: at the last commit this changelog held offsets {known.origin.beginning} up to "
            f"{known.next_offset}, but now {what}. The table that is kept in it is lost, whole or in part: it was "
            "deleted, emptied or made anew, or its broker lost it. Nothing was read: a worker that went on would take "
            "residents who have a trajectory for unknown. Bring the topic back where you can (a replica, a backup of the "
            "brokers); then start again. Where you cannot, docs/runbooks.md (A changelog is lost) says for each table what "
            "to do, and signaalwissel worker --accept-loss goes on once with what the topic holds now."
        )
        self.place = place
        self.known = known
        self.found = found


class ChangelogHeldBackError(EngineError):
    """A table's changelog has all its records, but a transaction that does not end keeps them from being read."""

    def __init__(self, topic: str, partition: int, known_end: int, stable_end: int) -> None:
        super().__init__(
            f"{topic}[{partition}]: at the last commit this changelog went up to offset {known_end}. It is written so far, "
            f"but a transaction holds the changelog back: what begins at offset {stable_end} never ended. Nothing was "
            "read, and nothing is lost: --accept-loss does not help. kafka-transactions.sh find-hanging shows the "
            f"transaction, kafka-transactions.sh abort --topic {topic} --partition {partition} --start-offset "
            f"{stable_end} ends it; then start the worker again."
        )


class CorruptLogError(EngineError):
    """A batch of records cannot be read as Kafka's format: a fault of disk, memory or network, or of the broker."""

    def __init__(self, place: str, offset: int, cause: BaseException) -> None:
        super().__init__(
            f"{place}: the records from offset {offset} on cannot be read: {cause}. Nothing of them was handled or "
            "skipped. Start the worker again: what the network broke is fetched anew. If it stays so, the broker's "
            "disk is damaged (restore the partition from a replica), or the records are compressed in a way that "
            "this installation cannot read (`signaalwissel topics apply` makes the broker store them uncompressed)."
        )


class BrokerAwayError(EngineError):
    """The broker did not answer within the bound that the settings allow."""

    def __init__(self, doing: str, bound_s: float) -> None:
        super().__init__(
            f"the broker did not answer for {bound_s:g} s while {doing}. Nothing of it was acknowledged; "
            "start the worker again when the broker is back."
        )


class TransactionLostError(EngineError):
    """A transaction failed or was fenced off by another worker that now owns the partition."""

    def __init__(self, transactional_id: str, cause: BaseException) -> None:
        super().__init__(
            f"the transaction of {transactional_id} is lost ({type(cause).__name__}: {cause}). Its outputs were "
            "not committed; after a restart the records are read again."
        )


class CancelledByNobody(EngineError):
    """What a task waited for was cancelled, and nobody had asked for it."""

    def __init__(self, doing: str) -> None:
        super().__init__(
            f"a client of the broker gave up by itself while {doing}: its connection was lost at a bad moment. "
            "Nothing was acknowledged beyond the last commit; start the worker again. If this comes back while "
            "the broker is well, report it."
        )


class BrokenOrderError(EngineError):
    """A chunk does not begin where the previous one ended: a defect of the engine itself."""


class StateStoreFailed(EngineError):
    """A table on disk cannot be opened, written or read through."""

    def __init__(self, folder: Path, cause: BaseException) -> None:
        super().__init__(
            f"{folder}: the table there cannot be opened, written or read through: {cause}. Nothing is lost: what it holds "
            "lies in its changelog too, and a commit that it missed is read again. Give the disk room, or mend it, and start the "
            "worker again. If it stays so, delete this folder: the next start reads the table anew."
        )


class StateFolderTaken(EngineError):
    """The folder of a table on disk is another worker's."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder}: another worker has it open; give each worker a folder of its own (SIGNAALWISSEL_STATE_DIR)"
        )
