"""Keyed hashes: HMAC-SHA256 as the standard library and RFC 4231 have it."""

import hmac

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from signaalwissel.processors.keyed_hash import KeyedHash

from tests.schemas.strategies import EXAMPLES


@given(st.binary(max_size=200), st.lists(st.binary(max_size=200), min_size=1, max_size=3))
@example(b"k" * 64, [b""])
@example(b"k" * 65, [b"message"])
@EXAMPLES
def test_every_message_is_hashed_as_by_hmac_whatever_was_hashed_before(
    key: bytes, messages: list[bytes]
) -> None:
    hashed = KeyedHash(key)
    for message in (*messages, *messages):
        assert hashed(message) == hmac.digest(key, message, "sha256")


@pytest.mark.parametrize(
    ("key", "message", "digest"),
    [
        pytest.param(
            b"\x0b" * 20,
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            id="RFC 4231, 1",
        ),
        pytest.param(
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            id="RFC 4231, 2",
        ),
    ],
)
def test_the_published_vectors_hold(key: bytes, message: bytes, digest: str) -> None:
    assert KeyedHash(key)(message).hex() == digest
