"""What the throw-away authority signs is what TLS libraries take, for the names and days that were asked."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from signaalwissel.deploy.certificates import Authority, Issued, Validity

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, Validity.around(NOW))


def read(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def verify(authority: Authority, issued: Issued, host: str, now: datetime = NOW) -> None:
    verifier = PolicyBuilder().store(Store([read(authority.ca)])).time(now)
    verifier.build_server_verifier(x509.DNSName(host)).verify(read(issued.certificate), [])


def test_a_certificate_is_good_for_its_name_and_days(authority: Authority) -> None:
    verify(authority, authority.issue("server", hosts=["kafka-1"]), "kafka-1")


@pytest.mark.parametrize(
    ("host", "now"),
    [("kafka-2", NOW), ("kafka-1", NOW + timedelta(days=31)), ("kafka-1", NOW - timedelta(days=2))],
)
def test_it_is_good_for_no_other(authority: Authority, host: str, now: datetime) -> None:
    with pytest.raises(VerificationError):
        verify(authority, authority.issue("server", hosts=["kafka-1"]), host, now)


def test_another_authority_is_another(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other", Validity.around(NOW))
    with pytest.raises(VerificationError):
        verify(other, authority.issue("server", hosts=["kafka-1"]), "kafka-1")


def test_only_the_owner_reads_a_key(authority: Authority) -> None:
    issued = authority.issue("server")
    for file in (issued.key, issued.bundled()):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_name_stands_in_the_certificate(authority: Authority) -> None:
    names = read(authority.issue("signaalwissel-sink").certificate).subject
    assert names.rfc4514_string() == "CN=signaalwissel-sink"
