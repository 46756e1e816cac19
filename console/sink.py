"""`sink`: decisions, trajectories and dead letters into PostgreSQL, tasks and notices out."""

from typing import Annotated

import typer
from signaalwissel.console import environment, erasure_ledger, key_service, runtime
from signaalwissel.console.failures import CommandFailure, Exit, ServiceAway
from signaalwissel.console.health import FIRST_SINK, Watched, watched
from signaalwissel.console.kafka_login import check_login
from signaalwissel.console.processes import end_with_parent
from signaalwissel.console.registry_ids import adopt
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.sinks.collector import spare_batches
from signaalwissel.sinks.process import run_sink
from signaalwissel.sinks.retention_round import Tools
from signaalwissel.sinks.settings import ServiceAway as SinkServiceAway
from signaalwissel.sinks.settings import SinkError
from signaalwissel.sinks.standing import SinkStanding


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
    standing = SinkStanding()
    try:
        check_login(settings)
        adopt(settings)
        keys = key_service.answering(settings)
        chosen = runtime.sink_settings(settings, instance, instances)
        # Before anything is read: a database from before an erasure must not come back to life.
        erasure_ledger.forget_again(settings, chosen, keys)
        spare_batches()
        with watched(settings, Watched("sink", FIRST_SINK + instance, standing.standing)):
            status = run_sink(
                chosen,
                runtime.policies(settings),
                runtime.SinkSeal(keys),
                tools=Tools(keys if runtime.retention_runs(settings) else None, standing=standing),
            )
    except (SinkServiceAway, KeyUnavailable) as error:
        raise ServiceAway(str(error)) from error
    except SinkError as error:
        # A login that was taken away while it ran shows only as a broker that does not answer.
        check_login(settings)
        raise SinkFailure(str(error)) from error
    raise typer.Exit(status)


class SinkFailure(CommandFailure):
    """The sink cannot go on; the text says what to do."""

    exit_code = Exit.FINDINGS
