"""Client certificates: whose connection this is, as TLS or a trusted proxy tells (RFC 9440).

In: a certificate in DER, or the proxy's header. Out: its subject and thumbprint; CertificateRefused.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote

from cryptography import x509

_HEADER_LENGTH_MAX = 16_384


class CertificateRefused(ValueError):
    """A certificate is not taken; holds nothing of it."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate whose chain was checked by whoever ended TLS.

    Attributes:
        subject: As RFC 4514 writes it.
        thumbprint: SHA-256 of the certificate, base64url: what a bound token names (RFC 8705).
    """

    subject: str
    thumbprint: str


def from_der(der: bytes, now_s: float) -> ClientCertificate:
    """The certificate; raises CertificateRefused where it cannot be read or is not in force."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        subject = certificate.subject.rfc4514_string()
    except ValueError:
        raise CertificateRefused("the client certificate cannot be read") from None
    now = datetime.fromtimestamp(now_s, UTC)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise CertificateRefused("the client certificate is not in force")
    digest = hashlib.sha256(der).digest()
    return ClientCertificate(subject, base64.urlsafe_b64encode(digest).rstrip(b"=").decode())


def from_header(value: str, now_s: float) -> ClientCertificate:
    """The certificate in a proxy's header: as RFC 9440 writes it, or PEM with percent signs; raises CertificateRefused."""
    if len(value) > _HEADER_LENGTH_MAX:
        raise CertificateRefused("the proxy's certificate header is too long")
    try:
        if value.startswith(":") and value.endswith(":"):
            return from_der(base64.b64decode(value[1:-1], validate=True), now_s)
        pem = x509.load_pem_x509_certificate(unquote(value).encode())
    except (binascii.Error, ValueError) as error:
        if isinstance(error, CertificateRefused):
            raise
        raise CertificateRefused("the proxy's certificate header cannot be read") from None
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 only proxies without RFC 9440

    return from_der(pem.public_bytes(Encoding.DER), now_s)
