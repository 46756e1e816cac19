"""No acknowledgement, no opening."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from signaalwissel.schemas.contract import codec
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.sinks.accounting_tables import audit_events, processing_log
from signaalwissel.sinks.audit_verify import verify
from signaalwissel.sinks.database import migrate, open_engine
from sqlalchemy import Engine

from tests.console.console_support import CommandLine
from tests.processors.opening_support import routed
from tests.sinks.log_collector import LogCollector, Mood, attributes_of, log_collector

Opening = tuple[str, Path]


@pytest.fixture
def collector() -> Iterator[LogCollector]:
    with log_collector() as running:
        yield running


@pytest.fixture
def opening(tmp_path: Path, bare_environment: pytest.MonkeyPatch) -> Opening:
    """The command that opens a record whose keys are there."""
    keys = LocalKeys(tmp_path / "keys")
    keys.create("0344")
    bare_environment.setenv("SIGNAALWISSEL_KEY_DIR", str(tmp_path / "keys"))
    bare_environment.setenv("SIGNAALWISSEL_PROCESSING_LOG_TIMEOUT_S", "0.3")
    file = tmp_path / "record.bin"
    file.write_bytes(codec("RoutedSignal").encode(routed(keys)))
    return "open-sealed", file


@pytest.fixture
def engine(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    migrate(database_url)
    monkeypatch.setenv("SIGNAALWISSEL_DATABASE_URL", database_url)
    return open_engine(database_url, name="test")


def test_an_opening_is_acknowledged_counted_and_audited_first(
    opening: Opening,
    engine: Engine,
    collector: LogCollector,
    signaalwissel: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SIGNAALWISSEL_PROCESSING_LOG_URL", collector.url)
    for _ in range(2):
        assert signaalwissel(*opening).code == 0
    assert {span.name for span in collector.spans} == {"Verzegelde persoonsgegevens geopend"}
    # Each opening is a processing of its own, of the same resident.
    assert len(collector.times_taken()) == 2
    assert len({attributes_of(span)["dpl.core.data_subject_id"] for span in collector.spans}) == 1
    with engine.connect() as connection:
        pages = connection.execute(processing_log.select()).all()
        events = connection.execute(audit_events.select()).all()
    assert [(page.lines, page.content) for page in pages] == [(1, None)] * 2
    assert {event.kind for event in events} == {"SEALED_OPENED"}
    assert {event.trace_id for event in events} == {span.trace_id for span in collector.spans}
    assert verify(engine).findings == ()
    for secret in ("111222333", "Jansen"):
        assert all(secret not in str(event) for event in events)


@pytest.mark.parametrize("mood", [mood for mood in Mood if mood is not Mood.TAKES])
def test_without_an_acknowledgement_nothing_is_opened(
    opening: Opening,
    collector: LogCollector,
    signaalwissel: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    mood: Mood,
) -> None:
    collector.mood = mood
    monkeypatch.setenv("SIGNAALWISSEL_PROCESSING_LOG_URL", collector.url)
    ended = signaalwissel(*opening)
    assert (ended.code, ended.out) == (3, "")
    assert "without its acknowledgement nothing is done" in ended.err


def test_fail_open_opens_and_keeps_the_line_for_the_relay(
    opening: Opening,
    engine: Engine,
    collector: LogCollector,
    signaalwissel: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    collector.mood = Mood.REFUSES
    monkeypatch.setenv("SIGNAALWISSEL_PROCESSING_LOG_URL", collector.url)
    monkeypatch.setenv("SIGNAALWISSEL_PROCESSING_LOG_FAIL", "open")
    assert signaalwissel(*opening).code == 0
    with engine.connect() as connection:
        (page,) = connection.execute(processing_log.select()).all()
    assert page.content is not None
    assert page.sent_at is None


def test_without_a_collector_the_database_is_the_log(
    opening: Opening, engine: Engine, signaalwissel: CommandLine
) -> None:
    assert signaalwissel(*opening).code == 0
    with engine.connect() as connection:
        assert len(connection.execute(processing_log.select()).all()) == 1


def test_without_either_nothing_is_opened(opening: Opening, signaalwissel: CommandLine) -> None:
    ended = signaalwissel(*opening)
    assert (ended.code, ended.out) == (2, "")
    assert "nothing would record it" in ended.err


def test_a_database_that_is_away_opens_nothing(
    opening: Opening, signaalwissel: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNAALWISSEL_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    ended = signaalwissel(*opening)
    assert (ended.code, ended.out) == (3, "")


def test_a_register_without_the_purpose_is_refused_at_the_start(
    opening: Opening, tmp_path: Path, signaalwissel: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    policies = tmp_path / "policies"
    (policies / "register").mkdir(parents=True)
    (policies / "register" / "r.toml").write_text('version = "1"\n[activities]\nsignal-tested = "urn:x:y"\n')
    (policies / "default.toml").write_text(
        _default() + '\n[privacy]\nprocessing_register = "register/r.toml"\n'
    )
    monkeypatch.setenv("SIGNAALWISSEL_POLICY_DIR", str(policies))
    monkeypatch.setenv("SIGNAALWISSEL_PROCESSING_LOG_FAIL", "open")
    ended = signaalwissel(*opening)
    assert (ended.code, ended.out) == (2, "")
    assert "activities.sealed-opened: missing" in ended.err


def _default() -> str:
    return (Path(__file__).parents[2] / "processors" / "default.toml").read_text("utf-8")
