"""How fast the pages answer on 100,000 open tasks of one municipality: `make bench-web`.

In: nothing. Out: for every page the median and the slowest answer of 20, over HTTP from a server of its own thread, on
real PostgreSQL. Ends with 1 when an answer is no page. No figure is asserted.
"""

import json
import os
import statistics
import sys
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from rich.console import Console
from rich.table import Table
from signaalwissel.console.webpages.kept import PATIENCE_S
from signaalwissel.deploy.databases import fresh_database
from signaalwissel.deploy.platform import platform
from signaalwissel.deploy.ports import free_ports
from signaalwissel.deploy.progress import progress_on
from signaalwissel.deploy.settings import PlatformSettings
from signaalwissel.processors.access import Role
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import ClientPseudonym
from signaalwissel.schemas.trajectory import ExitReason, TrajectoryEventKind
from sqlalchemy import text

from tests.benchmarks.machine import facts
from tests.console.webpages.web_support import COUNSELLOR, MUNICIPALITY, TEAM, Town, Visitor
from tests.sinks.clock_support import state

TASKS = 100_000
REGULAR = 100_000
TRAJECTORIES = 10_000
TIMES = 20

# A contact on a relapse each, with its signal and its decision; 50 counsellors in 10 teams.
_FILL = (
    """
    INSERT INTO tasks (task_id, version, kind, status, municipality, trajectory_id, assignee, team, due_on, opened_on,
        next_on, policy_version)
    SELECT 'many-' || n, 1, 'CONTACT_ON_RELAPSE', 'OPEN', :code, 'M-' || n, 'sh-' || n % 50, 'team-' || n % 10,
        current_date + n % 28, current_date - (n % 28), current_date + 1, :version
    FROM generate_series(1, :tasks) AS n
    """,
    """
    INSERT INTO task_signals (task_id, position, signal_ref, partner_id, partner_kind, signal_id, received_at,
        routing_id, match_key, arrears_cents, last_day, crisis, repeated, "left")
    SELECT 'many-' || n, 0, decode(md5(n::text), 'hex'), 'p-' || n % 9, 'RENT', 'm-' || n, now(),
        md5(n::text) || '-0', 'k', 40000, current_date - (n % 28), n % 40 = 0, false, false
    FROM generate_series(1, :tasks) AS n
    """,
    """
    INSERT INTO task_history (task_id, position, at, what)
    SELECT 'many-' || n, 0, now(), 'OPENED' FROM generate_series(1, :tasks) AS n
    """,
    """
    INSERT INTO decisions (routing_id, signal_id, municipality, revision, route, reason, policy_version,
        reference_date, decided_at, partner_id, partner_kind, received_at, last_day, crisis, trajectory_id, client,
        matched_by, window_ends_on)
    SELECT md5(n::text) || '-0', 'm-' || n, :code, 0,
        CASE WHEN n <= :tasks THEN 'COUNSELLOR_FOLLOWUP' ELSE 'REGULAR_FLOW' END,
        CASE WHEN n <= :tasks THEN 'COMPLETED_WITHIN_WINDOW' ELSE 'NO_TRAJECTORY' END,
        :version, current_date - n % 150, now(), 'p-' || n % 9, (ARRAY['RENT', 'WATER', 'ENERGY'])[n % 3 + 1],
        now() - make_interval(days => n % 150), current_date - n % 150, false,
        CASE WHEN n <= :tasks THEN 'M-' || n END, CASE WHEN n <= :tasks THEN 0 END, 'BSN',
        CASE WHEN n <= :tasks THEN current_date + n % 60 END
    FROM generate_series(1, :tasks + :regular) AS n
    """,
)


def main() -> int:
    """Measure every page; 0 when all of them answered."""
    console = Console(soft_wrap=True)
    told = facts()
    settings = PlatformSettings.from_environment(os.environ)
    with (
        tempfile.TemporaryDirectory() as folder,
        platform(settings, kafka=False, progress=progress_on(sys.stderr)) as servers,
        fresh_database(servers.database_url, "bench_web") as url,
    ):
        (port,) = free_ports(1)
        town = Town(url, Path(folder) / "keys", f"http://127.0.0.1:{port}", PATIENCE_S)
        _fill(town)
        measured, wrong = _measured(town, port)
    table = Table("Page", "Median ms", "Slowest ms", "Bytes", title=f"{TASKS:,} open tasks")
    for row in measured:
        table.add_row(row["page"], *(str(row[name]) for name in ("median_ms", "slowest_ms", "bytes")))
    console.print(table)
    print(json.dumps({"machine": told}))
    for problem in wrong:
        console.print(f"[red]{problem}[/]")
    return 1 if wrong else 0


def _fill(town: Town) -> None:
    with town.engine.begin() as connection:
        version = connection.execute(text("SELECT version FROM policies LIMIT 1")).scalar_one()
        given = {"code": MUNICIPALITY, "version": version, "tasks": TASKS, "regular": REGULAR}
        for statement in _FILL:
            connection.execute(text(statement), given)
        connection.execute(
            text("INSERT INTO trajectories VALUES (:code, :name, 1, false, NULL, NULL, :state, NULL)"),
            [
                {"code": MUNICIPALITY, "name": f"M-{n}", "state": _state(town, n)}
                for n in range(1, TRAJECTORIES + 1)
            ],
        )
    with town.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _state(town: Town, number: int) -> bytes:
    """A trajectory of a resident of its own that was completed some weeks ago."""
    kinds = TrajectoryEventKind
    applied, left = town.today - timedelta(days=500), town.today - timedelta(days=30 + number % 200)
    told = state((kinds.APPLIED, applied), (kinds.ADMITTED, applied), (kinds.EXITED, left))
    client = ClientPseudonym(bsn=number.to_bytes(32, "big"))
    first, second, third = told.facts
    told = told._replace(
        trajectory_id=f"M-{number}",
        facts=(
            first._replace(clients=(client,)),
            second,
            third._replace(exit_reason=ExitReason.COMPLETED),
        ),
    )
    encoded: bytes = codec("TrajectoryState").encode(told)
    return encoded


def _measured(town: Town, port: int) -> tuple[list[dict[str, Any]], list[str]]:
    server = uvicorn.Server(
        uvicorn.Config(town.app, port=port, log_level="error", lifespan="off", timeout_keep_alive=120)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    rows, wrong = [], []
    try:
        for role, choice, paths in _visits(town):
            with httpx.Client(base_url=town.base, timeout=120) as browser:
                visitor = Visitor(browser, role, **choice)
                for name, path in paths.items():
                    row = _one(visitor, name, path)
                    rows.append(row)
                    print(json.dumps({"bench": "web", **row}), flush=True)
                    if row["status"] != 200:
                        wrong.append(f"{name}: answered {row['status']}")
    finally:
        server.should_exit = True
        thread.join()
    return rows, wrong


def _visits(town: Town) -> list[tuple[Role, dict[str, str], dict[str, str]]]:
    deep = f"{town.today + timedelta(days=14)} many-5"
    return [
        (
            Role.COUNSELLOR,
            {"counsellor_id": COUNSELLOR, "team": "team-7"},
            {
                "work list, own": "/taken?van=mijn",
                "work list, team": "/taken?van=team",
                "work list, half way": f"/taken?van=team&na={deep}",
                "task": "/taken/many-7",
                "signal": "/signalen?nummer=m-7",
                "trajectory": "/dossiers?traject=M-7",
            },
        ),
        (
            Role.TEAM_LEAD,
            {"team": TEAM},
            {
                "work list, municipality": "/taken?van=gemeente",
                "fallout": "/uitval",
                "figures": "/cijfers",
                "figures for partners": "/cijfers/partners",
                "policy": "/beleid",
                "policy tried on recent decisions": "/beleid?bron=recent&window.months=3",
            },
        ),
        (Role.OPERATOR, {}, {"dead letters": "/berichten", "operations": "/beheer"}),
    ]


def _one(visitor: Visitor, name: str, path: str) -> dict[str, Any]:
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        answer = visitor.browser.get(path)
        took.append((time.perf_counter() - began) * 1000)
    return {
        "page": name,
        "status": answer.status_code,
        "median_ms": round(statistics.median(took), 1),
        "slowest_ms": round(max(took), 1),
        "bytes": len(answer.content),
    }


if __name__ == "__main__":
    sys.exit(main())
