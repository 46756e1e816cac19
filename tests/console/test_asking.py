"""Who is meant: read from a file or standard input; no refusal repeats a value."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from signaalwissel.console.asking import check_words, read_person, request_id
from signaalwissel.console.failures import UsageFailure
from signaalwissel.security.local_keys import LocalKeys

MUNICIPALITY = "0344"
BSN = "999990019"
WHOLE = {"bsn": BSN, "postcode": "3511 ab", "house_number": 12, "birth_date": "1980-05-17"}


@pytest.fixture
def keys(tmp_path: Path) -> LocalKeys:
    made = LocalKeys(tmp_path / "keys")
    made.create(MUNICIPALITY)
    return made


def named(folder: Path, content: Any) -> Path:
    file = folder / "resident.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return file


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("no json 123456782", "JSON object", id="no JSON"),
        pytest.param([BSN], "JSON object", id="no object"),
        pytest.param({"bsn": BSN, "name": "Kanarie"}, "unknown", id="unknown field"),
        pytest.param({"bsn": "123456789"}, "bsn: .*11-proof", id="no BSN"),
        pytest.param({"bsn": 999990019}, "bsn", id="a number"),
        pytest.param({"postcode": "3511AB", "house_number": 12}, "birth_date", id="an address is nobody"),
        pytest.param(
            {"postcode": "Kanarie", "house_number": 12, "birth_date": "1980-05-17"},
            "postcode",
            id="no postcode",
        ),
        pytest.param({}, "BSN", id="nobody"),
    ],
)
def test_who_is_not_named_well_is_refused_and_never_repeated(
    tmp_path: Path, keys: LocalKeys, content: Any, said: str
) -> None:
    with pytest.raises(UsageFailure, match=said) as refused:
        read_person(named(tmp_path, content), MUNICIPALITY, keys)
    for secret in ("123456782", "123456789", BSN, "Kanarie", "1980"):
        assert secret not in str(refused.value)


@pytest.mark.parametrize(("municipality", "said"), [("34", "four digits"), ("0999", "no keys")])
def test_a_municipality_must_be_one_of_ours(
    tmp_path: Path, keys: LocalKeys, municipality: str, said: str
) -> None:
    with pytest.raises(UsageFailure, match=said):
        read_person(named(tmp_path, WHOLE), municipality, keys)


def test_a_file_that_is_not_there_is_refused(keys: LocalKeys) -> None:
    with pytest.raises(UsageFailure, match="cannot be read"):
        read_person(Path("/nowhere/at/all.json"), MUNICIPALITY, keys)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path, keys: LocalKeys) -> None:
    file = tmp_path / "bytes"
    file.write_bytes(b"\xff")
    with pytest.raises(UsageFailure, match="UTF-8"):
        read_person(file, MUNICIPALITY, keys)


def test_standard_input_names_the_same_resident(
    tmp_path: Path, keys: LocalKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(WHOLE)))
    assert read_person(Path("-"), MUNICIPALITY, keys) == read_person(
        named(tmp_path, WHOLE), MUNICIPALITY, keys
    )


def test_a_request_has_an_id_of_its_kind_its_moment_and_whom_it_is_about(
    tmp_path: Path, keys: LocalKeys
) -> None:
    hashes = keys.pseudonym_keys(MUNICIPALITY)
    him = read_person(named(tmp_path, WHOLE), MUNICIPALITY, keys)
    her = read_person(named(tmp_path, {**WHOLE, "bsn": "123456782"}), MUNICIPALITY, keys)
    ids = {
        request_id(*asked, 1)
        for asked in (("erase", him, hashes), ("export", him, hashes), ("erase", her, hashes))
    }
    assert len(ids | {request_id("erase", him, hashes, 2)}) == 4
    assert request_id("erase", him, hashes, 1) in ids


@pytest.mark.parametrize("word", ["", "a\nb", "x" * 201])
def test_a_word_that_the_record_cannot_hold_is_named(word: str) -> None:
    with pytest.raises(UsageFailure, match="--ground"):
        check_words(ground=word, by="po-3")
