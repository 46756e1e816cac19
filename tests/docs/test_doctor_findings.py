"""Every finding of `doctor` says what to do: read from the source, so that no finding is left out."""

import ast

import pytest
from signaalwissel.console.rotation_words import next_of
from signaalwissel.processors.rotation_plan import RotationStage

from website.doctor import CONSOLE, Told, findings, page

FOUND = list(findings())
COMPUTED = {"doctor_rotation.py": 1}
"""Findings whose fix is a function of what is found, by file; see the last test."""
CONSEQUENCES = ("until then", "...")
"""How a text begins that says what happens, and not what to do."""


def test_the_source_has_findings_of_every_file_that_looks() -> None:
    files = {file.name for file in CONSOLE.glob("doctor_*.py")}
    assert {told.place.partition(":")[0] for told in FOUND} >= files


@pytest.mark.parametrize("told", FOUND, ids=[told.place for told in FOUND])
def test_a_finding_says_what_to_do(told: Told) -> None:
    file = told.place.partition(":")[0]
    computed = [one for one in FOUND if one.place.startswith(file) and one.fix == "..."]
    assert len(computed) == COMPUTED.get(file, 0)
    if told not in computed:
        assert not told.fix.startswith(CONSEQUENCES)
        assert len(told.fix.split()) >= 2


def test_no_finding_is_made_past_the_functions_that_ask_for_a_fix() -> None:
    for file in CONSOLE.glob("doctor*.py"):
        calls = [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)]
        assert [
            one.lineno for one in calls if isinstance(one.func, ast.Name) and one.func.id == "Finding"
        ] == []


def test_the_page_has_every_finding() -> None:
    assert page().count("\n|") == len(FOUND) + 2


@pytest.mark.parametrize("stage", [stage for stage in RotationStage if stage is not RotationStage.NONE])
def test_a_rotation_says_the_command_that_goes_on(stage: RotationStage) -> None:
    class State:
        """A rotation at a stage."""

        municipality = "0344"

        def __init__(self) -> None:
            self.stage = stage

    assert next_of(State(), None).startswith("run `signaalwissel keys rotate 0344 --continue`")  # type: ignore[arg-type]
