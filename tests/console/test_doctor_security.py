"""`doctor` says what protects the connections and what is missing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from signaalwissel.console.doctor_security import check_security, login_finding
from signaalwissel.console.findings import Finding
from signaalwissel.console.settings import Settings
from signaalwissel.deploy.certificates import Authority, Issued, Validity
from signaalwissel.sinks.database_grants import LoginRights
from signaalwissel.sinks.database_roles import Role
from signaalwissel.streams.clock import now_ms
from sqlalchemy import text

from tests.console.console_support import CommandLine, Installation
from tests.console.test_doctor import wrong

NOW = datetime.fromtimestamp(now_ms() / 1000, UTC)


def found(**given: object) -> dict[str, Finding]:
    settings = Settings(**given)  # type: ignore[arg-type]
    return {one.check: one for one in check_security(settings, kafka_answers=False)}


def certified(folder: Path, validity: Validity) -> dict[str, object]:
    authority = Authority(folder, Validity.around(NOW, days=90))
    issued: Issued = authority.issue("client", validity=validity)
    return {
        "kafka_bootstrap": "kafka.example.nl:9093",
        "kafka_security_protocol": "SSL",
        "kafka_security_ca_file": authority.ca,
        "kafka_security_certificate_file": issued.certificate,
        "kafka_security_key_file": issued.key,
    }


@pytest.mark.parametrize(
    ("bootstrap", "ok"),
    [
        ("127.0.0.1:9092", True),
        ("localhost:9092,[::1]:9092", True),
        ("kafka.example.nl:9092", False),
        ("localhost:9092,10.0.0.7:9092", False),
    ],
)
def test_an_unprotected_connection_is_for_this_machine_alone(bootstrap: str, ok: bool) -> None:
    assert found(kafka_bootstrap=bootstrap)["kafka security"].ok is ok


def test_a_certificate_that_will_expire_is_told_in_time(tmp_path: Path) -> None:
    soon = found(**certified(tmp_path / "soon", Validity.around(NOW, days=20)))["kafka certificate"]
    later = found(**certified(tmp_path / "later", Validity.around(NOW, days=60)))["kafka certificate"]
    assert not soon.ok
    assert "expires in" in soon.detail
    assert later.ok


def test_a_certificate_that_has_expired_or_is_not_valid_yet_is_told(tmp_path: Path) -> None:
    past = Validity(NOW - timedelta(days=9), NOW - timedelta(days=1))
    future = Validity(NOW + timedelta(days=2), NOW + timedelta(days=90))
    expired = found(**certified(tmp_path / "past", past))["kafka certificate"]
    early = found(**certified(tmp_path / "future", future))["kafka certificate"]
    assert (expired.ok, early.ok) == (False, False)
    assert "expired on" in expired.detail
    assert "is not valid before" in early.detail


def test_everything_protected_is_fine(tmp_path: Path) -> None:
    findings = found(**certified(tmp_path, Validity.around(NOW, days=60)))
    assert all(finding.ok for finding in findings.values())
    assert findings.keys() == {"kafka security", "kafka authority", "kafka certificate"}


def test_tls_without_a_name_is_told(tmp_path: Path) -> None:
    given = certified(tmp_path, Validity.around(NOW, days=60))
    del given["kafka_security_certificate_file"], given["kafka_security_key_file"]
    assert "does not know who this is" in found(**given)["kafka security"].detail


def test_settings_that_contradict_each_other_are_told() -> None:
    finding = found(kafka_bootstrap="localhost:9092", kafka_security_username="u")["kafka security"]
    assert not finding.ok
    assert "USERNAME" in finding.detail


@pytest.mark.parametrize(
    ("url", "ok"),
    [
        ("postgresql://u@db.example.nl/s?sslmode=verify-full&sslrootcert=/ca.pem", True),
        ("postgresql://u@db.example.nl/s?sslmode=require", False),
        ("postgresql://u@db.example.nl/s", False),
        ("postgresql://u@127.0.0.1/s", True),
        ("postgresql:///s", True),
    ],
)
def test_a_database_elsewhere_must_be_the_one_that_it_says_it_is(url: str, ok: bool) -> None:
    assert found(database_url=url)["postgresql security"].ok is ok


ELSEWHERE, HERE = "postgresql://u@db.example.nl/s", "postgresql://u@127.0.0.1/s"
OWNER = LoginRights(owns=True, roles=(), lacking=())


@pytest.mark.parametrize(
    ("url", "rights", "ok", "told"),
    [
        pytest.param(ELSEWHERE, OWNER, False, "owns the tables", id="the owner elsewhere"),
        pytest.param(HERE, OWNER, True, "on this machine alone", id="the owner on this machine"),
        pytest.param(ELSEWHERE, LoginRights(False, (Role.SINK,), ()), True, "as signaalwissel_sink", id="a role"),
        pytest.param(
            HERE, LoginRights(False, (Role.WEB,), ("INSERT on audit_events",)), False, "lacks INSERT on audit_events",
            id="a role that lacks something",
        ),
    ],
)  # fmt: skip
def test_a_program_should_not_own_the_tables(url: str, rights: LoginRights, ok: bool, told: str) -> None:
    finding = login_finding(Settings(database_url=url), rights)  # type: ignore[arg-type]
    assert finding.ok is ok
    assert told in finding.detail
    assert ok or "signaalwissel database grant" in (finding.fix or "")


def test_an_audit_trail_that_goes_before_the_policies_say_is_a_finding(
    stored: Installation, signaalwissel: CommandLine
) -> None:
    with stored.engine.begin() as connection:
        connection.execute(text("UPDATE audit_kept SET days = 0"))
    found = wrong(signaalwissel("doctor", "--json"))
    assert "keeps it for 0 days, and the policies say 2352" in found["audit trail"]["detail"]
    assert signaalwissel("database", "migrate").code == 0
    assert "audit trail" not in wrong(signaalwissel("doctor", "--json"))


def test_without_policies_of_their_own_nobody_is_told_how_long_the_audit_trail_is_kept(
    stored: Installation, signaalwissel: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIGNAALWISSEL_POLICY_DIR")
    ended = signaalwissel("doctor", "--json")
    assert "audit trail" not in {finding["check"] for finding in ended.json}
