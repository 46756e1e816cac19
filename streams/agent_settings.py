"""What intake and matcher are made from; apart from the apps, because it is needed where nothing of the engine runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from signaalwissel.processors.policy import Policies
from signaalwissel.processors.publishers import Publishers
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.processors.traces import Tracer
from signaalwissel.streams.settings import EngineSettings
from signaalwissel.streams.topics import Names, settings_of_inputs

_SWEEP_INTERVAL_S = 10.0
"""A slice of each table every ten seconds: a table of 100,000 entries is gone round in about half an hour."""


@dataclass(frozen=True, kw_only=True)
class AgentSettings:
    """What both apps need.

    Attributes:
        names: Topic and app names.
        bootstrap: Kafka's `host:port`.
        connection: Further aiokafka connection options.
        event_source: CloudEvents source.
        commit_interval_s: Least time between the beginnings of two commits.
        broker_timeout_s: How long a silent broker is waited for.
        cold_start_timeout_s: How long intake holds signals at most while it reads trajectories.
        state_dir: Folder for tables on disk, this worker's alone; None keeps them in memory.
        accept_loss: Go on at the log's beginning where records were deleted before they were read.
        tracer: Records the steps of sampled traces; None where nobody does.
    """

    names: Names
    bootstrap: str
    connection: Mapping[str, Any] = field(default_factory=dict)
    event_source: str = "urn:nld:signaalwissel"
    commit_interval_s: float = 0.1
    broker_timeout_s: float = 60.0
    cold_start_timeout_s: float = 300.0
    state_dir: Path | None = None
    accept_loss: bool = False
    tracer: Tracer | None = None

    def engine(self, app_id: str, inputs: Sequence[str]) -> EngineSettings:
        """The engine's settings of one app that reads these topics."""
        return EngineSettings(
            app_id=app_id,
            bootstrap=self.bootstrap,
            connection=self.connection,
            input_settings=settings_of_inputs(self.names, inputs),
            state_dir=self.state_dir,
            accept_loss=self.accept_loss,
            commit_interval_s=self.commit_interval_s,
            broker_timeout_s=self.broker_timeout_s,
            sweep_interval_s=_SWEEP_INTERVAL_S,
        )


@dataclass(frozen=True)
class Rules:
    """What both apps decide by."""

    policies: Policies
    publishers: Publishers
    keys: KeyProvider
    nonce: Callable[[], bytes]
