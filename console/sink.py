"""`sink`: decisions, trajectories and dead letters into PostgreSQL, tasks and notices out."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from signaalwissel.console import environment, erasure_ledger, key_service, runtime
from signaalwissel.console.failures import CommandFailure, Exit, ServiceAway
from signaalwissel.console.health import FIRST_SINK, Watched, watched
from signaalwissel.console.kafka_login import check_login
from signaalwissel.console.metrics_process import KeyMetrics
from signaalwissel.console.metrics_sink import DatabaseMetrics, SinkMetrics
from signaalwissel.console.processes import end_with_parent
from signaalwissel.console.registry_ids import adopt
from signaalwissel.console.settings import Settings
from signaalwissel.console.tracing import traced
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.security.vault_keys import VaultKeys
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.gauges import DatabaseLook
from signaalwissel.sinks.process import run_sink
from signaalwissel.sinks.retention_round import Tools
from signaalwissel.sinks.settings import ServiceAway as SinkServiceAway
from signaalwissel.sinks.settings import SinkError, SinkSettings
from signaalwissel.sinks.standing import SinkStanding
from signaalwissel.streams.collector import settle

_STATEMENT_S = 60.0
"""How long one look for the metrics may take in the database."""


def sink(
    instance: Annotated[int, typer.Option(help="Which of several sink processes this is, from 0.")] = 0,
    instances: Annotated[int, typer.Option(help="How many there are.")] = 1,
    *,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Go on where records were deleted before they were read.")
    ] = False,
    lifeline: Annotated[bool, typer.Option("--lifeline", hidden=True)] = False,
) -> None:
    """Run the sink until SIGTERM: decisions into PostgreSQL, tasks out on `tasks`.

    Example: SIGNAALWISSEL_DATABASE_URL=postgresql+psycopg://app@db/app signaalwissel sink
    """
    settings = environment.settings(accept_loss=accept_loss)
    if lifeline:
        end_with_parent()
    runtime.log_to("sink")
    try:
        check_login(settings)
        adopt(settings)
        keys = key_service.answering(settings)
        chosen = runtime.sink_settings(settings, instance, instances)
        # Before any input is read: a database from before an erasure must not come back to life.
        erasure_ledger.forget_again(settings, chosen, keys)
        settle()
        status = _run(settings, chosen, keys)
    except (SinkServiceAway, KeyUnavailable) as error:
        raise ServiceAway(str(error)) from error
    except SinkError as error:
        # A login that was taken away while it ran shows only as a broker that does not answer.
        check_login(settings)
        raise SinkFailure(str(error)) from error
    raise typer.Exit(status)


def _run(settings: Settings, chosen: SinkSettings, keys: LocalKeys | VaultKeys) -> int:
    standing, policies = SinkStanding(), runtime.policies(settings)
    with (
        traced(settings, "sink", None) as tracer,
        _database_metrics(settings, chosen, policies) as database,
    ):
        metrics = (SinkMetrics(standing.counts), database, KeyMetrics("sink", keys))
        with watched(settings, Watched("sink", FIRST_SINK + chosen.instance, standing.standing, metrics)):
            day_keys = keys if runtime.retention_runs(settings) else None
            tools = Tools(day_keys, standing=standing, tracer=tracer)
            return run_sink(chosen, policies, runtime.SinkSeal(keys), tools=tools)


@contextmanager
def _database_metrics(
    settings: Settings, chosen: SinkSettings, policies: Policies
) -> Iterator[DatabaseMetrics]:
    """Looks at the database for the length of the block, where anybody could read what is found."""
    engine = open_engine(chosen.database_url, name="signaalwissel-metrics", statement_s=_STATEMENT_S)
    # What is generated to try things out is old: all of it outlived its period.
    metrics = DatabaseMetrics(DatabaseLook(engine, None if settings.every_municipality else policies))
    if settings.health_port is not None:
        metrics.start()
    try:
        yield metrics
    finally:
        metrics.stop()


class SinkFailure(CommandFailure):
    """The sink cannot go on; the text says what to do."""

    exit_code = Exit.FINDINGS
