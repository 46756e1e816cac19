"""Requests to a key service: login, limits, and which failures are tried again."""

import ssl
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.security.vault_settings import AppRole, Kubernetes, TokenFile, VaultUnusable

from tests.security.vault_stub import JWT, ROLE, ROOT, SECRET_ID, Fault, VaultStub, serving
from tests.security.vault_support import Service, secret_file

PATH = "signaalwissel/keys/system"


@pytest.mark.parametrize("status", [412, 429, 472, 473, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(service: Service, status: int) -> None:
    service.stub.faults = [Fault("answer", status), Fault("answer", status)]
    assert service.requests(patience_s=30).get(PATH).status == 404
    assert len(service.stub.requests) == 3


@pytest.mark.parametrize("kind", ["drop", "slow"])
def test_a_connection_that_breaks_or_waits_is_tried_again(service: Service, kind: str) -> None:
    service.stub.faults = [Fault(kind)]
    assert service.requests(patience_s=30, timeout_s=0.2).get(PATH).status == 404
    assert len(service.stub.requests) == 2


def test_an_answer_that_never_comes_ends_with_the_time_that_was_given(service: Service) -> None:
    service.stub.faults = [Fault("slow")] * 50
    with pytest.raises(KeyUnavailable, match=r"no answer within 0\.1 s; tried for 0\.3 s"):
        service.requests(timeout_s=0.1).get(PATH)
    assert len(service.stub.requests) < 10


@pytest.mark.parametrize("status", [301, 307, 405, 418])
def test_what_no_key_service_says_is_not_tried_again(service: Service, status: int) -> None:
    service.stub.faults = [Fault("answer", status)]
    with pytest.raises(KeyUnavailable, match="is SIGNAALWISSEL_VAULT_URL the address"):
        service.requests().get(PATH)
    assert len(service.stub.requests) == 1


@pytest.mark.parametrize("content", [b"<html>", b"[]", b'"text"', b"[" * 100_000])
def test_a_page_that_is_no_object_is_refused(service: Service, content: bytes) -> None:
    service.stub.faults = [Fault("answer", 200, content)]
    with pytest.raises(KeyUnavailable, match="is SIGNAALWISSEL_VAULT_URL a key service"):
        service.requests().get(PATH)


def test_an_endless_answer_is_refused(service: Service) -> None:
    service.stub.faults = [Fault("answer", 200, b"x" * 1_000_001)]
    with pytest.raises(KeyUnavailable, match="larger than 1000000 bytes"):
        service.requests().get(PATH)


def test_its_own_words_are_cut_and_cannot_forge_a_log_line(service: Service) -> None:
    service.stub.faults = [Fault("answer", 400, b'{"errors":["first\\nsecond' + b"x" * 5000 + b'"]}')]
    error = service.requests().get(PATH).error
    assert error.startswith("first secondx")
    assert len(error) == 200


class TestLogin:
    """How a process shows who it is."""

    def logins(self, folder: Path) -> list[AppRole | Kubernetes]:
        return [
            AppRole(ROLE, secret_file(folder, "secret-id", f"{SECRET_ID}\n")),
            Kubernetes(ROLE, secret_file(folder, "jwt", JWT)),
        ]

    def test_a_role_logs_in_once(self, service: Service, tmp_path: Path) -> None:
        for number, login in enumerate(self.logins(tmp_path), start=1):
            requests = service.requests(login)
            assert [requests.get(PATH).status for _ in range(3)] == [404] * 3
            assert service.stub.logins == number

    def test_a_login_is_renewed_before_its_lease_ends(self, service: Service, tmp_path: Path) -> None:
        now = [0.0]
        service.stub.lease_s = 60
        requests = service.requests(self.logins(tmp_path)[0], clock=lambda: now[0])
        for now[0], logins in ((0.0, 1), (39.9, 1), (40.1, 2), (79.9, 2), (80.2, 3)):
            requests.get(PATH)
            assert service.stub.logins == logins

    def test_a_revoked_login_is_made_anew(self, service: Service, tmp_path: Path) -> None:
        requests = service.requests(self.logins(tmp_path)[0])
        requests.get(PATH)
        service.stub.tokens.clear()
        assert requests.get(PATH).status == 404
        assert service.stub.logins == 2

    def test_a_wrong_role_is_told_once(self, service: Service, tmp_path: Path) -> None:
        login = AppRole("somebody", secret_file(tmp_path, "secret-id", SECRET_ID))
        with pytest.raises(KeyUnavailable, match="no login: invalid role or secret ID") as refused:
            service.requests(login).get(PATH)
        assert SECRET_ID not in str(refused.value)

    def test_a_token_that_an_agent_replaces_is_read_again(self, service: Service, tmp_path: Path) -> None:
        file = secret_file(tmp_path, "agent-token", ROOT)
        requests = service.requests(TokenFile(file))
        requests.get(PATH)
        service.stub.tokens = {"next"}
        file.write_text("next\n")
        assert requests.get(PATH).status == 404

    def test_what_the_policy_forbids_is_not_tried_again_for_long(self, service: Service) -> None:
        service.stub.denied.add(f"GET {PATH}")
        with pytest.raises(
            KeyUnavailable, match=r"HTTP 403: not allowed: permission denied; look at"
        ) as refused:
            service.requests().get(PATH)
        assert len(service.stub.requests) == 2
        assert ROOT not in str(refused.value)

    def test_a_namespace_goes_with_every_request(self, service: Service, tmp_path: Path) -> None:
        service.stub.namespace = "utrecht"
        assert service.requests(self.logins(tmp_path)[0], namespace="utrecht").get(PATH).error == ""
        assert service.requests().get(PATH).error.startswith("no handler for route")


class TestTls:
    """Keys travel only to a service whose certificate is known."""

    @pytest.fixture
    def certificate(self, tmp_path: Path) -> Path:
        """A certificate for this machine, with its key, signed by itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vault")])
        signed = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(datetime(2000, 1, 1, tzinfo=UTC))
            .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file = tmp_path / "vault.pem"
        file.write_bytes(private + signed.public_bytes(pem))
        return file

    def test_only_a_known_certificate_is_trusted(self, certificate: Path, tmp_path: Path) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        with serving(VaultStub(), tls) as stub:
            service = Service(stub, tmp_path)
            assert service.requests(ca_file=certificate).get(PATH).status == 404
            asked = len(stub.requests)
            with pytest.raises(KeyUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
                service.requests().get(PATH)
            assert len(stub.requests) == asked

    def test_a_file_without_certificates_is_refused(self, service: Service, tmp_path: Path) -> None:
        for file in (tmp_path / "missing.pem", secret_file(tmp_path, "empty.pem", "no certificate")):
            with pytest.raises(VaultUnusable, match="VAULT_CA_FILE"):
                service.requests(ca_file=file)


def test_that_the_service_does_not_answer_is_known_until_it_does(service: Service) -> None:
    requests = service.requests(patience_s=0.0)
    assert not requests.away
    service.stub.faults = [Fault("answer", 503)]
    with pytest.raises(KeyUnavailable):
        requests.get(PATH)
    assert requests.away
    requests.get(PATH)
    assert not requests.away
