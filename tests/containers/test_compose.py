"""deploy/compose.yaml on a real engine: everything comes up healthy, and a month runs through it.

Opt-in: SIGNAALWISSEL_TEST_CONTAINERS=1, root, an engine with compose 2, and images that the variables of docs/deploy.md
name (`python -m tests.containers.images` builds them). Takes the ports of the compose file.
"""

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.containers.composed import ROOT, STAYING, Composed, composed
from tests.deploy.support import need_engine, wait_until
from tests.deploy.test_monitoring import RULES, panels

pytestmark = [pytest.mark.containers, pytest.mark.timeout(3600)]

RESIDENTS = os.environ.get("SIGNAALWISSEL_COMPOSE_RESIDENTS", "2000")
SIGNALS = os.environ.get("SIGNAALWISSEL_COMPOSE_SIGNALS", "5000")
PROMETHEUS = "http://127.0.0.1:9090/api/v1"
TARGETS = 7
"""Both stages of two workers, the sink, the gateway, the pages."""
OF_WHAT_IS_OFF = {
    "Tables on disk",  # tables are in memory
}
"""Panels that stay empty here, and why."""


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    need_engine()
    with composed(tmp_path_factory.mktemp("composed")) as running:
        yield running


@pytest.fixture(scope="module")
def month(containers: Composed) -> dict[str, Any]:
    """What came of a month."""
    # The oracle and the schemas that it reads; the program is that of the image.
    mounted = [
        word for part in ("tests", "schemas") for word in ("--volume", f"{ROOT}/{part}:/checkout/{part}:ro")
    ]
    told = containers.run(
        "run", "--rm", "--no-deps", *mounted, "--env", "PYTHONPATH=/checkout",
        "--entrypoint", "python3", "sink", "-m", "tests.containers.month", RESIDENTS, SIGNALS,
    )  # fmt: skip
    report: dict[str, Any] = json.loads(told.splitlines()[-1])
    print(report)
    return report


def asked(what: str, **arguments: str) -> Any:
    """What Prometheus answers."""
    answer = httpx.get(f"{PROMETHEUS}/{what}", params=arguments, timeout=30).json()
    assert answer["status"] == "success", answer
    return answer["data"]


def test_every_process_that_stays_is_healthy(containers: Composed) -> None:
    states = containers.states()
    staying = {name: state for name, state in states.items() if name.rsplit("-", 1)[0] in STAYING}
    assert len(staying) == len(STAYING) + 1
    assert set(staying.values()) == {("running", "healthy")}, states


def test_a_month_is_routed_and_stored_as_the_oracle_says(month: dict[str, Any]) -> None:
    assert month["deliveries"] > 0
    assert (month["lost"], month["duplicated"], month["wrong"]) == (0, 0, 0)


def test_prometheus_reads_every_process_and_has_every_rule(month: dict[str, Any]) -> None:
    def up() -> bool:
        targets = asked("targets", state="active")["activeTargets"]
        return [target["health"] for target in targets] == ["up"] * TARGETS

    wait_until(up, "every process is read")
    rules = [rule for group in asked("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == {rule["alert"] for rule in RULES}
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}


def test_every_panel_of_the_dashboards_has_something_to_show(month: dict[str, Any]) -> None:
    empty = set()
    for where, panel in panels():
        # Grafana asks the same, of the data source that the person chose.
        found = [asked("query", query=target["expr"])["result"] for target in panel["targets"]]
        if not any(found):
            empty.add(re.sub(r"^\S+ ", "", where))
    assert empty <= OF_WHAT_IS_OFF


def test_a_month_fires_no_alert_but_the_one_for_the_dead_letters_that_are_in_it(
    month: dict[str, Any],
) -> None:
    firing = {
        alert["labels"]["alertname"] for alert in asked("alerts")["alerts"] if alert["state"] == "firing"
    }
    assert firing <= {"SignaalwisselDeadLetterBurst"}
