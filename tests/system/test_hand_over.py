"""A task system hands a task over by name: over HTTP and Kafka, until the colleague has it, or as a dead letter."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from signaalwissel.deploy.ports import free_ports
from signaalwissel.processors.emissions import DECISIONS, TRAJECTORY_STATES
from signaalwissel.processors.identifiers import signal_key, trajectory_key
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskEvent, TaskStatus
from signaalwissel.schemas.trajectory import Counsellor, TrajectoryEventKind
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.row_security import grant_reader

from tests.console.webpages.web_support import Visitor
from tests.processors.followup_support import COUNSELLOR, decision
from tests.sinks.clock_support import MONDAY, state
from tests.system.installation import Installation

pytestmark = pytest.mark.timeout(600)

TEAM = COUNSELLOR.team
MINE, COLLEAGUE, ELSEWHERE = COUNSELLOR.counsellor_id, "b-lea", "b-ver"


class Town:
    """A sink and a gateway, a task of a counsellor, a colleague, and a counsellor of another municipality."""

    def __init__(self, install: Callable[..., Installation]) -> None:
        self._port, web = free_ports(2)
        self.web = f"http://127.0.0.1:{web}"
        ports = {"SIGNAALWISSEL_GATEWAY_PORT": str(self._port), "SIGNAALWISSEL_WEB_PORT": str(web)}
        self.product = install(partitions=2, extra={"SIGNAALWISSEL_DEVELOPMENT_LOGIN": "true", **ports})
        grant_reader(open_engine(self.product.database_url, name="test"))
        self.product.start("sink")
        self.product.start("gateway")
        self._run("0344", "T-8", COLLEAGUE)
        self._run("0363", "T-9", ELSEWHERE)
        hit = decision()
        key = signal_key(hit.municipality, hit.partner.partner_id, hit.signal_id)
        self.product.send_raw(DECISIONS, codec("Decision").encode(hit), key=key)
        self.product.wait_until(lambda: len(self.told()) == 1, "the task is told")
        self.product.settle(sink=True)
        (event,) = self.told()
        self.task_id = event.task_id

    def told(self) -> list[TaskEvent]:
        """What task systems read."""
        return [codec("TaskEvent").decode(record.value) for record in self.product.read("tasks")]

    def hand_over(self, update_id: str, to: str) -> httpx.Response:
        """As the counsellor's task system does."""
        said = {
            "update_id": update_id,
            "task_id": self.task_id,
            "occurred_at": "2026-03-03T10:00:00Z",
            "kind": "REASSIGNED",
            "by": MINE,
            "assignee": to,
        }
        headers = {"authorization": f"Bearer {self._token()}"}
        address = f"http://127.0.0.1:{self._port}/v1/taakupdates"
        return httpx.post(address, json=said, headers=headers, timeout=30)

    def letters(self) -> list[dict[str, Any]]:
        """The dead letters of task updates, as the operator lists them."""
        command = ["dead-letters", "list", "--topic", f"{self.product.prefix}task-updates", "--json"]
        ended = subprocess.run(
            [sys.executable, "-m", "signaalwissel.console", *command],
            check=True, capture_output=True, text=True, env=self.product.environment,
        )  # fmt: skip
        return [json.loads(line) for line in ended.stdout.splitlines()]

    def _run(self, municipality: str, trajectory_id: str, counsellor_id: str) -> None:
        run_by = state((TrajectoryEventKind.APPLIED, MONDAY), counsellor=Counsellor(counsellor_id, TEAM))
        told = run_by._replace(municipality=municipality, trajectory_id=trajectory_id)
        value = codec("TrajectoryState").encode(told)
        self.product.send_raw(TRAJECTORY_STATES, value, key=trajectory_key(municipality, trajectory_id))

    def _token(self) -> str:
        (log,) = self.product.folder.glob("gateway-*.log")
        said = re.compile(r"^export SIGNAALWISSEL_TOKEN=(\S+)$", re.MULTILINE)
        self.product.wait_until(lambda: said.search(log.read_text()) is not None, "the gateway listens")
        (token,) = said.findall(log.read_text())
        return str(token)


@pytest.fixture
def town(install: Callable[..., Installation]) -> Town:
    return Town(install)


def work_list(town: Town, counsellor_id: str) -> str:
    """What a counsellor sees on the page."""
    with httpx.Client(base_url=town.web, timeout=30) as browser:
        return Visitor(browser, "counsellor", counsellor_id=counsellor_id, team=TEAM).get("/taken").text


def test_a_task_that_a_task_system_hands_over_is_told_with_its_new_owner_and_stands_on_their_list(
    town: Town,
) -> None:
    web = town.product.start("web")
    assert town.hand_over("u-1", COLLEAGUE).status_code == 202
    town.product.wait_until(lambda: len(town.told()) == 2, "the task is told anew")
    told = sorted(town.told(), key=lambda event: event.version)
    assert [(event.version, event.assignee, event.status) for event in told] == [
        (1, MINE, TaskStatus.OPEN),
        (2, COLLEAGUE, TaskStatus.OPEN),
    ]
    (log,) = town.product.folder.glob("web-*.log")
    town.product.wait_until(
        lambda: web.poll() is None and "listens" in log.read_text(), "the pages are there"
    )
    assert "traject T-1" in work_list(town, COLLEAGUE)
    assert "traject T-1" not in work_list(town, MINE)


def test_a_task_that_is_handed_over_to_nobody_of_the_municipality_stays_and_the_report_is_a_dead_letter(
    town: Town,
) -> None:
    for number, nobody in enumerate(("b-lae", ELSEWHERE)):
        assert town.hand_over(f"u-{number}", nobody).status_code == 202
    town.product.wait_until(lambda: len(town.letters()) == 2, "both are refused")
    assert {(one["record_id"], one["code"], one["field"]) for one in town.letters()} == {
        ("u-0", "INVALID_FIELD", "assignee"),
        ("u-1", "INVALID_FIELD", "assignee"),
    }
    assert [(event.version, event.assignee) for event in town.told()] == [(1, MINE)]
