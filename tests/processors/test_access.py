"""The table of rights: municipalities never meet, roles only add, and every cell is as it was agreed."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.processors.access import (
    TABLE,
    Action,
    Principal,
    Role,
    Scope,
    Target,
    may,
    may_somewhere,
)

CODES = ("0344", "0363", "0599")
NAMES = ("a", "b")
codes = st.sampled_from(CODES)
names = st.none() | st.sampled_from(NAMES)
principals = st.builds(
    Principal,
    subject=st.just("s"),
    roles=st.frozensets(st.sampled_from(Role)),
    municipalities=st.frozensets(codes),
    counsellor_id=names,
    teams=st.frozensets(st.sampled_from(NAMES)),
    partners=st.frozensets(st.sampled_from(NAMES)),
)
targets = st.builds(Target, st.none() | codes, names, names, names)
actions = st.sampled_from(Action)
WITHOUT_RESIDENT = {Action.READ_DEAD_LETTER, Action.HANDLE_DEAD_LETTER, Action.READ_STATUS}


@given(principals, actions, targets)
def test_nobody_reaches_a_municipality_that_is_not_theirs(
    principal: Principal, action: Action, target: Target
) -> None:
    if may(principal, action, target) and action not in WITHOUT_RESIDENT:
        assert target.municipality in principal.municipalities


@given(principals, actions, targets)
def test_a_role_only_adds(principal: Principal, action: Action, target: Target) -> None:
    alone = [
        may(
            Principal(
                "s",
                frozenset({role}),
                principal.municipalities,
                principal.counsellor_id,
                principal.teams,
                principal.partners,
            ),
            action,
            target,
        )
        for role in principal.roles
    ]
    assert may(principal, action, target) == any(alone)


@given(principals, actions, targets)
def test_what_may_nowhere_be_done_is_not_done_anywhere(
    principal: Principal, action: Action, target: Target
) -> None:
    assert may_somewhere(principal, action) or not may(principal, action, target)


@given(actions, targets)
def test_without_a_role_nothing_is_allowed(action: Action, target: Target) -> None:
    assert not may(Principal("s", frozenset(), frozenset(CODES)), action, target)


def test_every_action_is_somebodys() -> None:
    assert {action for rights in TABLE.values() for action in rights} == set(Action)
    assert set(TABLE) == set(Role)


def test_only_what_has_no_resident_reaches_over_the_installation() -> None:
    wide = {
        action
        for rights in TABLE.values()
        for action, scopes in rights.items()
        if Scope.INSTALLATION in scopes
    }
    assert wide == WITHOUT_RESIDENT


MINE = Target("0344", counsellor_id="a", team="a", partner_id="a")
COLLEAGUES = Target("0344", counsellor_id="b", team="a", partner_id="b")
OTHER_TEAMS = Target("0344", counsellor_id="b", team="b", partner_id="b")
NOBODYS = Target("0344")
ELSEWHERE = Target("0363", counsellor_id="a", team="a", partner_id="a")


@pytest.mark.parametrize(
    ("role", "action", "allowed"),
    [
        (Role.INTEGRATOR, Action.SUBMIT_SIGNAL, {MINE}),
        (Role.INTEGRATOR, Action.SUBMIT_TASK_UPDATE, {MINE, COLLEAGUES, OTHER_TEAMS, NOBODYS}),
        (Role.INTEGRATOR, Action.READ_TASK, set()),
        # A partner would learn who is in debt help.
        (Role.INTEGRATOR, Action.CHECK_RESIDENT, set()),
        (Role.SIGNAL_SYSTEM, Action.CHECK_RESIDENT, {MINE, COLLEAGUES, OTHER_TEAMS, NOBODYS}),
        (Role.SIGNAL_SYSTEM, Action.SUBMIT_SIGNAL, set()),
        (Role.COUNSELLOR, Action.READ_TASK, {MINE, COLLEAGUES}),
        (Role.COUNSELLOR, Action.REASSIGN_TASK, set()),
        (Role.COUNSELLOR, Action.EXPORT_SUBJECT, set()),
        (Role.COUNSELLOR, Action.READ_POLICY, {MINE, COLLEAGUES, OTHER_TEAMS, NOBODYS}),
        (Role.COUNSELLOR, Action.READ_FIGURES, set()),
        (Role.OPERATOR, Action.READ_POLICY, set()),
        (Role.TEAM_LEAD, Action.READ_TASK, {MINE, COLLEAGUES, OTHER_TEAMS, NOBODYS}),
        (Role.TEAM_LEAD, Action.REASSIGN_TASK, {MINE, COLLEAGUES}),
        (Role.PRIVACY_OFFICER, Action.ERASE_SUBJECT, {MINE, COLLEAGUES, OTHER_TEAMS, NOBODYS}),
        (Role.PRIVACY_OFFICER, Action.UPDATE_TASK, set()),
        (Role.PRIVACY_OFFICER, Action.OPEN_CONTACT_DETAILS, set()),
        (Role.OPERATOR, Action.READ_DECISION, set()),
        (Role.OPERATOR, Action.READ_DEAD_LETTER, {MINE, COLLEAGUES, OTHER_TEAMS, NOBODYS, ELSEWHERE}),
    ],
)
def test_a_cell_of_the_table(role: Role, action: Action, allowed: set[Target]) -> None:
    principal = Principal(
        "s", frozenset({role}), frozenset({"0344"}), "a", frozenset({"a"}), frozenset({"a"})
    )
    every = (MINE, COLLEAGUES, OTHER_TEAMS, NOBODYS, ELSEWHERE)
    assert {target for target in every if may(principal, action, target)} == allowed


def test_somebody_without_id_team_or_partner_owns_nothing_that_nobody_owns() -> None:
    for role, action in itertools.product((Role.COUNSELLOR, Role.INTEGRATOR), Action):
        principal = Principal("s", frozenset({role}), frozenset({"0344"}))
        narrow = TABLE[role].get(action, frozenset()) <= {Scope.OWN, Scope.TEAM, Scope.PARTNER}
        assert not (narrow and may(principal, action, NOBODYS))
