"""Archived policies: the same policy under the same version, whatever happened to its file."""

import json

import pytest
from signaalwissel.processors.policy import Policy, PolicyError, packaged_policies
from signaalwissel.processors.policy_archive import policy_from_json, policy_to_json


@pytest.fixture
def policy() -> Policy:
    content = packaged_policies().default.model_dump()
    content["window"] = {"months": 3, "reasons_that_count": ["COMPLETED", "SELF"]}
    content["teams"] = {"default": "team-ë", "unavailable": ["c2", "c1"], "administrators": ["b9", "b1"]}
    return Policy.model_validate(content)


def test_an_archived_policy_comes_back_equal_and_under_the_same_version(policy: Policy) -> None:
    back = policy_from_json(policy_to_json(policy))

    assert back.model_dump() == policy.model_dump()
    assert back.version == policy.version


def test_a_database_that_reorders_keys_changes_no_version(policy: Policy) -> None:
    content = json.loads(policy_to_json(policy))
    reordered = json.dumps(dict(reversed(content.items())), indent=2, ensure_ascii=False).encode()

    assert policy_from_json(reordered).version == policy.version


def test_a_policy_archived_before_a_setting_existed_keeps_its_version(policy: Policy) -> None:
    content = json.loads(policy_to_json(policy))
    del content["feedback"]
    older = policy_from_json(json.dumps(content).encode())

    assert older.feedback == policy.feedback
    assert older.version != policy.version
    assert older.version == policy_from_json(json.dumps(content).encode()).version


def test_different_policies_have_different_archives(policy: Policy) -> None:
    assert policy_to_json(policy) != policy_to_json(packaged_policies().default)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"nonsense", b'{"teams": {"default": ""}}'])
def test_what_is_no_policy_is_refused(data: bytes) -> None:
    with pytest.raises(PolicyError, match="archived policy"):
        policy_from_json(data)
