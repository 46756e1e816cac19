"""Profiles are checked whole at load: every error names file, key and bound."""

import tomllib
from pathlib import Path

import pytest
from signaalwissel.sources.profile_loading import (
    ProfileError,
    explanations,
    load_profile,
    load_profile_file,
    packaged_profiles,
)

PROFILES = Path(__file__).parents[2] / "sources" / "profiles"
UNKNOWN_FORMATS = ("allegro", "onview", "ris", "stratech", "vps")


def changed(folder: Path, old: str, new: str, name: str = "vps") -> Path:
    text = (PROFILES / f"{name}.toml").read_text("utf-8")
    assert old in text
    file = folder / f"{name}.toml"
    file.write_text(text.replace(old, new, 1), "utf-8")
    return file


def test_the_profiles_of_the_systems_are_there() -> None:
    assert packaged_profiles() == sorted([*UNKNOWN_FORMATS, "ddas-signals", "ddas-trajectories"])


@pytest.mark.parametrize("name", UNKNOWN_FORMATS)
def test_a_profile_of_an_unpublished_format_marks_every_field_as_assumed(name: str) -> None:
    profile = load_profile(name).profile
    assert "ours" in profile.assumed
    assert [one.field for one in explanations(profile) if one.assumed is None] == []


@pytest.mark.parametrize("name", packaged_profiles())
def test_a_profile_has_no_code_list_that_nothing_uses(name: str) -> None:
    content = tomllib.loads((PROFILES / f"{name}.toml").read_text("utf-8"))
    text = (PROFILES / f"{name}.toml").read_text("utf-8")
    assert all(f'codes = "{codes}"' in text for codes in content["codes"])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[map.arrears]", "[map.achterstand]", "map.achterstand: is no field of it"),
        ('[map.signal_id]\ncolumn = "Signaalnummer"', '[map.signal_id]\nkolom = "x"', "map.signal_id.kolom"),
        ('codes = "partner_kinds"', 'codes = "soorten"', "there is no [codes.soorten]"),
        ('"Energie" = "ENERGY"', '"Energie" = "STROOM"', "STROOM: must be one of ENERGY, RENT"),
        ('decimal = ","', 'decimal = ";"', "map.arrears.decimal"),
        ('column = "Signaaldatum"\nrequired = true\ndates = ["%d-%m-%Y"]', 'column = "Signaaldatum"', "map.signalled_on.dates: must say how"),
        ('encodings = ["utf-8-sig", "cp1252"]', 'encodings = ["ebcdic-x"]', "ebcdic-x is no known encoding"),
        ('format = "csv"', 'format = "xml"', "records must say where the rows of a xml file are"),
        ('record = "signal"', 'record = "signalen"', "record: "),
        ('TAKEN_UP = "Opgepakt"\n', "", "TAKEN_UP: must have the system's term"),
        ("pad = 8", 'pad = 8\nextract = "("', "map.partner_id.extract: Value error, is no regular expression"),
        ('column = "BSN"', 'column = "BSN"\nconstant = "1"', "exactly one of column, constant and derive"),
        ('column = "Gemeentecode"\nrequired = true', "constant = 344", "map.municipality.constant: cannot be"),
        ("pad = 8", 'pad = 8\nlookup = "partners"', "there is no [lookups.partners]"),
    ],
)  # fmt: skip
def test_a_profile_that_cannot_be_says_which_key_and_why(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    file = changed(tmp_path, old, new)
    with pytest.raises(ProfileError) as refused:
        load_profile_file(file)
    assert str(refused.value).startswith(f"{file}: ")
    assert said in str(refused.value)


def test_a_second_file_gives_partners_their_ids(tmp_path: Path) -> None:
    lookup = '[lookups.partners]\nfile = "partners.csv"\nkey = "naam"\nvalue = "kvk"\n\n[codes.partner_kinds]'
    file = changed(tmp_path, "[codes.partner_kinds]", lookup)
    file.write_text(file.read_text("utf-8").replace("pad = 8", 'pad = 8\nlookup = "partners"'), "utf-8")
    with pytest.raises(ProfileError, match="cannot be read as CSV"):
        load_profile(str(file))
    (tmp_path / "partners.csv").write_text("naam;nummer\n", "utf-8")
    with pytest.raises(ProfileError, match="has no column kvk"):
        load_profile(str(file))
    (tmp_path / "partners.csv").write_text("naam;kvk\nEnergie Noord;1234567\n", "utf-8")
    assert load_profile(str(file)).lookups["partners"] == {"energie noord": "1234567"}


def test_trajectories_need_clients_and_signals_have_none(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="has its person in"):
        load_profile_file(
            changed(tmp_path, "[codes.yes_no]", '[[clients]]\nbsn = { column = "BSN" }\n\n[codes.yes_no]')
        )
