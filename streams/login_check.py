"""Looks whether Kafka lets us in, before a client tries for a minute and then says only that nobody answered.

Flows in: addresses and connection options. Flows out: what is wrong with the login, in words for whoever set it up, or
nothing. A broker that is not there is no fault of the login: whoever needs it waits for it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

ANSWER_BOUND_S = 5.0
_TLS = ("SSL", "SASL_SSL")
_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED
_NOT_YET_VALID = 9
_OTHER_HOST = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
_WANTS_CERTIFICATE = "the broker wants a client certificate: set CERTIFICATE_FILE and KEY_FILE"
_ALERTS = {
    "CERTIFICATE_REQUIRED": _WANTS_CERTIFICATE,
    "HANDSHAKE_FAILURE": f"{_WANTS_CERTIFICATE}, if it is not the version of TLS (1.2 or newer)",
    "CERTIFICATE_EXPIRED": "the client certificate of CERTIFICATE_FILE has expired: put a new one in its place",
    "CERTIFICATE_UNKNOWN": "the broker does not accept the client certificate of CERTIFICATE_FILE: it has expired, "
    "or the broker does not trust who signed it",
    "UNKNOWN_CA": "the broker does not trust who signed the client certificate of CERTIFICATE_FILE",
    "BAD_CERTIFICATE": "the broker does not accept the client certificate of CERTIFICATE_FILE",
}


def login_fault(bootstrap: str, connection: Mapping[str, Any]) -> str | None:
    """Why no broker of `bootstrap` lets this client in, or None: one does, or none answers at all.

    Takes a few seconds at most; not for an event loop that runs. Names settings without `SIGNAALWISSEL_KAFKA_SECURITY_`.
    """
    return asyncio.run(_first_fault(bootstrap.split(","), connection))


async def _first_fault(servers: list[str], connection: Mapping[str, Any]) -> str | None:
    looks = [asyncio.ensure_future(_look(server.strip(), connection)) for server in servers]
    faults: list[str] = []
    try:
        for done in asyncio.as_completed(looks):
            let_in, fault = await done
            if let_in:
                return None
            if fault is not None:
                faults.append(fault)
    finally:
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)
    return faults[0] if faults else None


async def _look(server: str, connection: Mapping[str, Any]) -> tuple[bool, str | None]:
    """Whether a broker lets us in; if not, why, or None where it does not answer."""
    host, _, port = server.rpartition(":")
    host = host.strip("[]")
    try:
        async with asyncio.timeout(ANSWER_BOUND_S):
            await _enter(host, int(port), connection)
    except ssl.SSLCertVerificationError as error:
        return False, f"{server}: {_certificate_fault(error, host)}"
    except ssl.SSLError as error:
        return False, f"{server}: {_tls_fault(error)}"
    except (SaslAuthenticationFailed, AuthenticationFailedError, ValueError) as error:
        return False, f"{server}: {_refused(error)}"
    except (UnsupportedSaslMechanismError, IllegalSaslStateError):
        return False, f"{server}: the broker does not take MECHANISM={connection.get('sasl_mechanism')}"
    except KafkaConnectionError as error:
        return False, await _closed_fault(server, host, int(port), connection, error)
    except (KafkaError, OSError, TimeoutError):
        return False, None
    return True, None


async def _enter(host: str, port: int, connection: Mapping[str, Any]) -> None:
    made = await create_conn(
        host,
        port,
        client_id="signaalwissel-login",
        request_timeout_ms=int(ANSWER_BOUND_S * 1000),
        **connection,
    )
    try:
        # With TLS 1.3 a client certificate is refused, and without SASL a login is missed, only now.
        await made.send(MetadataRequest([]))
    finally:
        made.close()


def _refused(error: Exception) -> str:
    if isinstance(error, ValueError):
        # SCRAM proves both ends: a broker that does not know the password cannot answer for it.
        return (
            "the broker does not know the password of USERNAME; it may not be the broker that it says it is"
        )
    return (
        "USERNAME or its password is not accepted: a wrong password, or a user that is not there (any more); "
        "the broker's administrator knows which"
    )


def _certificate_fault(error: ssl.SSLCertVerificationError, host: str) -> str:
    if error.verify_code == _EXPIRED:
        return "the broker's certificate has expired: its administrator must put a new one in its place"
    if error.verify_code == _NOT_YET_VALID:
        return "the broker's certificate is not valid yet: look at the clock of this machine"
    if error.verify_code in _OTHER_HOST:
        return (
            f"the broker's certificate is not for {host}: use a name that stands in it, or let its administrator "
            "make one with this name"
        )
    return f"CA_FILE does not hold who signed the broker's certificate ({error.verify_message})"


def _tls_fault(error: ssl.SSLError) -> str:
    reason = error.reason or ""
    if "WRONG_VERSION_NUMBER" in reason or "RECORD_LAYER" in reason or isinstance(error, ssl.SSLEOFError):
        return "the broker does not speak TLS there: another port, or another PROTOCOL; nothing was sent unprotected"
    for alert, fault in _ALERTS.items():
        if alert in reason:
            return fault
    return f"no TLS connection: {reason or error}"


async def _closed_fault(
    server: str, host: str, port: int, connection: Mapping[str, Any], error: KafkaConnectionError
) -> str | None:
    """Why a broker closed a connection that it had taken."""
    cause = error.__cause__
    if isinstance(cause, ssl.SSLError):
        return f"{server}: {_tls_fault(cause)}"
    protocol = connection["security_protocol"]
    if protocol not in _TLS:
        if await _speaks_tls(host, port):
            return f"{server}: the broker speaks TLS there and PROTOCOL is {protocol}: set SASL_SSL or SSL"
        return f"{server}: the broker closes the connection: does PROTOCOL={protocol} fit its listener?"
    if protocol == "SSL":
        return f"{server}: the broker closes the connection: it wants a password (PROTOCOL SASL_SSL), or a certificate"
    return f"{server}: the broker closes the connection: it wants a client certificate, or no password there"


async def _speaks_tls(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(ANSWER_BOUND_S):
            _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    except ssl.SSLCertVerificationError:
        return True
    except (OSError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True
