"""Who left has neither policy nor keys; who lacks one of the two is somebody whose installation must be mended."""

from pathlib import Path

import pytest
from signaalwissel.processors.departure import has_left
from signaalwissel.processors.policy import Policies
from signaalwissel.security.local_keys import LocalKeys

from tests.processors.followup_support import POLICY

CODE = "0344"


@pytest.mark.parametrize("keys", [True, False])
@pytest.mark.parametrize("policy", [True, False])
def test_a_municipality_has_left_when_both_policy_and_keys_are_gone(
    tmp_path: Path, policy: bool, keys: bool
) -> None:
    provider = LocalKeys(tmp_path)
    if keys:
        provider.create(CODE)
    policies = Policies(POLICY, {CODE: POLICY} if policy else {})
    assert has_left(CODE, policies, provider) is not (policy or keys)


def test_where_every_code_has_a_policy_nobody_has_left(tmp_path: Path) -> None:
    assert not has_left(CODE, Policies(POLICY, for_every_code=True), LocalKeys(tmp_path))
