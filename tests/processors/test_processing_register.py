from pathlib import Path

import pytest
from signaalwissel.processors.policy import PolicyError, load_policies
from signaalwissel.processors.processing_register import (
    BUILT_IN,
    NAMES,
    Purpose,
    RegisterError,
    UnknownPurpose,
    is_absolute_uri,
    read_register,
)

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "docs" / "processing-register.toml"


def sample() -> str:
    return SAMPLE.read_text("utf-8")


def test_the_sample_register_has_every_purpose() -> None:
    register = read_register(sample())
    assert {register.activity_of(purpose) for purpose in Purpose} == set(register.entries.values())
    assert len(set(register.entries.values())) == len(Purpose)
    assert not register.built_in


def test_every_purpose_has_a_name_and_a_built_in_entry() -> None:
    assert set(NAMES) == set(Purpose) == set(BUILT_IN.entries)
    assert all(map(is_absolute_uri, BUILT_IN.entries.values()))


def test_an_unknown_purpose_is_refused_at_the_call() -> None:
    with pytest.raises(UnknownPurpose, match="purpose profiling: has no entry"):
        BUILT_IN.activity_of("profiling")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("signal-tested =", "signal-sold ="), "activities.signal-sold: unknown purpose; activities.signal-tested: missing"),
        (('version = ', 'versie = '), "versie: unknown"),
        (('version = "', 'version = 5 # "'), "version: must be a text"),
        (("https://", "//"), "must be an absolute URI"),
        (("[activities]", "[activities"), "is not TOML"),
    ],
)  # fmt: skip
def test_a_register_that_cannot_be_used_names_what_is_wrong(change: tuple[str, str], problem: str) -> None:
    with pytest.raises(RegisterError) as refused:
        read_register(sample().replace(*change))
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("uri", "absolute"),
    [
        ("https://register.example/a/1", True),
        ("urn:nld:oin:1:a", True),
        ("register/a", False),
        ("//register.example/a", False),
        ("https:///a", False),
        ("https://register.example/a b", False),
        ("https://[", False),
        ("", False),
        (5, False),
    ],
)
def test_absolute_uris(uri: object, absolute: bool) -> None:
    assert is_absolute_uri(uri) is absolute


def test_each_municipality_has_the_register_that_its_policy_names(tmp_path: Path) -> None:
    (tmp_path / "register").mkdir()
    (tmp_path / "register" / "0344.toml").write_text(sample())
    (tmp_path / "default.toml").write_text((ROOT / "processors" / "default.toml").read_text("utf-8"))
    (tmp_path / "0344.toml").write_text('[privacy]\nprocessing_register = "register/0344.toml"\n')
    (tmp_path / "0363.toml").write_text("")
    policies = load_policies(tmp_path)
    assert policies.register_of("0344") == read_register(sample())
    assert policies.register_of("0363") == policies.register_of("9999") == BUILT_IN
    assert policies["0344"].version == policies["0363"].version
    (tmp_path / "0344.toml").write_text('[privacy]\nprocessing_register = "register/gone.toml"\n')
    with pytest.raises(
        PolicyError, match=r"0344\.toml: privacy\.processing_register: .*gone\.toml cannot be read"
    ):
        load_policies(tmp_path)
