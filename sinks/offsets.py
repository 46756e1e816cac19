"""Where the sink is in each topic partition: in the database, in the transaction that stores the rows (design 9).

Flows in: what a batch has read. Flows out: offsets moved on by compare-and-set, or the news that another sink did.
"""

import hashlib
from collections.abc import Iterable, Mapping

from signaalwissel.sinks.records import Place, Progress
from signaalwissel.sinks.settings import SinkError
from signaalwissel.sinks.tables import consumed_offsets
from sqlalchemy import BigInteger, Connection, Integer, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, insert

_ADVANCE = text(
    """
    UPDATE consumed_offsets AS mine
    SET next_offset = batch.next_offset, updated_at = now()
    FROM unnest(:topics, :partitions, :firsts, :nexts) AS batch (topic, partition, first, next_offset)
    WHERE mine.topic = batch.topic AND mine.partition = batch.partition AND mine.next_offset = batch.first
    """
).bindparams(
    bindparam("topics", type_=ARRAY(Text)),
    bindparam("partitions", type_=ARRAY(Integer)),
    bindparam("firsts", type_=ARRAY(BigInteger)),
    bindparam("nexts", type_=ARRAY(BigInteger)),
)
_LOCK = text("SELECT pg_try_advisory_lock(:topic, :partition)")
_HOLDER = text(
    """
    SELECT locks.pid, coalesce(host(sessions.client_addr), 'local')
    FROM pg_locks AS locks JOIN pg_stat_activity AS sessions USING (pid)
    WHERE locks.locktype = 'advisory' AND locks.granted AND locks.objsubid = 2
      AND locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND locks.classid = :topic ::bigint::oid AND locks.objid = :partition
    """
)


class PlaceTaken(SinkError):
    """Another sink owns a partition."""


class Zombie(SinkError):
    """The offsets are not where this sink left them: another sink goes on with its work."""


def own(connection: Connection, place: Place) -> None:
    """Own a partition for as long as the connection lives.

    Raises:
        PlaceTaken: Another session owns it.
    """
    keys = {"topic": _lock_key(place.topic), "partition": place.partition}
    if connection.execute(_LOCK, keys).scalar_one():
        return
    holder = connection.execute(
        _HOLDER, {"topic": keys["topic"] & 0xFFFFFFFF, "partition": place.partition}
    ).first()
    whose = f" (PostgreSQL session {holder[0]} from {holder[1]})" if holder else ""
    raise PlaceTaken(
        f"{place}: another sink reads this partition{whose}. Stop it, or give each sink its own share of the "
        "partitions with instance and instances."
    )


def stored(connection: Connection, places: Iterable[Place]) -> dict[Place, int]:
    """The next offset of each partition that was read before."""
    wanted = set(places)
    rows = connection.execute(
        consumed_offsets.select().where(consumed_offsets.c.topic.in_({place.topic for place in wanted}))
    )
    found = {Place(row.topic, row.partition): row.next_offset for row in rows}
    return {place: offset for place, offset in found.items() if place in wanted}


def begin(connection: Connection, beginnings: Mapping[Place, int]) -> None:
    """Write where reading starts, in partitions that were never read or whose loss was accepted."""
    if not beginnings:
        return
    values = [
        {"topic": place.topic, "partition": place.partition, "next_offset": offset}
        for place, offset in beginnings.items()
    ]
    statement = insert(consumed_offsets)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["topic", "partition"], set_={"next_offset": statement.excluded.next_offset}
        ),
        values,
    )


def advance(connection: Connection, progress: Mapping[Place, Progress]) -> None:
    """Move the offsets on, in the caller's transaction.

    Raises:
        Zombie: One of them is not where the batch began; the caller must roll back and end.
    """
    moved = connection.execute(
        _ADVANCE,
        {
            "topics": [place.topic for place in progress],
            "partitions": [place.partition for place in progress],
            "firsts": [step.first for step in progress.values()],
            "nexts": [step.next_offset for step in progress.values()],
        },
    )
    if moved.rowcount != len(progress):
        raise Zombie(
            f"{len(progress) - moved.rowcount} of {len(progress)} partitions are not at the offset where this sink "
            "left them: another sink has gone on with its work. Nothing of this batch was stored; make sure that "
            "only one sink runs for each partition, then start this one again if it should be that one."
        )


def _lock_key(topic: str) -> int:
    # Signed 32 bits, as the two-key form of advisory locks takes them.
    return int.from_bytes(hashlib.blake2b(topic.encode(), digest_size=4).digest(), "big", signed=True)
