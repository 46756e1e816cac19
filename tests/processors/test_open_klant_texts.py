from dataclasses import replace
from datetime import date

import pytest
from signaalwissel.processors.open_klant_texts import HANDED_OVER, texts_of
from signaalwissel.schemas.followup import TaskKind, TaskStatus, TaskStep

from tests.processors.followup_support import Desk, decision


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.follow(decision())
    return desk


def test_the_deadline_and_what_the_task_is_about_stand_in_the_explanation(desk: Desk) -> None:
    task = replace(desk.only, due_on=date(2026, 3, 30))
    texts = texts_of(task)
    assert "persoonlijk contact" in texts.action
    assert texts.explanation.startswith(
        "Uiterlijk 30-03-2026. Aantal signalen: 1. Gemeente 0344, traject T-1"
    )
    assert texts.explanation.endswith("Laatste stap: " + str(task.history[-1].note))
    assert texts.content == f"{texts.action}. Gemeente 0344, traject T-1, taak {task.task_id}."


def test_a_threatening_situation_is_named() -> None:
    desk = Desk()
    desk.follow(decision(crisis=True))
    assert "Bedreigende situatie." in texts_of(desk.only).explanation


@pytest.mark.parametrize(
    ("status", "begins"),
    [
        (TaskStatus.DONE, "De taak is afgerond"),
        (TaskStatus.CANCELLED, "De taak is vervallen"),
        (TaskStatus.EXPIRED, "De termijn van de taak is verlopen"),
    ],
)
def test_an_ended_task_says_that_nothing_is_to_be_done(desk: Desk, status: TaskStatus, begins: str) -> None:
    texts = texts_of(replace(desk.only, status=status))
    assert texts.explanation.startswith(begins)
    assert "Uiterlijk" not in texts.explanation


def test_an_escalated_task_says_so_and_keeps_its_deadline(desk: Desk) -> None:
    explanation = texts_of(replace(desk.only, status=TaskStatus.ESCALATED)).explanation
    assert explanation.startswith("De taak is overgedragen aan het team. Uiterlijk ")


def test_no_text_outgrows_its_field(desk: Desk) -> None:
    long = TaskStep(0, "X", None, "n" * 5000)
    task = replace(desk.only, trajectory_id="T" * 1500, history=(long,))
    texts = texts_of(task)
    assert (len(texts.content), len(texts.explanation)) == (1000, 1000)
    assert texts.explanation.endswith("…")


@pytest.mark.parametrize("kind", TaskKind)
def test_every_kind_has_an_action_that_fits(desk: Desk, kind: TaskKind) -> None:
    task = replace(desk.only, kind=kind, trajectory_id=None, reports=(), history=())
    texts = texts_of(task)
    assert 0 < len(texts.action) <= 200
    assert "None" not in texts.explanation


def test_a_verification_cannot_be_handed_over() -> None:
    assert frozenset(TaskKind) - HANDED_OVER == {TaskKind.VERIFY_IDENTITY}
