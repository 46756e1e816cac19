"""Settings of one engine app.

Flows in: values that the product's settings were made from. Flows out: one frozen object that every part of
the engine reads; nothing reads the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """How one app runs; units are the last part of each name.

    Attributes:
        app_id: consumer group, prefix of transactional ids and of changelog topics. Never rename it: fencing
            and the tables hang on it.
        bootstrap: `host:port`, several separated by commas.
        connection: further aiokafka connection options (`security_protocol`, `ssl_context`, `sasl_mechanism`,
            `sasl_plain_username`, `sasl_plain_password`), handed to every client.
        input_settings: what the broker must have set for input topics, by topic and key; a worker that finds
            something else does not start.
        state_dir: folder for tables on disk, this worker's alone; None keeps them in memory.
        accept_loss: go on at the log's beginning where a committed offset lies outside the log, and with what a
            changelog holds where it lost something, instead of ending with OffsetLostError or ChangelogLostError.
            The first assignment with partitions is the last that accepts.
        commit_interval_s: least time between the beginnings of two commits; readers of committed records wait
            at most that long, and for the commit.
        transaction_timeout_s: after this the broker aborts a transaction, that of a worker that died too; at least
            twice the commit interval, or it aborts what the worker was about to commit.
        broker_timeout_s: how long a silent broker is waited for before the process ends.
        session_timeout_s: after this the group gives a dead worker's partitions to others.
        heartbeat_s: pause between heartbeats to the group.
        rebalance_timeout_s: how long the group waits for workers to hand over their partitions.
        max_poll_interval_s: without reading for so long (recovery counts too) a worker leaves the group.
        max_poll_records: most records in one chunk.
        fetch_partition_bytes: most bytes per partition in one fetch.
        fetch_bytes: most bytes in one fetch.
        batch_bytes: size of the batches that are sent; must stay under the topics' max.message.bytes.
        sweep_interval_s: pause between two sweeps of the same partition.
        stop_timeout_s: how long an orderly stop may take.
    """

    app_id: str
    bootstrap: str
    connection: Mapping[str, Any] = field(default_factory=dict)
    input_settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    state_dir: Path | None = None
    accept_loss: bool = False
    commit_interval_s: float = 0.1
    transaction_timeout_s: float = 10.0
    broker_timeout_s: float = 60.0
    session_timeout_s: float = 10.0
    heartbeat_s: float = 3.0
    rebalance_timeout_s: float = 30.0
    max_poll_interval_s: float = 300.0
    max_poll_records: int = 4000
    fetch_partition_bytes: int = 4 << 20
    fetch_bytes: int = 16 << 20
    batch_bytes: int = 512 << 10
    sweep_interval_s: float = 300.0
    stop_timeout_s: float = 20.0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work together.

        Raises:
            ValueError: the broker would abort transactions before they are due.
        """
        if self.transaction_timeout_s < 2 * self.commit_interval_s:
            raise ValueError(
                f"commits every {self.commit_interval_s:g} s need transactions that may last twice as long, and "
                f"theirs end after {self.transaction_timeout_s:g} s"
            )
