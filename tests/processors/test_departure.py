"""Who left is named, and has no keys; who lacks keys and is not named is somebody whose installation must be mended."""

from pathlib import Path

import pytest
from signaalwissel.processors.departure import has_left, ledger_ids
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.security.local_keys import LocalKeys

CODE = "0344"


@pytest.mark.parametrize("keys", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_a_municipality_has_left_when_it_is_named_and_its_keys_are_gone(
    tmp_path: Path, named: bool, keys: bool
) -> None:
    provider = LocalKeys(tmp_path)
    if keys:
        provider.create(CODE)
    departed = {CODE} if named else {"0363"}
    assert has_left(CODE, departed, provider) is (named and not keys)


def test_keys_that_are_not_there_say_where_to_name_who_left(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match=f"{CODE}.*SIGNAALWISSEL_DEPARTED"):
        ledger_ids(CODE, LocalKeys(tmp_path))
