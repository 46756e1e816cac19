"""Certificates of servers on this machine. Flows in: names and days. Flows out: PEM files of a throw-away authority.

For tests and trying out: whoever has the folder has the authority's key. An installation brings its own certificates.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOCAL_NAMES: Final = ("localhost", "127.0.0.1")
_PRIVATE: Final = 0o600
_CA_ONLY: Final = {"key_cert_sign": True, "crl_sign": True, "digital_signature": False}
_LEAF: Final = {"key_cert_sign": False, "crl_sign": False, "digital_signature": True}
_NEVER: Final = dict.fromkeys(
    ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
) | {"encipher_only": False, "decipher_only": False}


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when a certificate counts, aware UTC."""

    begins: datetime
    ends: datetime

    @classmethod
    def around(cls, now: datetime, days: int = 30) -> Validity:
        """From a day before `now` until some days after it."""
        return cls(now - timedelta(days=1), now + timedelta(days=days))


@dataclass(frozen=True, slots=True)
class Issued:
    """Where a certificate and its key lie."""

    certificate: Path
    key: Path

    def bundled(self) -> Path:
        """Key and certificate in one file, as Kafka wants its PEM key store."""
        bundle = self.key.with_suffix(".bundle.pem")
        _write(bundle, self.key.read_bytes() + self.certificate.read_bytes())
        return bundle


class Authority:
    """Signs certificates for servers and clients.

    Args:
        folder: Where its files go.
        validity: Of the authority, and of what it signs where nothing else is said.
        name: Its common name.
    """

    def __init__(self, folder: Path, validity: Validity, name: str = "signaalwissel test authority") -> None:
        self._folder = folder
        self._validity = validity
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._signed(name, self._key, validity, None)
        folder.mkdir(parents=True, exist_ok=True)
        self.ca = folder / "ca.pem"
        _write(self.ca, self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self, name: str, hosts: Sequence[str] = LOCAL_NAMES, validity: Validity | None = None
    ) -> Issued:
        """A certificate with the common name `name` for a server at `hosts`, or for a client; PEM files."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(name, key, validity or self._validity, hosts)
        issued = Issued(self._folder / f"{name}.crt.pem", self._folder / f"{name}.key.pem")
        _write(issued.certificate, certificate.public_bytes(serialization.Encoding.PEM))
        _write(
            issued.key,
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )
        return issued

    def _signed(
        self, name: str, key: ec.EllipticCurvePrivateKey, validity: Validity, hosts: Sequence[str] | None
    ) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        ours = hosts is None
        usage = x509.KeyUsage(**(_CA_ONLY if ours else _LEAF), **_NEVER)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if ours else self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(validity.begins)
            .not_valid_after(validity.ends)
            .add_extension(x509.BasicConstraints(ca=ours, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        if hosts is not None:
            both = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
            alternatives = x509.SubjectAlternativeName([_alternative(host) for host in hosts])
            builder = builder.add_extension(both, critical=False).add_extension(alternatives, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write(file: Path, content: bytes) -> None:
    file.touch(_PRIVATE)
    file.write_bytes(content)
