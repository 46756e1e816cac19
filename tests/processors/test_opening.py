"""Opening a sealed subject: told first, and only for the record that it was sealed for (design 7)."""

import pytest
from signaalwissel.processors.opening import Opening, open_subject
from signaalwissel.processors.sealing import KeyUnavailable, SealBroken, SealingKey, seal
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys

from tests.processors.opening_support import ANNA, routed

KEYS = ThrowawayKeys()


class Register:
    """Notes openings, and how many were noted when a key was asked for."""

    def __init__(self) -> None:
        self.openings: list[Opening] = []
        self.noted_before_the_key: list[int] = []

    def __call__(self, opening: Opening) -> None:
        self.openings.append(opening)

    def key_by_id(self, key_id: str) -> SealingKey:
        self.noted_before_the_key.append(len(self.openings))
        return KEYS.by_id(key_id)


def test_who_has_the_key_reads_who_it_is_about() -> None:
    assert open_subject(routed(KEYS), KEYS.by_id, Register()) == ANNA


def test_an_opening_is_told_once_and_before_it_happens() -> None:
    register, record = Register(), routed(KEYS)
    open_subject(record, register.key_by_id, register)
    assert register.openings == [Opening(record.routing_id, "S-1", "0344", "0344/day/2026-03-01")]
    assert register.noted_before_the_key == [1]


def test_what_cannot_be_told_is_not_opened() -> None:
    def full(_: Opening) -> None:
        raise OSError("no space left")

    register = Register()
    with pytest.raises(OSError, match="no space left"):
        open_subject(routed(KEYS), register.key_by_id, full)
    assert register.noted_before_the_key == []


@pytest.mark.parametrize(
    "changed",
    [{"municipality": "0363"}, {"signal_id": "S-2"}, {"received_at": 1}],
)
def test_the_seal_of_one_record_does_not_open_in_another(changed: dict[str, object]) -> None:
    with pytest.raises(SealBroken):
        open_subject(routed(KEYS)._replace(**changed), KEYS.by_id, Register())  # type: ignore[arg-type]


def test_without_the_key_nothing_opens() -> None:
    with pytest.raises(KeyUnavailable):
        open_subject(routed(KEYS), ThrowawayKeys().by_id, Register())


def test_what_holds_no_subject_is_no_subject() -> None:
    record = routed(KEYS)
    key = KEYS.by_id("0344/day/2026-03-01")
    belongs_to = f"RoutedSignal/0344/{record.routing_id.split('-')[0]}"
    wrong = record._replace(sealed_subject=seal(b"\xff", key, belongs_to, fresh_nonce()))
    with pytest.raises(SealBroken, match="holds no subject"):
        open_subject(wrong, KEYS.by_id, Register())


def test_bytes_that_are_no_seal_are_refused() -> None:
    with pytest.raises(SealBroken):
        open_subject(routed(KEYS)._replace(sealed_subject=b"?"), KEYS.by_id, Register())
