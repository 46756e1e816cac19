"""From the database to messages of DDAS: who goes, what is left out, and that every opening is on record first."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from signaalwissel.processors.identifiers import signal_ref
from signaalwissel.processors.intake_signals import subject_belongs_to
from signaalwissel.processors.sealing import seal
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.early_signal_codec import sealed_subject_body
from signaalwissel.schemas.internal import TrajectoryState
from signaalwissel.schemas.routing import Decision
from signaalwissel.schemas.signal import Subject
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.sinks import audit, trajectories
from signaalwissel.sinks.accounting_tables import audit_events, processing_log
from signaalwissel.sinks.tables import task_signals, task_updates, tasks
from sqlalchemy import insert, select

from tests.console.console_support import MUNICIPALITY, CommandLine, Installation
from tests.processors.agenda_support import applied
from tests.processors.followup_support import decision, regular
from tests.sinks.sink_support import ledger

BSN = Subject(bsn="111222333", postcode="3511AB", house_number=12, surname="Jansen")
NOWHERE = Subject(surname="Jansen")
DAY = date(2026, 3, 2)
OPTIONS = ("--from", "2026-01-01", "--to", "2026-06-30", "--supplier", "SOFT-1", "--organisation", "Utrecht")


def ref(made: Decision) -> bytes:
    return signal_ref(made.municipality, made.partner.partner_id, made.signal_id, made.received_at)


def sealed(installation: Installation, made: Decision, subject: Subject) -> Decision:
    key = installation.keys.day_key(MUNICIPALITY, made.last_day)
    belongs = subject_belongs_to(MUNICIPALITY, ref(made))
    return made._replace(sealed_subject=seal(sealed_subject_body(subject, None), key, belongs, fresh_nonce()))


def follow_up(made: Decision) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    moment = datetime(2026, 3, 3, 9, tzinfo=UTC)
    task = {
        "task_id": "t-1", "version": 3, "kind": "CONTACT_ON_RELAPSE", "status": "DONE",
        "municipality": MUNICIPALITY, "trajectory_id": "T-1", "team": "noord", "due_on": DAY, "opened_on": DAY,
        "candidates": [], "rung": 0, "policy_version": "p", "outcome": "PAID_OR_ARRANGED",
    }  # fmt: skip
    signal = {
        "task_id": "t-1", "position": 0, "signal_ref": ref(made), "partner_id": "woonstad", "partner_kind": "RENT",
        "signal_id": made.signal_id, "received_at": moment, "routing_id": made.routing_id, "match_key": b"k",
        "arrears_cents": 1, "last_day": DAY, "crisis": False, "repeated": False, "left": False,
    }  # fmt: skip
    said = {
        "update_id": "u-1", "task_id": "t-1", "kind": "CONTACT_MADE", "occurred_at": moment, "channel": "PHONE",
        "reached": True, "by": "b-17",
    }  # fmt: skip
    return task, signal, said


@pytest.fixture
def filled(stored: Installation) -> Installation:
    """A hit with its follow-up, a regular signal, one without address, one outside the period; a trajectory."""
    hit = sealed(stored, decision("s-1"), BSN)
    made = [
        hit,
        sealed(stored, regular("s-2"), BSN),
        sealed(stored, regular("s-3"), NOWHERE),
        sealed(stored, regular("s-4", received_on=date(2025, 12, 31)), BSN),
    ]
    state = TrajectoryState(MUNICIPALITY, "T-1", 1, False, "e-1", (applied(),), ())
    with stored.engine.begin() as connection:
        audit.record(connection, made, ledger())
        trajectories.record(connection, [(state, codec("TrajectoryState").encode(state))], {})
        for table, row in zip((tasks, task_signals, task_updates), follow_up(hit), strict=True):
            connection.execute(insert(table).values(row))
    return stored


def allow(installation: Installation, clients: str) -> None:
    file = installation.policy_dir / f"{MUNICIPALITY}.toml"
    file.write_text(f'[privacy]\nddas_clients = "{clients}"\n', "utf-8")


def message(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}-0001.json").read_text("utf-8"))["gegevens"]


def test_signals_go_with_their_resident_and_follow_up_and_trajectories_without_clients(
    filled: Installation, signaalwissel: CommandLine, tmp_path: Path
) -> None:
    allow(filled, "bsn")
    ended = signaalwissel("report", "ddas", *OPTIONS, tmp_path / "uit", "--json")
    assert (ended.code, ended.json["signals"], ended.json["trajectories"]) == (1, 2, 1)
    assert list(ended.json["left_out"].values()) == [1]
    (delivery,) = message(tmp_path / "uit", "ddas-vroegsignalen")["leveringen"]
    signals = delivery["vroegsignalen"]
    assert {json.dumps(one["client"]) for one in signals} == {'{"burgerservicenummer": "111222333"}'}
    assert [one.get("status") for one in signals] == ["Inwoner al bekend bij schuldhulpverlening", None]
    assert delivery["vroegsignaalzaken"] == [
        {
            "vroegsignalen": [{"ID": signals[0]["ID"]}],
            "resultaat": "Inwoner heeft zelf al betaald/betalingsregeling getroffen",
            "datumOpgepakt": "2026-03-03",
            "contactpogingen": [
                {"soort": "Telefoon", "bereikt": True, "datum": "2026-03-03", "dagdeel": "Ochtend"}
            ],
        }
    ]
    (tracks,) = message(tmp_path / "uit", "ddas-schuldhulptrajecten")["leveringen"]
    assert [set(one) for one in tracks["schuldhulptrajecten"]] == [
        {"gemeentecode", "startdatum", "aanmelding"}
    ]
    assert "111222333" not in ended.out + ended.err


def test_an_address_goes_where_the_policy_lets_no_bsn_go(
    filled: Installation, signaalwissel: CommandLine, tmp_path: Path
) -> None:
    allow(filled, "address")
    signaalwissel("report", "ddas", *OPTIONS, tmp_path / "uit")
    text = (tmp_path / "uit" / "ddas-vroegsignalen-0001.json").read_text("utf-8")
    assert '"postcode": "3511AB"' in text
    assert "111222333" not in text


def test_without_leave_of_the_policy_no_signal_goes_and_nothing_is_opened(
    filled: Installation, signaalwissel: CommandLine, tmp_path: Path
) -> None:
    ended = signaalwissel("report", "ddas", *OPTIONS, tmp_path / "uit", "--json")
    assert (ended.code, ended.json["signals"], ended.json["trajectories"]) == (1, 0, 1)
    with filled.engine.connect() as connection:
        assert connection.execute(select(audit_events)).all() == []


def test_each_opening_is_on_record(filled: Installation, signaalwissel: CommandLine, tmp_path: Path) -> None:
    allow(filled, "bsn")
    signaalwissel("report", "ddas", *OPTIONS, tmp_path / "uit")
    with filled.engine.connect() as connection:
        assert connection.execute(select(processing_log.c.lines)).scalars().all() == [3]
        kinds = connection.execute(select(audit_events.c.kind)).scalars().all()
    assert kinds == ["SEALED_OPENED"] * 3


def test_without_acknowledgement_nothing_is_opened_or_written(
    filled: Installation, signaalwissel: CommandLine, tmp_path: Path, bare_environment: pytest.MonkeyPatch
) -> None:
    allow(filled, "bsn")
    bare_environment.setenv("SIGNAALWISSEL_PROCESSING_LOG_URL", "http://127.0.0.1:9/v1/traces")
    ended = signaalwissel("report", "ddas", *OPTIONS, tmp_path / "uit")
    assert ended.code == 3
    assert list((tmp_path / "uit").iterdir()) == []


def test_a_destroyed_day_is_left_out(
    filled: Installation, signaalwissel: CommandLine, tmp_path: Path
) -> None:
    allow(filled, "bsn")
    filled.keys.destroy_day_key(MUNICIPALITY, DAY)
    ended = signaalwissel("report", "ddas", *OPTIONS, tmp_path / "uit", "--json")
    assert (ended.code, ended.json["signals"]) == (1, 0)
    assert list(ended.json["left_out"].values()) == [3]


def test_a_dry_run_counts_and_writes_nothing(
    filled: Installation, signaalwissel: CommandLine, tmp_path: Path
) -> None:
    allow(filled, "bsn")
    ended = signaalwissel("report", "ddas", *OPTIONS, tmp_path / "uit", "--json", "--dry-run")
    assert (ended.code, ended.json["signals"], ended.json["trajectories"]) == (0, 3, 1)
    assert not (tmp_path / "uit").exists()


@pytest.mark.usefixtures("stored")
def test_pages_never_come_among_those_of_another_delivery(signaalwissel: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "uit").mkdir()
    (tmp_path / "uit" / "x").touch()
    ended = signaalwissel("report", "ddas", *OPTIONS, tmp_path / "uit")
    assert ended.code == 2
    assert "not empty" in ended.err


@pytest.mark.usefixtures("stored")
def test_a_period_ends_after_it_begins(signaalwissel: CommandLine, tmp_path: Path) -> None:
    turned = ("--from", "2026-02-01", "--to", "2026-01-01", "--supplier", "S", "--organisation", "U")
    assert signaalwissel("report", "ddas", *turned, tmp_path / "uit").code == 2
