"""Dead letters: sealed whole, with what is wrong in the clear (design 7, domain 8.16)."""

from datetime import date

import pytest
from signaalwissel.processors.dead_letters import About, DeadLetters, Source, open_original, what_may_be_shown
from signaalwissel.processors.emissions import DEAD_LETTERS, Emission
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.sealing import KeyDestroyed, SealBroken, SealingKey, key_id_of
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import DeadLetter, Header, OriginalRecord
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys

KEYS = ThrowawayKeys()
REFUSED = Rejected(RejectionCode.INVALID_FIELD, "subject.bsn", "must pass the 11-proof")
SHOWN = About("0344", "S1")
HEADERS = (Header("traceparent", b"00-1"), Header("empty", None))
SOURCE = Source("signals", 3, 1042, 1_772_000_000_000, b"woonstad/S1", b"111222334", HEADERS)


def emitted(source: Source = SOURCE, about: About = SHOWN, refusal: Rejected = REFUSED) -> Emission:
    return DeadLetters("intake", KEYS, fresh_nonce).of(source, refusal, about)


def letter(**told: object) -> DeadLetter:
    decoded: DeadLetter = codec("DeadLetter").decode(emitted(**told).value)  # type: ignore[arg-type]
    return decoded


def test_it_says_what_is_wrong_and_where_and_no_value() -> None:
    found = letter()
    assert (found.stage, found.topic, found.partition, found.offset) == ("intake", "signals", 3, 1042)
    assert (found.code, found.field, found.rule) == ("INVALID_FIELD", "subject.bsn", "must pass the 11-proof")
    assert (found.municipality, found.record_id, found.timestamp) == ("0344", "S1", SOURCE.timestamp)
    assert b"111222334" not in emitted().value


def test_the_headers_say_it_too() -> None:
    headers = dict(emitted().headers)
    assert headers["dead-letter-code"] == b"INVALID_FIELD"
    assert headers["dead-letter-field"] == b"subject.bsn"
    assert (headers["dead-letter-topic"], headers["dead-letter-offset"]) == (b"signals", b"1042")
    whole = Rejected(RejectionCode.NULL_VALUE, None, "has no value")
    assert dict(emitted(refusal=whole).headers)["dead-letter-field"] == b""


def test_the_record_comes_back_as_it_came() -> None:
    found = letter()
    original = open_original(found.sealed, found.dead_letter_id, KEYS.by_id)
    assert original == OriginalRecord(SOURCE.key, SOURCE.value, HEADERS)


def test_it_opens_for_no_other_dead_letter() -> None:
    with pytest.raises(SealBroken):
        open_original(letter().sealed, letter(source=SOURCE._replace(offset=1043)).dead_letter_id, KEYS.by_id)


@pytest.mark.parametrize(
    ("municipality", "key_id"),
    [
        pytest.param(
            "0344", "0344/day/2026-02-25", id="that of the municipality and the day on which Kafka took it"
        ),
        pytest.param(None, "system", id="the system's where no municipality can be read"),
        pytest.param("", "system", id="or where it has no keys"),
    ],
)
def test_the_key(municipality: str | None, key_id: str) -> None:
    assert key_id_of(letter(about=About(municipality, "S1")).sealed) == key_id


def test_a_record_older_than_its_days_retention_is_kept_under_the_systems_key() -> None:
    class Destroyed(ThrowawayKeys):
        def day_key(self, municipality: str, day: date) -> SealingKey:
            raise KeyDestroyed(f"{municipality} {day}")

    emission = DeadLetters("intake", Destroyed(), fresh_nonce).of(SOURCE, REFUSED, SHOWN)
    assert key_id_of(codec("DeadLetter").decode(emission.value).sealed) == "system"


@pytest.mark.parametrize("record_id", [None, "", "x" * 201, "a\nb", "\x1b[2J"])
def test_an_id_that_could_be_anything_is_not_shown(record_id: str | None) -> None:
    assert letter(about=About("0344", record_id)).record_id is None


@pytest.mark.parametrize("municipality", [None, "", "344", "0344 ", "111222333", "\u0663\u0664\u0664\u0664"])
def test_a_municipality_that_is_no_code_is_not_shown(municipality: str | None) -> None:
    assert letter(about=About(municipality, "S1")).municipality is None


@pytest.mark.parametrize("anything", [7, 2.5, True, ["0344"], {"bsn": "111222333"}, b"0344"])
def test_what_is_no_text_is_not_shown(anything: object) -> None:
    assert what_may_be_shown(anything, anything) == About(None, None)


def test_its_key_is_its_id_the_same_on_every_run() -> None:
    first, again = emitted(), emitted()
    assert (first.topic, first.key) == (DEAD_LETTERS, letter().dead_letter_id.encode())
    assert first.key == again.key
    assert first.value != again.value  # sealed under a nonce of its own
