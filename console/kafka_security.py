"""How we log in to Kafka: TLS, SCRAM and client certificates, one set of options for every client of ours.

Flows in: settings. Flows out: connection options as aiokafka and kafka-python take them. There is no way back to an
unprotected connection: what is set and would not be used is refused, and so is a password that others could read on
the wire. The broker's host name is always checked.
"""

import ssl
import stat
from pathlib import Path
from typing import Any

from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.settings import Settings

_PREFIX = "SIGNAALWISSEL_KAFKA_SECURITY_"
_TLS = {"SSL", "SASL_SSL"}
_SASL = {"SASL_SSL", "SASL_PLAINTEXT"}
_OF_TLS = ("ca_file", "certificate_file", "key_file")
_OF_SASL = ("mechanism", "username", "password", "password_file")


def connection(settings: Settings) -> dict[str, Any]:
    """Connection options; both libraries call them the same.

    Raises:
        UsageFailure: Settings contradict each other, something is missing, or a file cannot be used.
    """
    protocol = settings.kafka_security_protocol
    _check_unused(settings, protocol)
    options: dict[str, Any] = {"security_protocol": protocol}
    if protocol in _SASL:
        options |= _login(settings)
    if protocol in _TLS:
        options["ssl_context"] = _tls(settings)
    return options


def unused(settings: Settings) -> list[str]:
    """Settings that are given and that the protocol does not use."""
    protocol = settings.kafka_security_protocol
    names = (*(() if protocol in _TLS else _OF_TLS), *(() if protocol in _SASL else _OF_SASL))
    return [_name(field) for field in names if _value(settings, field) is not None]


def _check_unused(settings: Settings, protocol: str) -> None:
    found = unused(settings)
    if found:
        raise UsageFailure(
            f"{', '.join(found)}: set, but {_name('protocol')} is {protocol}, which does not use it; "
            "set SASL_SSL for a password over TLS, SSL for a client certificate alone, or take the rest away"
        )


def _login(settings: Settings) -> dict[str, Any]:
    missing = [_name(field) for field in ("mechanism", "username") if _value(settings, field) is None]
    password = _password(settings)
    if password is None:
        missing.append(f"{_name('password_file')} or {_name('password')}")
    if missing:
        raise UsageFailure(
            f"not set: {', '.join(missing)}; {settings.kafka_security_protocol} logs in with them"
        )
    if settings.kafka_security_mechanism == "PLAIN" and settings.kafka_security_protocol not in _TLS:
        raise UsageFailure(
            f"{_name('mechanism')} PLAIN sends the password as it is: take SASL_SSL, or SCRAM-SHA-512"
        )
    return {
        "sasl_mechanism": settings.kafka_security_mechanism,
        "sasl_plain_username": settings.kafka_security_username,
        "sasl_plain_password": password,
    }


def _password(settings: Settings) -> str | None:
    given, file = settings.kafka_security_password, settings.kafka_security_password_file
    if file is None:
        return None if given is None else given.get_secret_value()
    if given is not None:
        raise UsageFailure(f"{_name('password')} and {_name('password_file')} are both set: take one away")
    _check_closed(file, "password_file")
    try:
        return file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageFailure(f"{_name('password_file')}: {file} cannot be read: {_why(error)}") from error


def _tls(settings: Settings) -> ssl.SSLContext:
    ca = settings.kafka_security_ca_file
    try:
        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ssl.SSLError) as error:
        raise UsageFailure(
            f"{_name('ca_file')}: {ca} cannot be used: {_why(error)}; it must hold PEM certificates"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _add_certificate(context, settings)
    return context


def _add_certificate(context: ssl.SSLContext, settings: Settings) -> None:
    certificate, key = settings.kafka_security_certificate_file, settings.kafka_security_key_file
    if certificate is None:
        if key is not None:
            raise UsageFailure(f"{_name('key_file')} is set and {_name('certificate_file')} is not")
        return
    _check_closed(key or certificate, "key_file")
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise UsageFailure(
            f"{_name('certificate_file')} {certificate} and {_name('key_file')} {key or certificate} cannot be used: "
            f"{_why(error)}; they must be PEM, belong together, and the key must have no password"
        ) from error


def _check_closed(file: Path, field: str) -> None:
    try:
        mode = file.stat().st_mode
    except OSError as error:
        raise UsageFailure(f"{_name(field)}: {file} cannot be read: {_why(error)}") from error
    if mode & stat.S_IRWXO:
        raise UsageFailure(f"{_name(field)}: everyone can read {file}; run `chmod o= {file}`")


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _value(settings: Settings, field: str) -> object:
    return getattr(settings, f"kafka_security_{field}")


def _name(field: str) -> str:
    return f"{_PREFIX}{field.upper()}"
