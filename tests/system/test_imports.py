"""From a system's export to its answer: imported, routed, a task for the counsellor, the outcome told back."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from signaalwissel.processors.simulation_lines import Line
from signaalwissel.schemas.followup import TaskKind
from signaalwissel.schemas.routing import Route
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.tables import tasks
from sqlalchemy import select

from tests.system.installation import Installation

pytestmark = pytest.mark.timeout(600)

SAMPLES = Path(__file__).parents[1] / "sources" / "samples"
TRAJECTORIES = ("stratech.csv", "allegro.xml", "onview.csv", "ddas-trajectories.json")
SIGNALS = ("vps.csv", "ris.xlsx")
COUNSELLORS = {"VPS-1": "c-stratech", "VPS-2": "c-allegro", "RIS-1": "c-onview", "RIS-2": None}
REGULAR = {"VPS-3", "RIS-3"}


def program(product: Installation, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "signaalwissel.console", *arguments, "--json"],
        env=product.environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def imported(product: Installation, name: str, received_at: str) -> None:
    told = program(
        product, "import", name.split(".", maxsplit=1)[0], str(SAMPLES / name), "--received-at", received_at
    )
    assert told["rows"] == told["accepted"] == told["new"] > 0


def answers(file: Path, number: str) -> dict[str, str]:
    rows = csv.DictReader(file.read_text("utf-8-sig").splitlines(), delimiter=";")
    return {row[number]: row["Status"] for row in rows}


def contact_made(task_id: str) -> Line:
    value = {
        "update_id": f"{task_id}/1",
        "task_id": task_id,
        "occurred_at": "2026-02-12T10:00:00Z",
        "kind": "CONTACT_MADE",
        "channel": "PHONE",
        "reached": True,
        "by": "c-test",
    }
    return {"topic": "task-updates", "value": value}


def with_everything_imported(install: Callable[..., Installation]) -> Installation:
    product = install(partitions=2)
    product.start("worker")
    product.start("sink")
    for name in TRAJECTORIES:
        imported(product, name, "2026-02-01T12:00:00Z")
    product.settle()
    for name in SIGNALS:
        imported(product, name, "2026-02-10T12:00:00Z")
    product.settle(sink=True)
    return product


def test_exports_of_all_systems_lead_to_tasks_and_to_answers(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    product = with_everything_imported(install)
    decided = {decision.signal_id: decision for decision in product.decisions()}
    assert {name for name, one in decided.items() if one.route is Route.COUNSELLOR_FOLLOWUP} == set(
        COUNSELLORS
    )
    assert {name for name, one in decided.items() if one.route is Route.REGULAR_FLOW} == REGULAR
    found = {name: decided[name].counsellor for name in COUNSELLORS}
    assert {n: c.counsellor_id if c is not None else None for n, c in found.items()} == COUNSELLORS
    assert product.dead_letters() == []

    # Nobody has been reached: the answer tells nothing, as telling would say that there is a trajectory.
    early = tmp_path / "vroeg.csv"
    assert program(product, "export", "vps", str(early))["signals"] == 0
    engine = open_engine(product.database_url, name="test")
    with engine.connect() as connection:
        opened = connection.execute(
            select(tasks.c.task_id).where(tasks.c.kind == TaskKind.CONTACT_ON_RELAPSE.value)
        ).scalars()
        contacts = [contact_made(task_id) for task_id in opened]
    assert len(contacts) == len(COUNSELLORS)
    product.publish(contacts)
    product.settle(sink=True)

    for system, number, partner in (
        ("vps", "Signaalnummer", "01234567"),
        ("ris", "Meldingsnummer", "07654321"),
    ):
        file = tmp_path / f"{system}.csv"
        chosen = ("--municipality", "0344", "--from", "2026-02-10", "--partner", partner)
        program(product, "export", system, str(file), *chosen, "--all")
        own = [name for name in (*COUNSELLORS, *REGULAR) if name.startswith(system.upper())]
        assert answers(file, number) == {
            name: "Opgepakt" if name in COUNSELLORS else "Nog niet opgepakt" for name in own
        }
