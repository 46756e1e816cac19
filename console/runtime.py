"""What running processes are made from: settings of streams and sink, rules, keys, Kafka connections."""

import logging
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog
from signaalwissel.console import environment, key_service, tracebacks
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.kafka_security import connection
from signaalwissel.console.settings import Settings
from signaalwissel.processors import retention
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.dead_letters import seal_original
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.sinks.feedback_settings import FeedbackSettings, FeedbackUnusable
from signaalwissel.sinks.open_klant_settings import OpenKlantSettings, OpenKlantUnusable, kinds_of
from signaalwissel.sinks.processing_log_settings import ProcessingLogSettings, ProcessingLogUnusable
from signaalwissel.sinks.refusals import Unsealed
from signaalwissel.sinks.settings import SinkSettings
from signaalwissel.streams.agent_settings import AgentSettings, Rules
from signaalwissel.streams.clock import now_ms
from signaalwissel.streams.topics import Names


def names(settings: Settings) -> Names:
    """Topic and app names."""
    return Names(settings.topic_prefix, environment.publishers(settings.publishers_file).topics())


def bootstrap(settings: Settings) -> str:
    """Kafka's address; UsageFailure where none is set."""
    if not settings.kafka_bootstrap:
        raise UsageFailure(
            "SIGNAALWISSEL_KAFKA_BOOTSTRAP is not set: give host:port, or run `signaalwissel up`"
        )
    return settings.kafka_bootstrap


def database_url(settings: Settings) -> str:
    """PostgreSQL's address; UsageFailure where none is set."""
    if settings.database_url is None:
        raise UsageFailure("SIGNAALWISSEL_DATABASE_URL is not set: give a URL, or run `signaalwissel up`")
    return settings.database_url.get_secret_value()


def policies(settings: Settings) -> Policies:
    """The policies of this installation."""
    return environment.policies(settings.policy_dir, for_every_code=settings.every_municipality)


def audit_kept_days(settings: Settings) -> int | None:
    """For how many days the policies have the audit trail kept; None where none are named, as whose it is nobody knows."""
    if settings.policy_dir is None:
        return None
    found = policies(settings)
    return retention.audit_kept_days([found.default, *(found[code] for code in found)])


def kafka_python_connection(settings: Settings) -> dict[str, Any]:
    """Connection options as kafka-python takes them; UsageFailure where settings of the login cannot be used."""
    return connection(settings)


def aiokafka_connection(settings: Settings) -> dict[str, Any]:
    """Connection options as aiokafka takes them; UsageFailure where settings of the login cannot be used."""
    return connection(settings)


def agent_settings(settings: Settings) -> AgentSettings:
    """What intake and matcher run with."""
    return AgentSettings(
        names=names(settings),
        bootstrap=bootstrap(settings),
        connection=aiokafka_connection(settings),
        event_source=settings.event_source,
        commit_interval_s=settings.commit_interval_ms / 1000,
        broker_timeout_s=settings.broker_timeout_s,
        cold_start_timeout_s=settings.cold_start_timeout_s,
        state_dir=_state_dir(settings),
        accept_loss=settings.accept_loss,
    )


def _state_dir(settings: Settings) -> Path | None:
    if settings.state_store == "memory":
        return None
    if settings.state_dir is None:
        raise UsageFailure(
            "SIGNAALWISSEL_STATE_STORE is rocksdb and SIGNAALWISSEL_STATE_DIR is not set: give a folder that this"
            " worker alone has"
        )
    return settings.state_dir


def sink_settings(settings: Settings, instance: int = 0, instances: int = 1) -> SinkSettings:
    """What a sink runs with."""
    return SinkSettings(
        bootstrap=bootstrap(settings),
        database_url=database_url(settings),
        topic_prefix=settings.topic_prefix,
        kafka_connection=kafka_python_connection(settings),
        instance=instance,
        instances=instances,
        retry_s=settings.broker_timeout_s,
        accept_loss=settings.accept_loss,
        ce_source=settings.event_source,
        clock=settings.clock == "database",
        open_klant=open_klant_settings(settings),
        processing_log=processing_log_settings(settings),
        feedback=feedback_settings(settings),
        departed=departed(settings),
    )


def departed(settings: Settings) -> frozenset[str]:
    """The municipalities that left for good; UsageFailure where one of them has a policy, as only who is here has one."""
    named = frozenset(code.strip() for code in (settings.departed or "").split(",") if code)
    known = policies(settings)
    if here := sorted(code for code in named if known.get(code) is not None):
        raise UsageFailure(
            f"SIGNAALWISSEL_DEPARTED names {', '.join(here)}, of which there is a policy: take the code out of the"
            " setting, or the policy away if the municipality left"
        )
    return named


def processing_log_settings(settings: Settings) -> ProcessingLogSettings | None:
    """The way to the processing log's collector, None where there is none; UsageFailure names what is wrong."""
    if settings.processing_log_url is None:
        return None
    token = settings.processing_log_token
    try:
        return ProcessingLogSettings(
            url=settings.processing_log_url,
            token=None if token is None else token.get_secret_value(),
            ca_file=settings.processing_log_ca_file,
            fail_open=settings.processing_log_fail == "open",
            timeout_s=settings.processing_log_timeout_s,
            buffer_s=settings.processing_log_buffer_s,
            buffer_lines=settings.processing_log_buffer_lines,
        )
    except ProcessingLogUnusable as error:
        raise UsageFailure(f"SIGNAALWISSEL_{error}") from error


def feedback_settings(settings: Settings) -> FeedbackSettings | None:
    """How partners are told, None where no policy names a channel; UsageFailure names what is missing."""
    known = policies(settings)
    # Each of them: a partner may have another channel in every municipality.
    channels = [
        told
        for policy in (known.default, *(known[code] for code in known))
        for told in policy.channels.partners.items()
    ]
    if not channels:
        return None
    found = FeedbackSettings(
        secret_dir=settings.feedback_secret_dir,
        folder=settings.feedback_dir,
        publishers=environment.publishers(settings.publishers_file),
    )
    try:
        found.check(channels)
    except FeedbackUnusable as error:
        raise UsageFailure(f"SIGNAALWISSEL_{error}") from error
    return found


def retention_runs(settings: Settings) -> bool:
    """Whether a sink destroys by itself what is over: not while old records are replayed without a clock."""
    return settings.retention == "on" and settings.clock == "database"


def open_klant_settings(settings: Settings) -> OpenKlantSettings | None:
    """How tasks are handed over to Open Klant, None where they are not; UsageFailure names what is wrong."""
    if settings.open_klant_url is None:
        return None
    if settings.open_klant_token is None:
        raise UsageFailure(
            "SIGNAALWISSEL_OPEN_KLANT_URL is set and SIGNAALWISSEL_OPEN_KLANT_TOKEN is not: give the API token"
        )
    try:
        return OpenKlantSettings(
            url=settings.open_klant_url,
            token=settings.open_klant_token.get_secret_value(),
            kinds=kinds_of(settings.open_klant_kinds),
            poll_s=settings.open_klant_poll_s,
            channel=settings.open_klant_channel,
        )
    except OpenKlantUnusable as error:
        raise UsageFailure(f"SIGNAALWISSEL_{error}") from error


def rules(settings: Settings, keys: KeyProvider | None = None) -> Rules:
    """What intake and matcher decide by, under given keys or those of the settings."""
    allowed = environment.publishers(settings.publishers_file)
    return Rules(policies(settings), allowed, keys or key_service.answering(settings), fresh_nonce)


class SinkSeal:
    """Seals the sink's own dead letters under the key of the day on which it refuses them."""

    def __init__(self, provider: KeyProvider) -> None:
        self._keys = provider

    def __call__(self, unsealed: Unsealed) -> bytes:
        municipality = unsealed.municipality
        if municipality is not None and self._keys.knows(municipality):
            key = self._keys.day_key(municipality, amsterdam_day(now_ms()))
        else:
            key = self._keys.system_key()
        return seal_original(unsealed.original, unsealed.dead_letter_id, key, fresh_nonce())


def product_version() -> str:
    """The version of this installation."""
    return version("signaalwissel")


def log_to(stage: str, *, level: int = logging.INFO) -> None:
    """JSON lines on standard error, one per event, the stage on each; libraries speak up from WARNING on."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _stage(stage),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.ExceptionRenderer(tracebacks.of_exc_info),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = tracebacks.SafeHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("signaalwissel").setLevel(level)


def _stage(stage: str) -> Any:
    def add(_logger: object, _method: str, event: Mapping[str, Any]) -> dict[str, Any]:
        return {**event, "stage": stage}

    return add
