from datetime import date
from typing import Any

import pytest
from signaalwissel.processors.followup_tasks import ENDED, Task, report_of
from signaalwissel.processors.followup_texts import update_note
from signaalwissel.processors.followup_updates import (
    TRANSITIONS,
    UpdateRefused,
    apply_update,
    check_update,
)
from signaalwissel.schemas.followup import (
    ContactChannel,
    ContactOutcome,
    TaskKind,
    TaskStatus,
    TaskUpdateKind,
)
from signaalwissel.schemas.internal import ResidentCommandKind
from signaalwissel.schemas.routing import Candidate

from tests.processors.followup_support import MUNICIPALITY, POLICY, address_only, update

K, S, U = TaskKind, TaskStatus, TaskUpdateKind
RUNNING = (S.OPEN, S.ACCEPTED, S.ESCALATED)


def task(kind: TaskKind = K.CONTACT_ON_RELAPSE, status: TaskStatus = S.OPEN, **changes: Any) -> Task:
    fields: dict[str, Any] = {
        "task_id": "task",
        "kind": kind,
        "municipality": MUNICIPALITY,
        "trajectory_id": "T-1",
        "team": "team-noord",
        "due_on": date(2026, 3, 30),
        "opened_on": date(2026, 3, 2),
        "next_on": date(2026, 3, 9),
        "policy_version": POLICY.version,
        "assignee": "b-1",
        "status": status,
        "version": 3,
        "reports": (report_of(address_only()),),
        "candidates": (Candidate("T-1", 0), Candidate("T-2", 1)),
    }
    return Task(**{**fields, **changes})


def test_every_kind_and_every_update_has_been_thought_of() -> None:
    assert set(TRANSITIONS) == set(TaskKind)
    assert {kind for table in TRANSITIONS.values() for kind in table} == set(TaskUpdateKind)


def test_nothing_leads_out_of_an_ended_task() -> None:
    for table in TRANSITIONS.values():
        for transition in table.values():
            assert set(transition) == set(RUNNING)
            assert not set(transition) & ENDED


@pytest.mark.parametrize(
    ("kind", "said", "before", "after"),
    [
        *[(K.CONTACT_ON_RELAPSE, U.ACCEPTED, status, S.ACCEPTED) for status in RUNNING],
        *[(K.CONTACT_ON_RELAPSE, U.REASSIGNED, status, status) for status in RUNNING],
        *[(K.CONTACT_ON_RELAPSE, U.CONTACT_ATTEMPTED, status, status) for status in RUNNING],
        *[(K.CONTACT_ON_RELAPSE, U.CONTACT_MADE, status, S.DONE) for status in RUNNING],
        *[(K.CONTACT_ON_RELAPSE, U.COMPLETED, status, S.DONE) for status in RUNNING],
        (K.CONTACT_ON_RELAPSE, U.REJECTED, S.ACCEPTED, S.OPEN),
        (K.CONTACT_ON_RELAPSE, U.REJECTED, S.ESCALATED, S.ESCALATED),
        (K.EVALUATE_PLAN, U.PLAN_EVALUATED, S.ACCEPTED, S.DONE),
        (K.INFORM_RESIDENT, U.COMPLETED, S.OPEN, S.DONE),
        (K.VERIFY_IDENTITY, U.ACCEPTED, S.OPEN, S.ACCEPTED),
    ],
)
def test_an_update_leads_where_the_table_says(
    kind: TaskKind, said: TaskUpdateKind, before: TaskStatus, after: TaskStatus
) -> None:
    (changed,) = apply_update(update(said), task(kind, before), POLICY).tasks
    assert (changed.status, changed.version) == (after, 4)
    assert (changed.history[-1].what, changed.history[-1].by) == (said, "b-17")


@pytest.mark.parametrize(
    ("kind", "said", "status"),
    [
        (K.CONTACT_ON_RELAPSE, U.CONTACT_MADE, S.DONE),
        (K.CONTACT_ON_RELAPSE, U.ACCEPTED, S.CANCELLED),
        (K.CONTACT_ON_RELAPSE, U.ACCEPTED, S.EXPIRED),
        (K.CONTACT_ON_RELAPSE, U.PLAN_EVALUATED, S.OPEN),
        (K.CONTACT_ON_RELAPSE, U.IDENTITY_CONFIRMED, S.OPEN),
        (K.VERIFY_IDENTITY, U.COMPLETED, S.OPEN),
        (K.VERIFY_IDENTITY, U.CONTACT_MADE, S.OPEN),
    ],
)
def test_what_the_table_does_not_know_is_refused(
    kind: TaskKind, said: TaskUpdateKind, status: TaskStatus
) -> None:
    with pytest.raises(UpdateRefused) as refused:
        apply_update(update(said), task(kind, status), POLICY)
    assert (refused.value.code, refused.value.field) == ("ILLEGAL_UPDATE", "kind")


def test_an_update_about_no_task_is_refused() -> None:
    with pytest.raises(UpdateRefused) as refused:
        apply_update(update(U.ACCEPTED), None, POLICY)
    assert (refused.value.code, refused.value.field) == ("UNKNOWN_TASK", "task_id")


@pytest.mark.parametrize("said", [U.ACCEPTED, U.REASSIGNED])
def test_who_takes_a_task_over_owns_it(said: TaskUpdateKind) -> None:
    (changed,) = apply_update(update(said, by="b-9"), task(assignee=None), POLICY).tasks
    assert changed.assignee == "b-9"


@pytest.mark.parametrize("said", [U.ACCEPTED, U.REASSIGNED])
def test_an_administrator_never_owns_a_task(said: TaskUpdateKind) -> None:
    with pytest.raises(UpdateRefused, match="bewindvoerder"):
        apply_update(update(said, by="bewindvoerder-1"), task(), POLICY)


@pytest.mark.parametrize(
    ("before", "after"), [(S.OPEN, S.OPEN), (S.ACCEPTED, S.OPEN), (S.ESCALATED, S.ESCALATED)]
)
def test_who_gets_a_task_handed_over_owns_it_and_has_not_picked_it_up(
    before: TaskStatus, after: TaskStatus
) -> None:
    said = update(U.REASSIGNED, by="b-1", assignee="b-9")
    (changed,) = apply_update(said, task(status=before), POLICY).tasks
    assert (changed.assignee, changed.status, changed.team) == ("b-9", after, "team-noord")
    assert (changed.history[-1].by, changed.history[-1].note) == ("b-1", "De taak is overgedragen aan b-9.")


def test_a_task_handed_to_who_has_it_stays_picked_up() -> None:
    said = update(U.REASSIGNED, by="b-9", assignee="b-1")
    (changed,) = apply_update(said, task(status=S.ACCEPTED), POLICY).tasks
    assert (changed.assignee, changed.status) == ("b-1", S.ACCEPTED)


def test_who_names_themselves_takes_the_task_over() -> None:
    named, plain = (update(U.REASSIGNED, by="b-9", assignee=name) for name in ("b-9", None))
    (changed,) = apply_update(named, task(status=S.ACCEPTED), POLICY).tasks
    assert (changed,) == apply_update(plain, task(status=S.ACCEPTED), POLICY).tasks


@pytest.mark.parametrize("colleague", ["bewindvoerder-1", "b-weg"])
def test_a_task_is_not_handed_to_who_may_not_own_one(colleague: str) -> None:
    with pytest.raises(UpdateRefused) as refused:
        apply_update(update(U.REASSIGNED, assignee=colleague), task(), POLICY)
    assert (refused.value.code, refused.value.field) == ("INVALID_FIELD", "assignee")


@pytest.mark.parametrize("said", sorted(set(U) - {U.REASSIGNED}))
def test_only_a_task_that_is_handed_over_names_a_colleague(said: TaskUpdateKind) -> None:
    with pytest.raises(UpdateRefused) as refused:
        check_update(update(said, assignee="b-9"))
    assert (refused.value.code, refused.value.field) == ("INVALID_FIELD", "assignee")


def test_a_rejected_task_goes_back_to_the_team() -> None:
    (changed,) = apply_update(update(U.REJECTED), task(), POLICY).tasks
    assert (changed.assignee, changed.team) == (None, "team-noord")


@pytest.mark.parametrize("said", [U.ACCEPTED, U.REASSIGNED, U.REJECTED, U.CONTACT_ATTEMPTED])
def test_a_report_moves_no_deadline_and_no_rung(said: TaskUpdateKind) -> None:
    (changed,) = apply_update(update(said), task(rung=1), POLICY).tasks
    assert (changed.rung, changed.due_on, changed.next_on) == (1, date(2026, 3, 30), date(2026, 3, 9))


@pytest.mark.parametrize(
    ("kind", "said"), [(K.CONTACT_ON_RELAPSE, U.CONTACT_MADE), (K.VERIFY_IDENTITY, U.IDENTITY_CONFIRMED)]
)
def test_a_task_that_a_report_ends_needs_no_clock(kind: TaskKind, said: TaskUpdateKind) -> None:
    (changed,) = apply_update(update(said, trajectory_id="T-1"), task(kind), POLICY).tasks
    assert changed.next_on is None


def test_a_report_of_contact_leaves_the_owner() -> None:
    (changed,) = apply_update(update(U.CONTACT_ATTEMPTED, by="b-9"), task(), POLICY).tasks
    assert changed.assignee == "b-1"


def test_a_confirmed_identity_ends_the_task_and_tells_the_matcher() -> None:
    outcome = apply_update(
        update(U.IDENTITY_CONFIRMED, trajectory_id="T-2", client=1), task(K.VERIFY_IDENTITY), POLICY
    )
    assert outcome.tasks[0].status is S.DONE
    ((match_key, command),) = outcome.commands
    assert match_key == address_only().match_key
    assert command.kind is ResidentCommandKind.CONFIRM_IDENTITY
    assert (command.trajectory_id, command.client) == ("T-2", 1)
    assert command.signal_ref == report_of(address_only()).ref
    assert command.issued_at == update(U.ACCEPTED).occurred_at


def test_a_refuted_identity_leaves_the_other_candidates() -> None:
    outcome = apply_update(
        update(U.IDENTITY_REFUTED, trajectory_id="T-2"), task(K.VERIFY_IDENTITY, S.ACCEPTED), POLICY
    )
    assert outcome.tasks[0].status is S.ACCEPTED
    assert outcome.tasks[0].candidates == (Candidate("T-1", 0),)
    assert outcome.commands[0].command.kind is ResidentCommandKind.REFUTE_IDENTITY


def test_the_last_refuted_candidate_ends_the_task() -> None:
    verification = task(K.VERIFY_IDENTITY, candidates=(Candidate("T-1", 0),))
    outcome = apply_update(update(U.IDENTITY_REFUTED), verification, POLICY)
    assert (outcome.tasks[0].status, outcome.tasks[0].next_on) == (S.DONE, None)
    assert (outcome.commands[0].command.trajectory_id, outcome.commands[0].command.client) == ("T-1", 0)


@pytest.mark.parametrize(
    "named", [{}, {"trajectory_id": "T-3"}, {"trajectory_id": "T-1", "client": 1}, {"client": 2}]
)
def test_an_answer_must_name_exactly_one_candidate(named: dict[str, Any]) -> None:
    with pytest.raises(UpdateRefused, match="exactly one"):
        apply_update(update(U.IDENTITY_CONFIRMED, **named), task(K.VERIFY_IDENTITY), POLICY)


def test_two_updates_give_two_commands_and_the_same_one_the_same() -> None:
    def command(update_id: str) -> str:
        said = update(U.IDENTITY_REFUTED, update_id=update_id, trajectory_id="T-1")
        return apply_update(said, task(K.VERIFY_IDENTITY), POLICY).commands[0].command.command_id

    assert command("u-1") == command("u-1") != command("u-2")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("update_id", {"update_id": ""}),
        ("update_id", {"update_id": "x" * 201}),
        ("task_id", {"task_id": "a\x00b"}),
        ("by", {"by": "a\nb"}),
        ("occurred_at", {"occurred_at": 10**15}),
        ("occurred_at", {"occurred_at": -(10**15)}),
        ("trajectory_id", {"trajectory_id": "T\x00"}),
        ("trajectory_id", {"trajectory_id": ""}),
        ("trajectory_id", {"trajectory_id": "T" * 201}),
        ("assignee", {"kind": U.REASSIGNED, "assignee": ""}),
        ("assignee", {"kind": U.REASSIGNED, "assignee": "a\x00b"}),
        ("assignee", {"kind": U.REASSIGNED, "assignee": "x" * 201}),
        ("client", {"client": 2}),
        ("client", {"client": -1}),
        ("reached", {"kind": U.CONTACT_MADE, "reached": False}),
    ],
)
def test_a_field_that_cannot_be_right_is_refused(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(UpdateRefused) as refused:
        check_update(update(U.ACCEPTED)._replace(**changes))
    assert (refused.value.code, refused.value.field) == ("INVALID_FIELD", field)


def test_a_good_update_passes() -> None:
    check_update(update(U.CONTACT_MADE, client=1, reached=True))
    check_update(update(U.IDENTITY_REFUTED, trajectory_id="T" * 200))


def test_a_note_tells_what_was_reported_in_dutch() -> None:
    said = update(
        U.CONTACT_ATTEMPTED,
        channel=ContactChannel.PHONE,
        reached=False,
        outcome=ContactOutcome.NO_CONTACT,
        trajectory_id="T-1",
    )
    assert (
        update_note(said)
        == "Er is geprobeerd contact te leggen: telefoon, niet bereikt, definitief geen contact."
    )
    assert update_note(said._replace(reached=True)).count("niet bereikt") == 0
    assert update_note(update(U.ACCEPTED)) == "De taak is opgepakt."
    refuted = update(U.IDENTITY_REFUTED, trajectory_id="T-1", client=1)
    assert update_note(refuted) == "Deze persoon is het niet: traject T-1, cliënt 1."
    assert update_note(refuted._replace(client=None)) == "Deze persoon is het niet: traject T-1."


def test_every_enum_has_its_dutch_word() -> None:
    for channel in ContactChannel:
        assert update_note(update(U.CONTACT_ATTEMPTED, channel=channel))
    for outcome in ContactOutcome:
        assert update_note(update(U.COMPLETED, outcome=outcome))
    for said in TaskUpdateKind:
        assert update_note(update(said))
