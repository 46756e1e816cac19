"""Client certificates: from TLS or a trusted proxy's header, and from nobody else."""

import base64
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi.testclient import TestClient
from joserfc import jwt
from signaalwissel.security.access_settings import Access, Proxy, Rights
from signaalwissel.security.certificates import CertificateRefused, from_der, from_header

from tests.security.certificate_support import Certified, certified
from tests.security.token_support import ACCESS, RSA, app, claims, header

RIGHTS = Rights(municipalities=frozenset({"0344"}), partners=frozenset({"energie-noord"}))


@pytest.fixture
def partner(tmp_path: Path) -> Certified:
    return certified(tmp_path, "energie-noord", certified(tmp_path, "ca"))


def behind(partner: Certified, proxy: str | None) -> TestClient:
    access = Access(
        issuers=ACCESS.issuers,
        certificates={partner.certificate.subject.rfc4514_string(): RIGHTS},
        proxy=None if proxy is None else Proxy(addresses=frozenset({proxy})),
    )
    return TestClient(app(access), client=("10.0.0.5", 1234))


def as_rfc9440(partner: Certified) -> str:
    return f":{base64.b64encode(partner.der).decode()}:"


def as_pem(partner: Certified) -> str:
    return quote(partner.certificate.public_bytes(Encoding.PEM))


@pytest.mark.parametrize("written", [as_rfc9440, as_pem])
def test_a_trusted_proxy_tells_whose_certificate_it_was(partner: Certified, written: object) -> None:
    assert callable(written)
    client = behind(partner, "10.0.0.0/24")
    answer = client.get("/me", headers={"client-cert": written(partner)})
    assert answer.json() == {"subject": "certificate#CN=energie-noord", "roles": ["integrator"]}
    assert (
        client.post("/signals/0344/energie-noord", headers={"client-cert": written(partner)}).status_code
        == 200
    )
    assert (
        client.post("/signals/0363/energie-noord", headers={"client-cert": written(partner)}).status_code
        == 403
    )


@pytest.mark.parametrize("proxy", [None, "10.0.0.6", "192.168.0.0/16"])
def test_the_header_of_anybody_else_counts_for_nothing(partner: Certified, proxy: str | None) -> None:
    answer = behind(partner, proxy).get("/me", headers={"client-cert": as_rfc9440(partner)})
    assert answer.status_code == 401


def test_a_certificate_that_is_not_in_the_file_has_no_rights(partner: Certified, tmp_path: Path) -> None:
    other = certified(tmp_path, "other")
    client = behind(partner, "10.0.0.5")
    assert client.get("/me", headers={"client-cert": as_rfc9440(other)}).json()["roles"] == []
    assert (
        client.post("/signals/0344/energie-noord", headers={"client-cert": as_rfc9440(other)}).status_code
        == 403
    )


@pytest.mark.parametrize("value", ["::", ":!!:", ":YWJj:", "abc", "%%%", ":" + "A" * 20_000 + ":", ""])
def test_a_header_that_is_no_certificate_is_refused(partner: Certified, value: str) -> None:
    assert behind(partner, "10.0.0.5").get("/me", headers={"client-cert": value}).status_code == 401


def test_two_headers_are_refused(partner: Certified) -> None:
    headers = [("client-cert", as_rfc9440(partner))] * 2
    assert behind(partner, "10.0.0.5").get("/me", headers=headers).status_code == 401  # type: ignore[arg-type]


def test_a_bound_token_counts_with_its_certificate_only(partner: Certified, tmp_path: Path) -> None:
    client = behind(partner, "10.0.0.5")
    thumbprint = from_der(partner.der, time.time()).thumbprint
    told = claims(cnf={"x5t#S256": thumbprint})
    bound = {"authorization": f"Bearer {jwt.encode(header(), told, RSA, algorithms=['RS256'])}"}
    assert client.get("/me", headers=bound).status_code == 401
    assert client.get("/me", headers={**bound, "client-cert": as_rfc9440(partner)}).status_code == 200
    other = certified(tmp_path, "other")
    assert client.get("/me", headers={**bound, "client-cert": as_rfc9440(other)}).status_code == 401


def test_a_certificate_counts_within_its_days(partner: Certified) -> None:
    ends = partner.certificate.not_valid_after_utc.timestamp()
    begins = partner.certificate.not_valid_before_utc.timestamp()
    for moment in (begins, ends):
        assert from_der(partner.der, moment).subject == "CN=energie-noord"
    for moment in (begins - 1, ends + 1):
        with pytest.raises(CertificateRefused, match="in force"):
            from_header(as_rfc9440(partner), moment)
