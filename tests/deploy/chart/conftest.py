"""Helm, and what it renders, once per run."""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from signaalwissel.deploy.progress import progress_on
from signaalwissel.deploy.settings import PlatformSettings

from tests.deploy.chart.helm import helm_program, template

Manifest = dict[str, Any]


@pytest.fixture(scope="session")
def helm(platform_settings: PlatformSettings) -> Path:
    return helm_program(platform_settings.cache, progress_on(sys.__stderr__ or sys.stderr))


@pytest.fixture(scope="session")
def rendered(helm: Path) -> Callable[[str], list[Manifest]]:
    """The manifests of a case."""

    @cache
    def render(case: str) -> list[Manifest]:
        done = template(helm, case)
        assert done.returncode == 0, done.stderr
        return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]

    return render
