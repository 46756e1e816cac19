"""Dashboards are what Grafana's own types say, field by field."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from signaalwissel.deploy.progress import progress_on
from signaalwissel.deploy.settings import PlatformSettings

from tests.deploy.grafana_types import dashboards_program

# The first run on a machine builds the program.
pytestmark = pytest.mark.timeout(900)

DASHBOARDS = sorted((Path(__file__).parents[2] / "deploy" / "monitoring" / "dashboards").glob("*.json"))
Dashboard = dict[str, Any]


@pytest.fixture(scope="session")
def program(platform_settings: PlatformSettings) -> Path:
    return dashboards_program(platform_settings.cache, progress_on(sys.__stderr__ or sys.stderr))


def faults(program: Path, file: Path) -> str:
    """What Grafana's types have against a dashboard; empty where nothing."""
    ended = subprocess.run([program, file], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == bool(ended.stdout), ended.stderr
    return ended.stdout


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_every_field_of_a_dashboard_is_one_that_grafana_knows_with_a_value_that_it_takes(
    program: Path, file: Path
) -> None:
    assert faults(program, file) == ""


def misspelt(panel: Dashboard) -> None:
    panel["targets"][0]["exprr"] = "up"


def of_another_type(panel: Dashboard) -> None:
    panel["gridPos"]["w"] = "wide"


def of_another_word(panel: Dashboard) -> None:
    panel["options"]["colorMode"] = 7


@pytest.mark.parametrize("spoil", [misspelt, of_another_type, of_another_word])
def test_the_check_sees_a_dashboard_that_grafana_would_not_show(
    program: Path, tmp_path: Path, spoil: Callable[[Dashboard], None]
) -> None:
    dashboard = json.loads(DASHBOARDS[0].read_text("utf-8"))
    spoil(next(panel for panel in dashboard["panels"] if panel["type"] == "stat"))
    (tmp_path / "spoilt.json").write_text(json.dumps(dashboard), "utf-8")
    assert "panels[1]" in faults(program, tmp_path / "spoilt.json")
