"""`simulate` with follow-up: task updates, the offer to the regular flow, and the examples of the documentation."""

import json
import re
from pathlib import Path

import pytest
from signaalwissel.console.failures import UsageFailure

from tests.console.files_support import Line, fields_of, file_with, on_topic, run, simulated
from tests.system.lines import BSN, OTHER_BSN, event, signal

RULES = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")
SIX_TOPICS = {
    "counsellor-followup",
    "regular-flow",
    "counsellor-corrections",
    "regular-corrections",
    "decisions",
    "dead-letters",
}
HOME = {"postcode": "3511AB", "house_number": 12}
ANNA = {"bsn": BSN, **HOME, "birth_date": "1980-05-17", "surname": "Jansen"}
COUNSELLOR = {"counsellor_id": "c-7", "team": "team-oost"}
APPLIED = event("APPLIED", 1, "2025-01-10", clients=[ANNA], counsellor=COUNSELLOR)
BY_ADDRESS = signal("S1", "2026-02-10", subject=HOME)
HIT = signal("S1", "2026-02-10")


def update(kind: str, task_id: str, update_id: str = "u1", on: str = "2026-02-11", **fields: object) -> Line:
    value = {
        "update_id": update_id,
        "task_id": task_id,
        "occurred_at": f"{on}T09:00:00Z",
        "kind": kind,
        "by": "c-7",
    }
    return {"topic": "task-updates", "value": value | fields}


def somebody_else(day: str) -> Line:
    """A line that moves time on and nothing else."""
    return signal("later", day, subject={"bsn": OTHER_BSN})


def task_id_of(folder: Path, *lines: Line) -> str:
    """The id of the last task, as a user reads it from the output."""
    last: str = on_topic(simulated(folder, lines, "--tasks"), "tasks")[-1]["task_id"]
    return last


def example(heading: str) -> list[Line]:
    """The lines of an example in docs/rules.md."""
    found = re.search(rf"^### {heading}$.*?^```json\n(.*?)^```$", RULES, re.MULTILINE | re.DOTALL)
    assert found is not None
    return [json.loads(line) for line in found[1].splitlines()]


def test_the_same_number_of_an_update_under_another_task_is_another_update(tmp_path: Path) -> None:
    other = {"bsn": OTHER_BSN}
    lines = [
        APPLIED,
        event("APPLIED", 1, "2025-01-10", trajectory_id="T2", clients=[other], counsellor=COUNSELLOR),
        HIT,
        signal("S2", "2026-02-10", subject=other),
    ]
    told = on_topic(simulated(tmp_path, lines, "--tasks"), "tasks")
    updates = [update("CONTACT_MADE", task["task_id"], "u1") for task in told]
    done = on_topic(simulated(tmp_path, [*lines, *updates], "--tasks"), "tasks")
    assert [task["status"] for task in done] == ["OPEN", "OPEN", "DONE", "DONE"]


class TestIdentity:
    """What a person says of an address-only match."""

    @pytest.fixture
    def lines(self, tmp_path: Path) -> list[Line]:
        task_id = task_id_of(tmp_path, APPLIED, BY_ADDRESS)
        return [APPLIED, BY_ADDRESS, update("IDENTITY_CONFIRMED", task_id)]

    def test_confirmed_it_is_corrected_to_the_counsellor(self, tmp_path: Path, lines: list[Line]) -> None:
        outputs = simulated(tmp_path, lines)
        assert [line["topic"] for line in outputs[2:]] == [
            "regular-corrections",
            "counsellor-corrections",
            "decisions",
        ]
        last = on_topic(outputs, "decisions")[-1]
        assert (last["route"], last["cause"], last["trajectory_id"]) == (
            "COUNSELLOR_FOLLOWUP",
            "IDENTITY",
            "T1",
        )

    def test_the_next_event_does_not_undo_it(self, tmp_path: Path, lines: list[Line]) -> None:
        outputs = simulated(tmp_path, [*lines, event("ADMITTED", 2, "2026-02-12")])
        assert len(outputs) == len(simulated(tmp_path, lines))

    def test_refuted_it_stays_regular_and_only_the_audit_trail_is_told(
        self, tmp_path: Path, lines: list[Line]
    ) -> None:
        refuted = update("IDENTITY_REFUTED", lines[-1]["value"]["task_id"])
        outputs = simulated(tmp_path, [*lines[:2], refuted])
        assert [line["topic"] for line in outputs[2:]] == ["decisions"]
        assert fields_of(on_topic(outputs, "decisions"), "reason", "cause") == [
            ("ADDRESS_ONLY_MATCH", None),
            ("NO_TRAJECTORY", "IDENTITY"),
        ]

    def test_the_same_update_again_says_nothing(self, tmp_path: Path, lines: list[Line]) -> None:
        assert len(simulated(tmp_path, [*lines, lines[-1]])) == len(simulated(tmp_path, lines))

    def test_tasks_are_printed_on_demand_only(self, tmp_path: Path, lines: list[Line]) -> None:
        assert {line["topic"] for line in simulated(tmp_path, lines)} <= SIX_TOPICS
        tasks = on_topic(simulated(tmp_path, lines, "--tasks"), "tasks")
        assert fields_of(tasks, "kind", "status", "assignee") == [
            ("VERIFY_IDENTITY", "OPEN", None),
            ("VERIFY_IDENTITY", "DONE", None),
            ("CONTACT_ON_RELAPSE", "OPEN", "c-7"),
        ]

    def test_a_task_has_the_same_id_in_every_run(self, tmp_path: Path, lines: list[Line]) -> None:
        assert task_id_of(tmp_path, *lines[:2]) == lines[-1]["value"]["task_id"]


class TestRefusedUpdates:
    """An update that does not apply is a dead letter."""

    @pytest.mark.parametrize(
        ("wrong", "code", "field"),
        [
            pytest.param(update("ACCEPTED", "nobody"), "UNKNOWN_TASK", "task_id", id="no such task"),
            pytest.param(update("ACCEPTED", "x", "u" * 201), "INVALID_FIELD", "update_id", id="endless id"),
            pytest.param({"topic": "task-updates", "value": None}, "NULL_VALUE", None, id="no value"),
            pytest.param(update("HELLO", "x"), "UNREADABLE", "kind", id="no such kind"),
        ],
    )
    def test_it_names_code_and_field(self, tmp_path: Path, wrong: Line, code: str, field: str | None) -> None:
        (letter,) = on_topic(simulated(tmp_path, [wrong]), "dead-letters")
        assert (letter["topic"], letter["code"], letter["field"]) == ("task-updates", code, field)
        assert letter["update_id"] == letter["record_id"]

    def test_a_task_is_handed_to_nobody_whom_no_line_knows(self, tmp_path: Path) -> None:
        task_id = task_id_of(tmp_path, APPLIED, HIT)
        colleague = {"counsellor_id": "c-8", "team": "team-oost"}
        known = event("APPLIED", 1, "2025-01-10", trajectory_id="T-8", clients=[{"bsn": OTHER_BSN}])
        known["value"] |= {"event_id": "e-8", "counsellor": colleague}
        handed_over = update("REASSIGNED", task_id, assignee="c-8")
        (letter,) = on_topic(simulated(tmp_path, [APPLIED, HIT, handed_over]), "dead-letters")
        assert (letter["code"], letter["field"]) == ("INVALID_FIELD", "assignee")
        tasks = on_topic(simulated(tmp_path, [APPLIED, known, HIT, handed_over], "--tasks"), "tasks")
        assert fields_of(tasks, "assignee") == [("c-7",), ("c-8",)]

    def test_it_names_the_municipality_of_its_task(self, tmp_path: Path) -> None:
        task_id = task_id_of(tmp_path, APPLIED, HIT)
        (letter,) = on_topic(
            simulated(tmp_path, [APPLIED, HIT, update("IDENTITY_REFUTED", task_id)]), "dead-letters"
        )
        assert (letter["code"], letter["municipality"], letter["record_id"]) == (
            "ILLEGAL_UPDATE",
            "0344",
            "u1",
        )

    def test_validate_finds_what_is_wrong_with_an_update_alone(self, tmp_path: Path) -> None:
        ended = run("validate", file_with(tmp_path, [update("ACCEPTED", "")]), "--json")
        assert ended.exit_code == 1
        assert json.loads(ended.stdout)["field"] == "task_id"

    def test_an_update_has_one_topic(self, tmp_path: Path) -> None:
        wrong = {**update("ACCEPTED", "x"), "topic": "task-updates.woonstad"}
        with pytest.raises(UsageFailure, match="or task-updates"):
            run("simulate", file_with(tmp_path, [wrong]))


UNREACHED = [APPLIED, HIT, somebody_else("2026-03-09")]


class TestClock:
    """Time works on the tasks only where it is asked for."""

    def test_who_is_not_reached_is_offered_to_the_regular_flow(self, tmp_path: Path) -> None:
        outputs = simulated(tmp_path, UNREACHED, "--clock")
        assert fields_of(on_topic(outputs, "counsellor-corrections"), "action", "cause") == [
            ("ALSO_OFFERED", "NOT_REACHED")
        ]
        assert fields_of(on_topic(outputs, "regular-corrections"), "action", "cause") == [("MOVED", None)]

    def test_without_a_clock_nothing_of_it_happens(self, tmp_path: Path) -> None:
        outputs = simulated(tmp_path, UNREACHED, "--tasks")
        assert not on_topic(outputs, "counsellor-corrections")
        assert fields_of(on_topic(outputs, "tasks"), "status") == [("OPEN",)]

    def test_a_contact_made_in_time_stops_the_ladder(self, tmp_path: Path) -> None:
        task_id = task_id_of(tmp_path, APPLIED, HIT)
        lines = [APPLIED, HIT, update("CONTACT_MADE", task_id, reached=True), somebody_else("2026-03-09")]
        assert not on_topic(simulated(tmp_path, lines, "--clock"), "counsellor-corrections")

    def test_an_event_that_names_the_same_counsellor_takes_nothing_from_the_team(
        self, tmp_path: Path
    ) -> None:
        lines = [APPLIED, HIT, event("RESIDENT_INFORMED", 2, "2026-02-26")]
        tasks = on_topic(simulated(tmp_path, lines, "--clock", "--tasks"), "tasks")
        assert fields_of(tasks[-1:], "status", "assignee", "team") == [("ESCALATED", None, "team-oost")]

    def test_another_counsellor_gets_the_task(self, tmp_path: Path) -> None:
        other = {"counsellor_id": "c-8", "team": "team-west"}
        lines = [APPLIED, HIT, event("COUNSELLOR_ASSIGNED", 2, "2026-02-12", counsellor=other)]
        tasks = on_topic(simulated(tmp_path, lines, "--tasks"), "tasks")
        assert fields_of(tasks, "assignee", "team") == [("c-7", "team-oost"), ("c-8", "team-west")]


class TestExamples:
    """What docs/rules.md tells a user to write does what it says."""

    def test_a_person_says_who_it_is(self, tmp_path: Path) -> None:
        outputs = simulated(tmp_path, example("A person says who it is"), "--tasks")
        told = [
            (line["topic"], line["value"].get("revision"), line["value"].get("status")) for line in outputs
        ]
        assert told == [
            ("regular-flow", 0, None),
            ("decisions", 0, None),
            ("tasks", None, "OPEN"),
            ("tasks", None, "DONE"),
            ("regular-corrections", 1, None),
            ("counsellor-corrections", 1, None),
            ("decisions", 1, None),
            ("tasks", None, "OPEN"),
        ]
        assert on_topic(outputs, "tasks")[0]["task_id"] in RULES

    def test_nobody_is_reached(self, tmp_path: Path) -> None:
        outputs = simulated(tmp_path, example("Nobody is reached"), "--clock")
        assert [line["topic"] for line in outputs] == [
            "counsellor-followup",
            "decisions",
            "counsellor-corrections",
            "regular-corrections",
            "decisions",
            "regular-flow",
            "decisions",
        ]
        assert on_topic(outputs, "counsellor-corrections")[0]["action"] == "ALSO_OFFERED"


def test_people_see_a_table_of_tasks(tmp_path: Path) -> None:
    shown = run("simulate", file_with(tmp_path, [APPLIED, HIT]), "--tasks").stdout
    for text in ("Tasks: 1", "CONTACT_ON_RELAPSE", "c-7", "team-oost", "2026-03-10"):
        assert text in shown
    assert "Tasks" not in run("simulate", file_with(tmp_path, [APPLIED, HIT])).stdout
