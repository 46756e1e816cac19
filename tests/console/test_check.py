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
from tests.sources.import_support import imported, sample, signals

SAMPLES = Path(__file__).parents[2] / "sources" / "samples"
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


APPLIED = {
    "event_id": "e-1",
    "trajectory_id": "T-1",
    "municipality": "0344",
    "sequence": 1,
    "occurred_on": "2026-01-05",
    "recorded_at": "2026-01-05T09:00:00Z",
    "kind": "APPLIED",
    "clients": [{"bsn": "999990123"}],
    "counsellor": {"counsellor_id": "c-1", "team": "team-oost"},
}


def known_to_a_counsellor(stored: Installation, office: Office) -> None:
    """The resident of the first row of the VPS sample has a running trajectory."""
    simulation = Simulation(runtime.policies(stored.settings), LocalKeys(stored.key_dir), fresh_nonce)
    states: dict[bytes, TrajectoryState] = {}

    def state(key: bytes, value: bytes) -> tuple[()]:
        states[key] = read_trajectory_state(value)
        return ()

    simulation.tasks.state = state  # type: ignore[assignment, method-assign]
    list(simulation.feed({"topic": "trajectories", "value": APPLIED}))
    office.store(states=states.values())


def test_an_export_is_read_by_its_profile(
    signaalwissel: CommandLine, stored: Installation, office: Office
) -> None:
    known_to_a_counsellor(stored, office)
    ended = signaalwissel("check", "vps", str(SAMPLES / "vps.csv"), "--json")
    assert ended.code == 0
    assert [(answer["row"], answer["signal_id"], answer["route"]) for answer in ended.lines] == [
        (2, "VPS-1", "COUNSELLOR_FOLLOWUP"),
        (3, "VPS-2", "REGULAR_FLOW"),
        (4, "VPS-3", "REGULAR_FLOW"),
    ]
    people = signaalwissel("check", "vps", str(SAMPLES / "vps.csv"))
    assert "row 2: 0344/01234567/VPS-1: COUNSELLOR_FOLLOWUP, reference " in people.out
    assert "VPS-2" not in people.out


@pytest.mark.parametrize(
    ("system", "sample_file"),
    [("vps", "vps.csv"), ("ris", "ris.xlsx"), ("ddas-signals", "ddas-signals.json")],
)
def test_a_check_asks_about_the_signals_that_an_import_would_send(
    signaalwissel: CommandLine, stored: Installation, system: str, sample_file: str, tmp_path: Path
) -> None:
    report, sent = imported(system, sample(system, tmp_path))
    moment = ("--received-at", "2026-02-10T12:00:00Z")
    asked = signaalwissel("check", system, str(SAMPLES / sample_file), *moment, "--json")
    assert asked.code == 0
    would = [(one.municipality, one.partner.partner_id, one.signal_id) for one in signals(sent)]
    told = [(one["municipality"], one["partner_id"], one["signal_id"]) for one in asked.lines]
    assert told == would
    assert len(told) == report.rows


def test_rows_that_are_no_signals_are_findings_with_row_column_and_rule(
    signaalwissel: CommandLine, stored: Installation, tmp_path: Path
) -> None:
    file = tmp_path / "vuil.csv"
    text = (SAMPLES / "vps.csv").read_text("utf-8-sig")
    file.write_text(text.replace("1.250,50", "=2+3").replace("09-02-2026", "32-02-2026", 1), "utf-8")
    ended = signaalwissel("check", "vps", str(file), "--json")
    assert ended.code == 1
    assert [(answer["row"], "route" in answer) for answer in ended.lines] == [
        (2, False),
        (3, True),
        (4, True),
    ]
    assert ended.lines[0]["columns"] in (["Bedrag"], ["Signaaldatum"])
    assert "=2+3" not in ended.out + ended.err
    assert "32-02-2026" not in ended.out + ended.err


def test_an_export_that_breaks_off_says_so_after_what_could_be_read(
    signaalwissel: CommandLine, stored: Installation, tmp_path: Path
) -> None:
    whole = (SAMPLES / "ddas-signals.json").read_bytes()
    file = tmp_path / "half.json"
    file.write_bytes(whole[: len(whole) // 2])
    ended = signaalwissel("check", "ddas-signals", str(file), "--json")
    assert ended.code == 1
    assert ended.lines[-1]["code"] == "UNREADABLE"
    assert "route" not in ended.lines[-1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["stratech", str(SAMPLES / "stratech.csv")], "no signals"),
        (["nergens", str(SAMPLES / "vps.csv")], "no such profile"),
        (["vps", "nergens.csv"], "no such file"),
        (["month.jsonl", "--municipality", "0344"], "go with a profile"),
        (["vps", str(SAMPLES / "vps.csv"), "--municipality", "0344"], "--municipality"),
        (["vps", str(SAMPLES / "vps.csv"), "--received-at", "gisteren"], "--received-at"),
    ],
)
def test_what_cannot_be_checked_says_why(
    signaalwissel: CommandLine, stored: Installation, arguments: list[str], said: str
) -> None:
    ended = signaalwissel("check", *arguments)
    assert ended.code == 2
    assert said in ended.err
