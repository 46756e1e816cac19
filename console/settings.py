"""Settings: environment variables `SIGNAALWISSEL_*` or one TOML file with the same names (design 8).

Read once by a command and handed on; nothing else reads the environment.
"""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from signaalwissel.sinks.open_klant_settings import COUNSELLOR_KINDS

FILE_VARIABLE = "SIGNAALWISSEL_CONFIG"
_VAULT_PATH = r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$"


class SettingsError(ValueError):
    """A setting cannot be used: names the variable and the bound."""


class Settings(BaseSettings):
    """What a command needs to know of its surroundings."""

    model_config = SettingsConfigDict(env_prefix="SIGNAALWISSEL_", extra="ignore", hide_input_in_errors=True)

    config: Path | None = None
    kafka_bootstrap: str | None = None
    kafka_security_protocol: str = Field(
        default="PLAINTEXT", pattern="^(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)$"
    )
    kafka_security_mechanism: str | None = Field(
        default=None, pattern="^(SCRAM-SHA-512|SCRAM-SHA-256|PLAIN)$"
    )
    kafka_security_username: str | None = None
    kafka_security_password: SecretStr | None = None
    kafka_security_password_file: Path | None = None
    kafka_security_ca_file: Path | None = None
    kafka_security_certificate_file: Path | None = None
    kafka_security_key_file: Path | None = None
    topic_prefix: str = ""
    database_url: SecretStr | None = None
    policy_dir: Path | None = None
    publishers_file: Path | None = None
    principals_file: Path | None = None
    key_provider: str = Field(default="local", pattern="^(local|vault)$")
    key_dir: Path | None = None
    vault_url: str | None = None
    vault_auth: str = Field(default="token", pattern="^(token|approle|kubernetes)$")
    vault_auth_mount: str | None = Field(default=None, pattern=_VAULT_PATH)
    vault_token_file: Path | None = None
    vault_role: str | None = None
    vault_secret_id_file: Path | None = None
    vault_jwt_file: Path = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
    vault_mount: str = Field(default="signaalwissel", pattern=_VAULT_PATH)
    vault_namespace: str | None = Field(default=None, pattern=_VAULT_PATH)
    vault_ca_file: Path | None = None
    vault_timeout_s: float = Field(default=5.0, ge=0.1, le=60.0)
    vault_patience_s: float = Field(default=30.0, ge=0.0, le=600.0)
    vault_cache_s: float = Field(default=60.0, ge=1.0, le=3600.0)
    every_municipality: bool = False
    partitions: int = Field(default=8, ge=1, le=1024)
    replication_factor: int = Field(default=1, ge=1, le=15)
    commit_interval_ms: int = Field(default=100, ge=10, le=5_000)
    broker_timeout_s: float = Field(default=60.0, ge=1.0, le=3600.0)
    cold_start_timeout_s: float = Field(default=300.0, ge=0.0, le=86_400.0)
    progress_timeout_s: float = Field(default=300.0, ge=5.0, le=86_400.0)
    health_host: str = "127.0.0.1"
    health_port: int | None = Field(default=None, ge=1, le=65_000)
    health_addresses: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.:\[\]_-]+/?( *, *https?://[A-Za-z0-9.:\[\]_-]+/?)*$",
        max_length=4000,
    )
    event_source: str = "urn:nld:signaalwissel"
    erasure_ledger: Path | None = None
    departed: str | None = Field(default=None, pattern=r"^[0-9]{4}( *, *[0-9]{4})*$", max_length=4000)
    clock: str = Field(default="database", pattern="^(database|off)$")
    state_store: str = Field(default="memory", pattern="^(memory|rocksdb)$")
    state_dir: Path | None = None
    retention: str = Field(default="on", pattern="^(on|off)$")
    accept_loss: bool = False
    access_file: Path | None = None
    development_login: bool = False
    http_host: str = "127.0.0.1"
    http_certificate_file: Path | None = None
    http_key_file: Path | None = None
    http_client_ca_file: Path | None = None
    http_behind_proxy: bool = False
    http_rate_per_s: float = Field(default=2000.0, ge=0.1, le=1_000_000.0)
    http_body_bytes_max: int = Field(default=4_194_304, ge=65_536, le=104_857_600)
    http_stop_s: int = Field(default=30, ge=1, le=600)
    gateway_publisher: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,100}$")
    gateway_answer_s: float = Field(default=10.0, ge=1.0, le=120.0)
    gateway_webhooks: str | None = None
    gateway_checks: bool = False
    gateway_checks_per_s: float = Field(default=200.0, ge=0.1, le=100_000.0)
    gateway_port: int = Field(default=8080, ge=0, le=65_535)
    web_port: int = Field(default=8090, ge=0, le=65_535)
    web_url: str | None = None
    session_secret_file: Path | None = None
    database_reader_role: str | None = Field(
        default="signaalwissel_reader", pattern=r"^[a-z_][a-z0-9_]{0,62}$"
    )
    schema_registry_url: str | None = None
    schema_registry_username: str | None = None
    schema_registry_password: SecretStr | None = None
    schema_registry_ca_file: Path | None = None
    schema_registry_timeout_s: float = Field(default=5.0, ge=0.1, le=60.0)
    schema_registry_patience_s: float = Field(default=30.0, ge=0.0, le=600.0)
    open_klant_url: str | None = None
    open_klant_token: SecretStr | None = None
    open_klant_kinds: str = ",".join(sorted(COUNSELLOR_KINDS))
    open_klant_channel: str = "signaalwissel"
    open_klant_poll_s: float = Field(default=60.0, ge=5.0, le=86_400.0)
    feedback_secret_dir: Path | None = None
    feedback_dir: Path | None = None
    processing_log_url: str | None = None
    processing_log_token: SecretStr | None = None
    processing_log_ca_file: Path | None = None
    processing_log_fail: str = Field(default="closed", pattern="^(closed|open)$")
    processing_log_timeout_s: float = Field(default=10.0, ge=0.1, le=60.0)
    processing_log_buffer_s: float = Field(default=900.0, ge=1.0, le=604_800.0)
    processing_log_buffer_lines: int = Field(default=1_000_000, ge=1, le=1_000_000_000)
    traces_url: str | None = None
    traces_token: SecretStr | None = None
    traces_ca_file: Path | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes before the file; there is no other source."""
        return env_settings, init_settings


def read_settings(environ_config: str | None) -> Settings:
    """The settings of this process.

    Args:
        environ_config: Path of the settings file, from SIGNAALWISSEL_CONFIG, or None.

    Raises:
        SettingsError: A variable or a key of the file breaks its bound.
    """
    content = {} if environ_config is None else _from_file(Path(environ_config))
    try:
        return Settings(**content)
    except ValidationError as error:
        findings = "; ".join(
            f"SIGNAALWISSEL_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()
        )
        raise SettingsError(findings) from error


def _from_file(file: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file}: cannot be read as TOML: {error}") from error
    unknown = sorted(key for key in content if key.lower() not in Settings.model_fields)
    if unknown:
        raise SettingsError(f"{file}: unknown settings {', '.join(unknown)}; see `signaalwissel config show`")
    return {key.lower(): value for key, value in content.items()}
