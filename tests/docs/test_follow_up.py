import json

from signaalwissel.processors.followup_updates import check_update
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskKind

from tests.docs.follow_up_diagrams import PAGE, drawn

TEXT = PAGE.read_text("utf-8")


def test_the_diagrams_are_those_of_the_tables() -> None:
    assert drawn(TEXT) == TEXT, "run: python -m tests.docs.follow_up_diagrams"


def test_every_kind_of_task_is_explained_and_drawn() -> None:
    explained, _, drawings = TEXT.partition("<!-- diagrams")
    for kind in TaskKind:
        assert f"| {kind} |" in explained
        assert kind in drawings


def test_the_examples_are_task_updates() -> None:
    lines = TEXT.split("```json\n")[1].split("```")[0].splitlines()
    values = [json.loads(line)["value"] for line in lines]
    read = [codec("TaskUpdate").from_json(value) for value in values]
    assert [update.kind for update in read] == [
        "ACCEPTED",
        "CONTACT_ATTEMPTED",
        "CONTACT_MADE",
        "IDENTITY_CONFIRMED",
        "REASSIGNED",
    ]
    for update in read:
        check_update(update)
