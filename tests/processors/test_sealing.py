"""Seals open for the record, key and municipality that they were made for, and for nothing else (design 7)."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from signaalwissel.processors.sealing import (
    KEY_SIZE,
    KeyUnavailable,
    SealBroken,
    SealingKey,
    key_id_of,
    seal,
    unseal,
)

KEY = SealingKey("0344/day/2026-02-28", b"k" * KEY_SIZE)
BELONGS_TO, NONCE, CONTENT = "RoutedSignal/0344/abc", b"n" * 12, b"a resident"
SEALED = seal(CONTENT, KEY, BELONGS_TO, NONCE)


def only(key: SealingKey, key_id: str) -> SealingKey:
    """A provider that has one key."""
    if key_id != key.key_id:
        raise KeyUnavailable(key_id)
    return key


def opened(sealed: bytes, belongs_to: str = BELONGS_TO, key: SealingKey = KEY) -> bytes:
    return unseal(sealed, belongs_to, lambda key_id: only(key, key_id))


@given(
    st.binary(max_size=200),
    st.text(max_size=40),
    st.text(max_size=40).filter(lambda t: len(t.encode()) < 256),
    st.binary(min_size=12, max_size=12),
)
def test_what_was_sealed_comes_back(content: bytes, belongs_to: str, key_id: str, nonce: bytes) -> None:
    key = SealingKey(key_id, b"s" * KEY_SIZE)
    sealed = seal(content, key, belongs_to, nonce)
    assert key_id_of(sealed) == key_id
    assert opened(sealed, belongs_to, key) == content


@given(st.integers(0, len(SEALED) * 8 - 1), st.booleans())
def test_any_flipped_bit_is_refused(bit: int, any_key_fits: bool) -> None:
    """Also where the provider answers with the right key whatever id the seal names."""
    changed = bytearray(SEALED)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises((SealBroken, KeyUnavailable)):
        unseal(bytes(changed), BELONGS_TO, lambda key_id: KEY if any_key_fits else only(KEY, key_id))


@given(st.binary(min_size=KEY_SIZE, max_size=KEY_SIZE).filter(lambda secret: secret != KEY.secret))
def test_another_key_is_refused(secret: bytes) -> None:
    with pytest.raises(SealBroken):
        opened(SEALED, key=SealingKey(KEY.key_id, secret))


@given(st.text(max_size=40).filter(lambda text: text != BELONGS_TO))
@example("RoutedSignal/0363/abc")
@example("RoutedSignal/0344/abd")
@example("DeadLetter/0344/abc")
def test_another_record_is_refused(belongs_to: str) -> None:
    with pytest.raises(SealBroken):
        opened(SEALED, belongs_to)


@given(st.integers(0, len(SEALED) - 1))
def test_a_seal_that_was_cut_off_is_refused(length: int) -> None:
    with pytest.raises((SealBroken, KeyUnavailable)):
        opened(SEALED[:length])


@pytest.mark.parametrize(
    "no_seal",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x01", id="a version alone"),
        pytest.param(b"\x02" + SEALED[1:], id="another version"),
        pytest.param(b"\x01\x01\xff" + bytes(40), id="a key id that is no text"),
    ],
)
def test_what_is_no_seal_is_refused(no_seal: bytes) -> None:
    with pytest.raises(SealBroken, match="no seal of ours"):
        key_id_of(no_seal)


def test_an_error_tells_nothing_of_what_is_inside() -> None:
    with pytest.raises(SealBroken) as broken:
        opened(SEALED[:-1] + b"\x00")
    assert "resident" not in str(broken.value)
    assert broken.value.__cause__ is None
    assert "kkkk" not in repr(KEY)
