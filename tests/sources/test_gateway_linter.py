"""The OpenAPI document passes Spectral: its own rules for OpenAPI and those of the NL API Design Rules.

Needs node and npm, and skips with the reason where they are not there.
"""

import json
import os
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from signaalwissel.sources.gateway_document import document

from tests.samples.toolchains import node_packages
from tests.sources.gateway_support import SERVER

FOLDER = Path(__file__).parent / "linter"
RULESET = os.environ.get("SIGNAALWISSEL_ADR_RULESET", str(FOLDER / "ruleset.yaml"))
_FOUND = 1


@pytest.fixture(scope="module")
def spectral() -> list[str]:
    node, folder = node_packages("spectral", FOLDER, ["package.json", "package-lock.json"])
    program = folder / "node_modules" / "@stoplight" / "spectral-cli" / "dist" / "index.js"
    return [node, str(program), "lint", "--quiet", "--format", "json", "--fail-severity", "hint"]


def findings(spectral: list[str], described: dict[str, Any], tmp_path: Path) -> set[str]:
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(described), "utf-8")
    command = [*spectral, "--ruleset", RULESET, str(file)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert ended.returncode in {0, _FOUND}, ended.stdout + ended.stderr
    return {finding["code"] for finding in json.loads(ended.stdout)}


def test_the_document_passes_its_linter(spectral: list[str], tmp_path: Path) -> None:
    assert findings(spectral, document(SERVER), tmp_path) == set()


@pytest.mark.skipif(
    "SIGNAALWISSEL_ADR_RULESET" in os.environ, reason="the codes are those of our own ruleset"
)
def test_the_linter_sees_what_breaks_the_design_rules(spectral: list[str], tmp_path: Path) -> None:
    broken = deepcopy(document(SERVER))
    del broken["info"]["contact"]["email"]
    broken["info"]["version"] = "1"
    broken["servers"][0]["url"] = "http://gateway.example.nl"
    broken["paths"]["/Toets_en"] = broken["paths"].pop("/toetsen")
    del broken["paths"]["/signalen"]["post"]["responses"]["400"]
    del broken["paths"]["/signalen"]["post"]["responses"]["202"]["headers"]
    del broken["paths"]["/taakupdates"]["post"]["responses"]["202"]["headers"]["API-Version"]
    del broken["components"]["schemas"]["Problem"]["properties"]["detail"]
    problem = broken["components"]["responses"]["Problem401"]
    problem["content"] = {"application/json": problem["content"].popitem()[1]}
    broken["components"]["schemas"]["Accepted"]["properties"]["status"]["format"] = "time"
    assert {
        "doc-openapi-contact",
        "semver",
        "uri-version",
        "transport-security",
        "naming-of-paths",
        "invalid-input-is-400",
        "headers-of-every-answer",
        "version-header",
        "problem-members",
        "problem-details",
        "no-local-date-times",
    } <= findings(spectral, broken, tmp_path)
