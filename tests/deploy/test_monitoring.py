"""Alert rules and dashboards: Prometheus takes them, alerts fire when they should, and every metric in them is exported."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.console.metrics_support import every_page

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((MONITORING / "rules.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARDS = {
    file.name: json.loads(file.read_text("utf-8")) for file in (MONITORING / "dashboards").glob("*.json")
}
OF_PROMETHEUS = {"up"}
_METRIC = re.compile(r"\b(?:signaalwissel|messaging|http_server|process|python_gc)_\w+|\bup\b")
_LABELS = re.compile(r"\{[^}]*\}|\b(?:by|on) \([^)]*\)")

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None and os.environ.get("SIGNAALWISSEL_PROMTOOL") != "required",
    reason="promtool is not on this machine: it comes with the package `prometheus` of Debian and Ubuntu",
)


def promtool(*arguments: str) -> None:
    ended = subprocess.run(
        ["promtool", *arguments], cwd=MONITORING, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, dashboard in DASHBOARDS.items():
        for panel in dashboard["panels"]:
            if panel["type"] != "row":
                yield f"{name}: {panel['title']}", panel


def expressions() -> dict[str, str]:
    """Every expression, by where it stands."""
    found = {rule["alert"]: rule["expr"] for rule in RULES}
    for where, panel in panels():
        found |= {f"{where} {target['refId']}": target["expr"] for target in panel["targets"]}
    return found


def exported() -> set[str]:
    """The name of every series of every process, as a query has it."""
    names = set(OF_PROMETHEUS)
    for page in every_page().values():
        for name, family in page.items():
            endings = {
                "counter": ("_total",),
                "histogram": ("_bucket", "_count", "_sum"),
            }.get(family.type, ("",))
            names |= {name + ending for ending in endings}
    return names


@needs_promtool
def test_prometheus_takes_the_rules_and_the_scrape_configuration() -> None:
    promtool("check", "rules", "--lint-fatal", "rules.yml")
    promtool("check", "config", "prometheus.yml")


@needs_promtool
def test_every_alert_fires_when_it_should_and_not_below_it() -> None:
    promtool("test", "rules", "rules.test.yml")


@needs_promtool
def test_prometheus_takes_every_expression_of_the_dashboards(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": target["expr"]}
        for number, target in enumerate(target for _, panel in panels() for target in panel["targets"])
    ]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), "utf-8")
    promtool("check", "rules", str(file))


def test_each_alert_is_tested_to_fire_and_to_keep_quiet() -> None:
    tests = yaml.safe_load((MONITORING / "rules.test.yml").read_text("utf-8"))["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    fires = {case["alertname"] for case in cases if case["exp_alerts"]}
    quiet = {case["alertname"] for case in cases if not case["exp_alerts"]}
    assert fires == quiet == {rule["alert"] for rule in RULES}


@pytest.mark.parametrize(("where", "expression"), expressions().items())
def test_every_metric_that_is_asked_for_is_exported(where: str, expression: str) -> None:
    asked = set(_METRIC.findall(_LABELS.sub("", expression)))
    assert asked, where
    assert asked <= exported(), where


def test_every_metric_of_ours_is_on_a_dashboard_or_behind_an_alert() -> None:
    asked = {name for one in expressions().values() for name in _METRIC.findall(_LABELS.sub("", one))}
    ours = {name for page in every_page().values() for name in page if name.startswith("signaalwissel_")}
    shown = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in asked}
    # For whoever looks closer at one process.
    closer = {"signaalwissel_live", "signaalwissel_idle_seconds", "signaalwissel_sweeps"}
    assert ours - shown == closer | {"signaalwissel_cold_start_gate_open"}


def test_panels_of_a_dashboard_have_numbers_of_their_own_and_do_not_overlap() -> None:
    for name, dashboard in DASHBOARDS.items():
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(ids) == len(set(ids)), name
        taken: set[tuple[int, int]] = set()
        for panel in dashboard["panels"]:
            at = panel["gridPos"]
            cells = {
                (x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
            }
            assert not cells & taken, panel["title"]
            assert max(x for x, _ in cells) < 24
            taken |= cells


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alert_has_a_severity_and_a_runbook_that_is_there(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^### (\w+)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    assert anchor == rule["alert"].lower()
    assert rule["alert"] in headings


def test_each_runbook_belongs_to_an_alert_and_tells_what_to_do() -> None:
    text = (ROOT / "docs" / "runbooks.md").read_text("utf-8")
    books = dict(re.findall(r"^### (\w+)\n(.*?)(?=^### |^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert [*books] == [rule["alert"] for rule in RULES]
    for name, book in books.items():
        for part in ("**Means.**", "**Look.**", "**Do.**"):
            assert part in book, name
