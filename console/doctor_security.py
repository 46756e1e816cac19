"""What `doctor` looks at of Kafka's and PostgreSQL's security: encryption, certificates, access lists."""

from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from signaalwissel.console import runtime
from signaalwissel.console.acls import acl_differences
from signaalwissel.console.failures import ServiceAway, UsageFailure
from signaalwissel.console.findings import Finding, away, fine, listed, wrong
from signaalwissel.console.settings import Settings
from signaalwissel.console.topics import admin
from signaalwissel.sinks.access import Database
from signaalwissel.sinks.database_grants import LoginRights, days_kept
from signaalwissel.streams.clock import now_ms

_ROLL_BEFORE_DAYS = 30
_UNPROTECTED = {"PLAINTEXT", "SASL_PLAINTEXT"}


def check_security(settings: Settings, *, kafka_answers: bool) -> Iterator[Finding]:
    """Look at what protects the connections, and where the broker lets us, at who may do what."""
    if settings.kafka_bootstrap:
        yield _connection(settings, settings.kafka_bootstrap)
        yield from _certificates(settings)
        if kafka_answers and settings.kafka_security_protocol != "PLAINTEXT":
            yield _access(settings)
    if settings.database_url is not None:
        yield _database(settings.database_url.get_secret_value())


def _connection(settings: Settings, bootstrap: str) -> Finding:
    try:
        runtime.aiokafka_connection(settings)
    except UsageFailure as failure:
        return wrong("kafka security", str(failure), "mend the setting that it names")
    protocol = settings.kafka_security_protocol
    hosts = [server.strip().rpartition(":")[0] for server in bootstrap.split(",")]
    if protocol in _UNPROTECTED:
        if all(map(_on_this_machine, hosts)):
            return fine("kafka security", f"{protocol}: unprotected, on this machine alone")
        return wrong(
            "kafka security",
            f"{protocol}: whoever is on the network can read and change records",
            "set SIGNAALWISSEL_KAFKA_SECURITY_PROTOCOL to SASL_SSL or SSL; see docs/operations.md, Kafka security",
        )
    if protocol == "SSL" and settings.kafka_security_certificate_file is None:
        return wrong(
            "kafka security",
            "SSL without a client certificate: the broker does not know who this is",
            "set SIGNAALWISSEL_KAFKA_SECURITY_CERTIFICATE_FILE, or SASL_SSL and a password",
        )
    if settings.kafka_security_mechanism == "PLAIN":
        return wrong(
            "kafka security",
            "PLAIN shows the password to the broker",
            "set SIGNAALWISSEL_KAFKA_SECURITY_MECHANISM=SCRAM-SHA-512",
        )
    return fine("kafka security", f"{protocol}, host names are checked")


def _certificates(settings: Settings) -> Iterator[Finding]:
    now = datetime.fromtimestamp(now_ms() / 1000, UTC)
    for check, file in (
        ("kafka authority", settings.kafka_security_ca_file),
        ("kafka certificate", settings.kafka_security_certificate_file),
    ):
        if file is not None:
            yield _validity(check, file, now)


def _validity(check: str, file: Path, now: datetime) -> Finding:
    try:
        found = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        return wrong(check, f"{file} cannot be read: {error}", "put PEM certificates there")
    # Of several authorities the last one decides: rolling adds the new one beside the old one.
    ends = max(one.not_valid_after_utc for one in found)
    begins = min(one.not_valid_before_utc for one in found)
    days = (ends - now).days
    if begins > now:
        return wrong(check, f"{file} is not valid before {begins:%Y-%m-%d}", "look at this machine's clock")
    if ends < now:
        return wrong(check, f"{file} expired on {ends:%Y-%m-%d}", "put a new one in its place; restart")
    if days < _ROLL_BEFORE_DAYS:
        fix = "put a new one in its place and restart; see docs/operations.md, Rolling certificates"
        return wrong(check, f"{file} expires in {days} days, on {ends:%Y-%m-%d}", fix)
    return fine(check, f"{file} is valid until {ends:%Y-%m-%d}")


def _access(settings: Settings) -> Finding:
    """Whether the access lists are those of the table; an account that may not look says so."""
    try:
        with admin(settings) as client:
            found = acl_differences(client, settings)
    except UsageFailure as failure:
        if "keeps no access lists" in str(failure):
            return wrong(
                "access rights",
                str(failure),
                "set an authorizer on the brokers (docs/operations.md, The brokers): any client may read every topic",
            )
        return fine("access rights", "not looked at: this account may not see the access lists")
    except ServiceAway as failure:
        return away("access rights", str(failure), "start Kafka, or mend SIGNAALWISSEL_KAFKA_*")
    if not found:
        return fine("access rights", "the access lists are those of the table of rights")
    return wrong(
        "access rights",
        listed([difference.text() for difference in found], 3),
        "look with `signaalwissel topics plan --acls`, then `topics apply --acls`, and --remove-surplus where it is right",
    )


def _database(url: str) -> Finding:
    try:
        parts = urlsplit(url)
        host, mode = parts.hostname or "", parse_qs(parts.query).get("sslmode", [""])[-1]
    except ValueError:
        return wrong("postgresql security", "the URL cannot be read", "mend SIGNAALWISSEL_DATABASE_URL")
    if mode == "verify-full":
        return fine("postgresql security", "TLS, the server's certificate and name are checked")
    if not host or _on_this_machine(host):
        return fine("postgresql security", "on this machine alone")
    return wrong(
        "postgresql security",
        f"sslmode is {mode or 'not set'}: a false server is not noticed, and TLS may be missing",
        "add ?sslmode=verify-full&sslrootcert=/path/ca.pem to SIGNAALWISSEL_DATABASE_URL",
    )


def login_finding(settings: Settings, rights: LoginRights) -> Finding:
    """Whether the login of this program may do what it needs, and no more."""
    check = "postgresql rights"
    if rights.lacking:
        return wrong(
            check,
            f"the login lacks {listed(list(rights.lacking), 3)}",
            "run `signaalwissel database grant` as the owner of the tables",
        )
    if not rights.owns:
        return fine(check, f"as {', '.join(rights.roles) or 'a role that is none of ours'}; it owns no table")
    url = "" if settings.database_url is None else settings.database_url.get_secret_value()
    if _database_host(url) in {None, ""} or _on_this_machine(_database_host(url) or ""):
        return fine(check, "the login owns the tables, on this machine alone")
    return wrong(
        check,
        "the login owns the tables: who breaks into this program can change them and empty the audit trail",
        "run `signaalwissel database grant` and give each program a login of its own; see docs/operations.md, Roles in"
        " PostgreSQL",
    )


def check_audit_trail(settings: Settings, engine: Database) -> Iterator[Finding]:
    """Whether the database keeps the audit trail for as long as the policies say; nothing where none are named."""
    try:
        wanted = runtime.audit_kept_days(settings)
    except UsageFailure:
        # Told already, where the files were looked at.
        return
    if wanted is None:
        return
    kept = days_kept(engine)
    if kept >= wanted:
        yield fine("audit trail", f"PostgreSQL keeps it from everybody for {kept} days")
        return
    yield wrong(
        "audit trail",
        f"PostgreSQL keeps it for {kept} days, and the policies say {wanted}: after these whoever breaks into the sink can"
        " take it away",
        "run `signaalwissel database migrate` as the owner of the tables, with SIGNAALWISSEL_POLICY_DIR set",
    )


def _database_host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _on_this_machine(host: str) -> bool:
    host = host.strip("[]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
