"""Which settings the chart takes as they are, which by reference, and which it sets itself.

Run `python -m tests.deploy.chart.chart_settings` after a change of the product's settings: it writes them into
values.schema.json.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from signaalwissel.console.settings import Settings

SCHEMA = Path(__file__).parents[3] / "deploy" / "helm" / "signaalwissel" / "values.schema.json"
OWN = {
    "kafka_bootstrap", "kafka_security_protocol", "kafka_security_mechanism", "kafka_security_username",
    "kafka_security_password", "kafka_security_password_file", "kafka_security_ca_file",
    "kafka_security_certificate_file", "kafka_security_key_file", "topic_prefix", "partitions",
    "replication_factor", "database_url", "policy_dir", "publishers_file", "key_provider", "key_dir", "health_host",
    "health_port", "state_store", "state_dir", "access_file", "http_host", "http_behind_proxy",
    "session_secret_file",
}  # fmt: skip
"""What the chart makes of other values."""
NEVER = {"config", "accept_loss", "development_login", "gateway_port", "web_port", "http_certificate_file", "http_key_file", "http_client_ca_file"}  # fmt: skip
"""What has no place in a release: one act of a person, a trial, or what would not fit the chart's ports and probes."""


def secret(name: str) -> bool:
    """Whether a setting holds a secret."""
    return SecretStr in getattr(
        Settings.model_fields[name].annotation, "__args__", (Settings.model_fields[name].annotation,)
    )


def plain_settings() -> list[str]:
    """Settings that stand in a value."""
    return sorted(
        name.upper() for name in Settings.model_fields if name not in OWN | NEVER and not secret(name)
    )


def secret_settings() -> list[str]:
    """Settings that come from a secret by reference."""
    return sorted(name.upper() for name in Settings.model_fields if name not in OWN | NEVER and secret(name))


def with_settings(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with the settings of this version."""
    properties = schema["properties"]
    taken = {"settings": plain_settings(), "secretSettings": secret_settings()}
    for key, names in taken.items():
        properties[key] = {**properties[key], "propertyNames": {"enum": names}}
    return {**schema, "properties": properties}


if __name__ == "__main__":
    read = json.loads(SCHEMA.read_text("utf-8"))
    SCHEMA.write_text(json.dumps(with_settings(read), indent=1) + "\n", "utf-8")
