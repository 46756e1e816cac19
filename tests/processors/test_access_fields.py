"""The fields that a role reads are agreed one by one: a change here is a decision about somebody's privacy."""

import json
from pathlib import Path

import pytest
from signaalwissel.processors.access import Role
from signaalwissel.processors.access_fields import FIELDS, Kind, readable, shown
from signaalwissel.sinks import tables

NEVER = {"sealed_subject", "match_key", "sealed", "state", "signal_ref", "record_id"}
"""Seals, pseudonyms and what may name a resident: on no page."""
AGREED = Path(__file__).parent / "access_fields.json"
ROWS = {
    Kind.TASK: tables.tasks,
    Kind.TASK_SIGNAL: tables.task_signals,
    Kind.TASK_STEP: tables.task_history,
    Kind.DECISION: tables.decisions,
    Kind.NOTICE: tables.notices,
    Kind.DEAD_LETTER: tables.dead_letters,
}


def test_each_role_reads_the_fields_that_were_agreed() -> None:
    found = {
        role.value: {kind.value: sorted(fields) for kind, fields in kinds.items()}
        for role, kinds in FIELDS.items()
    }
    assert found == json.loads(AGREED.read_text("utf-8"))


@pytest.mark.parametrize("kind", Kind)
def test_fields_are_columns_and_none_of_the_hidden_ones(kind: Kind) -> None:
    fields = readable(Role, kind)
    assert fields <= set(ROWS[kind].columns.keys())
    assert not fields & NEVER


def test_the_privacy_officer_reads_no_amount_and_no_note() -> None:
    seen = frozenset().union(*FIELDS[Role.PRIVACY_OFFICER].values())
    assert not seen & {"arrears_cents", "arrears_since", "note", "candidates"}


def test_an_operator_reads_nothing_of_residents() -> None:
    assert set(FIELDS[Role.OPERATOR]) == {Kind.DEAD_LETTER}
    assert FIELDS[Role.INTEGRATOR] == FIELDS[Role.SIGNAL_SYSTEM] == {}


def test_what_a_role_does_not_read_is_left_out_whatever_it_is() -> None:
    row = dict.fromkeys([*ROWS[Kind.DECISION].columns.keys(), "a_new_column"], "x")
    assert set(shown([Role.COUNSELLOR], Kind.DECISION, row)) == readable([Role.COUNSELLOR], Kind.DECISION)
    assert shown([Role.OPERATOR], Kind.DECISION, row) == {}
    assert shown([], Kind.TASK, row) == {}
