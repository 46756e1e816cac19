"""Keys in memory, for `simulate` and tests."""

from datetime import date

import pytest
from signaalwissel.processors.sealing import KEY_SIZE, KeyUnavailable
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys

DAY = date(2026, 2, 28)


def test_every_municipality_and_day_has_a_key_of_its_own_that_stays() -> None:
    keys = ThrowawayKeys()
    made = [
        keys.day_key("0344", DAY),
        keys.day_key("0363", DAY),
        keys.day_key("0344", date(2026, 3, 1)),
        keys.identity_key("0344"),
        keys.system_key(),
    ]
    assert len({key.secret for key in made}) == len(made)
    assert [keys.by_id(key.key_id) for key in made] == made
    assert keys.day_key("0344", DAY) == made[0]
    assert {len(key.secret) for key in made} == {KEY_SIZE}


def test_nothing_opens_with_them_in_another_process() -> None:
    key = ThrowawayKeys().day_key("0344", DAY)
    with pytest.raises(KeyUnavailable, match="never made in this process"):
        ThrowawayKeys().by_id(key.key_id)


def test_any_code_is_known_but_none() -> None:
    assert ThrowawayKeys().knows("0344")
    assert not ThrowawayKeys().knows("")


def test_municipalities_have_secrets_of_their_own() -> None:
    keys = ThrowawayKeys()
    assert keys.pseudonym_keys("0344") is keys.pseudonym_keys("0344")
    assert keys.pseudonym_keys("0344").hashing != keys.pseudonym_keys("0363").hashing


def test_a_nonce_is_twelve_bytes_and_never_the_same() -> None:
    nonces = {fresh_nonce() for _ in range(1000)}
    assert len(nonces) == 1000
    assert {len(nonce) for nonce in nonces} == {12}
