"""`check` tells for a file what the matcher would decide, by the database, and leaves nothing but its account."""

from pathlib import Path
from typing import Any

import pytest
from signaalwissel.console import runtime
from signaalwissel.processors.simulation import Simulation
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.internal import TrajectoryState
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.sinks.accounting_tables import audit_events, processing_log
from signaalwissel.sources.generator import generate
from sqlalchemy import text

from tests.console.console_support import CommandLine, Installation
from tests.console.files_support import file_with
from tests.sinks.clock_support import Office, said
from tests.sources.gateway_support import signal

RESIDENTS, SIGNALS = 300, 400
HITS_MIN = 30


def line(**changed: Any) -> dict[str, Any]:
    value = signal(received_at="2026-02-28T10:00:00Z", **changed)
    return {"topic": "signals", "value": value}


@pytest.fixture
def office(stored: Installation) -> Office:
    return Office(stored.database_url)


def test_what_is_told_is_what_the_matcher_decides(
    signaalwissel: CommandLine,
    stored: Installation,
    office: Office,
    bare_environment: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    bare_environment.setenv("SIGNAALWISSEL_EVERY_MUNICIPALITY", "true")
    settings = stored.settings.model_copy(update={"every_municipality": True})
    keys = LocalKeys(stored.key_dir, create_municipalities=True)
    simulation = Simulation(runtime.policies(settings), keys, fresh_nonce)
    states: dict[bytes, TrajectoryState] = {}
    told = simulation.tasks.state

    def state(key: bytes, value: bytes) -> Any:
        states[key] = read_trajectory_state(value)
        return told(key, value)

    simulation.tasks.state = state  # type: ignore[method-assign]
    final: dict[tuple[str, str, str, str], str] = {}
    lines: dict[tuple[str, str, str, str], Any] = {}
    for one in generate(RESIDENTS, SIGNALS, seed=7):
        for output in simulation.feed(one):
            value = output["value"]
            if output["topic"] != "decisions":
                continue
            name = (
                value["municipality"],
                value["partner"]["partner_id"],
                value["signal_id"],
                value["received_at"],
            )
            final[name] = value["route"]
            if value["revision"] == 0:
                lines[name] = one
    office.store(states=states.values())
    ended = signaalwissel("check", file_with(tmp_path, lines.values()), "--json")
    assert ended.code == 0
    routes = [answer["route"] for answer in ended.lines]
    assert routes == [final[name] for name in lines]
    assert routes.count("COUNSELLOR_FOLLOWUP") >= HITS_MIN


def test_each_check_is_on_record_and_nothing_else_stays(
    signaalwissel: CommandLine, stored: Installation, office: Office, tmp_path: Path
) -> None:
    before = said(office)
    ended = signaalwissel("check", file_with(tmp_path, [line(), line(signal_id="S-2")]), "--json")
    assert [(answer["signal_id"], answer["route"]) for answer in ended.lines] == [
        ("S-1", "REGULAR_FLOW"),
        ("S-2", "REGULAR_FLOW"),
    ]
    assert said(office) == before
    [page] = office.rows(processing_log)
    assert page["lines"] == 2
    [event] = office.rows(audit_events)
    assert (event["kind"], event["municipality"], event["details"]) == (
        "RESIDENTS_CHECKED",
        "0344",
        {"checks": 2},
    )
    traces = {answer["reference"].partition("-")[0] for answer in ended.lines}
    assert traces == {bytes(event["trace_id"]).hex()}


def test_what_cannot_be_put_on_record_is_not_told(
    signaalwissel: CommandLine, stored: Installation, tmp_path: Path, bare_environment: pytest.MonkeyPatch
) -> None:
    bare_environment.setenv("SIGNAALWISSEL_PROCESSING_LOG_URL", "http://127.0.0.1:9/v1/traces")
    bare_environment.setenv("SIGNAALWISSEL_PROCESSING_LOG_BUFFER_LINES", "1")
    with stored.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO processing_log (created_at, writer, lines, content) VALUES (now(), 't', 2, '')")
        )
    ended = signaalwissel("check", file_with(tmp_path, [line()]), "--json")
    assert (ended.code, ended.out) == (3, "")
    assert "processing log" in ended.err


def test_signals_that_intake_refuses_are_findings_and_the_others_are_checked(
    signaalwissel: CommandLine, stored: Installation, tmp_path: Path
) -> None:
    lines = [line(arrears="-1.00"), line(municipality="0363"), line()]
    ended = signaalwissel("check", file_with(tmp_path, lines), "--json")
    assert ended.code == 1
    assert [(answer.get("field"), answer.get("route")) for answer in ended.lines] == [
        ("arrears", None),
        ("municipality", None),
        (None, "REGULAR_FLOW"),
    ]


def test_a_municipality_with_a_policy_and_without_keys_is_a_finding(
    signaalwissel: CommandLine, stored: Installation, tmp_path: Path
) -> None:
    (stored.policy_dir / "0363.toml").touch()
    ended = signaalwissel("check", file_with(tmp_path, [line(municipality="0363"), line()]), "--json")
    assert ended.code == 1
    assert [(answer.get("code"), answer.get("route")) for answer in ended.lines] == [
        ("UNKNOWN_MUNICIPALITY", None),
        (None, "REGULAR_FLOW"),
    ]


def test_for_people_it_tells_who_would_go_to_a_counsellor_and_how_many_there_are(
    signaalwissel: CommandLine, stored: Installation, tmp_path: Path
) -> None:
    ended = signaalwissel("check", file_with(tmp_path, [line(), line(arrears="0.00")]))
    assert ended.code == 1
    assert "line 2: S-1: refused: arrears" in ended.out
    assert "S-1: REGULAR_FLOW" not in ended.out
    assert "REGULAR_FLOW" in ended.out


def test_a_line_that_is_no_signal_is_no_question(
    signaalwissel: CommandLine, stored: Installation, tmp_path: Path
) -> None:
    ended = signaalwissel("check", file_with(tmp_path, [{"topic": "trajectories", "value": {}}]))
    assert ended.code == 2
    assert "trajectories" in ended.err
