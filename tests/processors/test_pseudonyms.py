"""Match keys and keyed hashes (design 3, domain 8.8)."""

from datetime import date

import pytest
from signaalwissel.processors.pseudonyms import (
    MatchSecret,
    PseudonymKeys,
    address_of,
    fold_surname,
    is_address_key,
)
from signaalwissel.schemas.signal import Subject

OLD, NEW = MatchSecret(1, b"1" * 32), MatchSecret(2, b"2" * 32)
KEYS = PseudonymKeys("0344", b"h" * 32, OLD, (OLD,))
ANNA = Subject("111222333", "3511 AB", 12, "A", date(1980, 5, 17), "A.", "Jansen", "06", "a@b.nl")
AT_HOME = ANNA._replace(bsn=None)


def test_a_signal_has_one_key_the_strongest_that_it_carries() -> None:
    assert KEYS.signal_match_key(ANNA) == KEYS.signal_match_key(Subject(bsn=ANNA.bsn))
    assert KEYS.signal_match_key(AT_HOME) != KEYS.signal_match_key(ANNA)


def test_a_trajectory_is_written_under_both_keys_of_a_client() -> None:
    found = set(KEYS.trajectory_match_keys(ANNA))
    assert found == {KEYS.signal_match_key(ANNA), KEYS.signal_match_key(AT_HOME)}
    assert KEYS.trajectory_match_keys(Subject(bsn=ANNA.bsn)) == [KEYS.signal_match_key(ANNA)]
    assert KEYS.trajectory_match_keys(AT_HOME) == [KEYS.signal_match_key(AT_HOME)]


def test_during_a_rotation_trajectories_are_written_under_both_secrets_and_signals_under_one() -> None:
    rotating = PseudonymKeys("0344", b"h" * 32, OLD, (OLD, NEW))
    switched = PseudonymKeys("0344", b"h" * 32, NEW, (OLD, NEW))
    keys = rotating.trajectory_match_keys(ANNA)
    assert len(set(keys)) == 4
    assert {key[:2] for key in keys} == {b"\x00\x01", b"\x00\x02", b"\x80\x01", b"\x80\x02"}
    for signal in (ANNA, AT_HOME):
        assert rotating.signal_match_key(signal) in keys
        assert switched.signal_match_key(signal) in keys
        assert rotating.signal_match_key(signal) != switched.signal_match_key(signal)


def test_a_key_tells_whether_it_is_of_an_address() -> None:
    assert is_address_key(KEYS.signal_match_key(AT_HOME))
    assert not is_address_key(KEYS.signal_match_key(ANNA))


def test_a_rotation_leaves_the_hashes_that_are_compared() -> None:
    assert PseudonymKeys("0344", b"h" * 32, NEW, (NEW,)).pseudonym(ANNA) == KEYS.pseudonym(ANNA)


def test_municipalities_never_meet_even_under_one_secret() -> None:
    other = PseudonymKeys("0363", b"h" * 32, OLD, (OLD,))
    assert not set(other.trajectory_match_keys(ANNA)) & set(KEYS.trajectory_match_keys(ANNA))


def test_a_pseudonym_has_what_the_subject_has() -> None:
    assert None not in KEYS.pseudonym(ANNA)
    assert KEYS.pseudonym(Subject()) == (None, None, None, None)
    assert KEYS.pseudonym(Subject(surname="...")).surname is None
    hashes = [value for value in KEYS.pseudonym(ANNA) if value is not None]
    assert {len(value) for value in hashes} == {16}


def test_nothing_in_the_clear_is_left() -> None:
    told = repr((KEYS, OLD, KEYS.pseudonym(ANNA), ANNA))
    assert not [text for text in ("111222333", "3511", "Jansen", "1980", "11111") if text in told]


def test_a_digest_tells_content_apart_and_is_keyed() -> None:
    other = PseudonymKeys("0344", b"g" * 32, OLD, (OLD,))
    assert KEYS.digest(b"a") == KEYS.digest(b"a")
    assert len({KEYS.digest(b"a"), KEYS.digest(b"b"), other.digest(b"a")}) == 3


@pytest.mark.parametrize(
    ("subject", "then"),
    [
        pytest.param(Subject(postcode="3511 ab", house_number=12), "3511AB:12:", id="spaces and case"),
        pytest.param(
            Subject(postcode="3511AB", house_number=12, house_number_addition="2-hoog"),
            "3511AB:12:2HOOG",
            id="punctuation",
        ),
        pytest.param(
            Subject(postcode="3511AB", house_number=12, house_number_addition="_ "),
            "3511AB:12:",
            id="nothing else",
        ),
        pytest.param(Subject(postcode="3511AB"), None, id="no house number"),
        pytest.param(Subject(house_number=12), None, id="no postcode"),
    ],
)
def test_address(subject: Subject, then: str | None) -> None:
    assert address_of(subject) == then


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("van den Berg", "Berg", id="prefixes"),
        pytest.param("BÉRG", "berg", id="case and diacritics"),
        pytest.param("in 't Veld", "Veld", id="apostrophes"),
        pytest.param("Weiß", "Weiss", id="sharp s"),
        pytest.param("Groot-Jansen", "Groot Jansen", id="hyphens"),
        pytest.param("Öztürk", "Ozturk ", id="umlauts and spaces at the end"),
        pytest.param("Łukasz", "Lukasz", id="a stroke through the l"),
        pytest.param("Jansen-de Vries", "Jansen Vries", id="a prefix after a hyphen"),
        pytest.param("Jansen - van 't Hof", "Jansen-Hof", id="a hyphen between spaces"),
        pytest.param("d'Ancona", "Ancona", id="a prefix before an apostrophe"),
        pytest.param("O'Neill", "ONeill", id="an apostrophe in a name"),
        pytest.param("Jansen2", "Jansen_", id="what is no letter"),
        pytest.param("Ǿster", "Oster", id="a stroke and an accent"),
        pytest.param("Иванов", "ИВАНОВ", id="letters of another script"),
        pytest.param("Dĳkstra", "Dijkstra", id="the ligature ij"),
    ],
)
def test_the_same_surname(one: str, other: str) -> None:
    assert fold_surname(one) == fold_surname(other) != ""


@pytest.mark.parametrize(
    ("one", "other"), [("Jansen", "Janssen"), ("Vanberg", "Berg"), ("Van In", "Berg"), ("Иванов", "Петров")]
)
def test_another_surname(one: str, other: str) -> None:
    assert fold_surname(one) != fold_surname(other)


def test_a_name_of_prefixes_alone_keeps_them() -> None:
    assert fold_surname("Van In") == "vanin"
