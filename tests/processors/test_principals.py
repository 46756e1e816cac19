from pathlib import Path

import pytest
from signaalwissel.processors.principals import ROLES, Principals, PrincipalsError, load_principals

FILE = """
[roles]
intake = ["worker"]
matcher = ["worker", "worker-2"]

[publishers]
water-west = ["CN=water"]

[task-systems]
desk = ["desk"]

[early-signalling]
vps = []
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "principals.toml"
    file.write_text(text)
    return file


def test_without_a_file_every_role_has_its_default_name() -> None:
    assert {role: Principals().of(role) for role in ROLES} == {
        role: (f"signaalwissel-{role}",) for role in ROLES
    }
    assert Principals().of_publisher("water-west") == ("publisher-water-west",)


def test_the_file_names_principals_and_what_it_leaves_out_keeps_its_default(tmp_path: Path) -> None:
    found = load_principals(written(tmp_path, FILE))
    assert found.of("matcher") == ("worker", "worker-2")
    assert found.of("sink") == ("signaalwissel-sink",)
    assert found.of_publisher("water-west") == ("CN=water",)
    assert found.task_systems == {"desk": ("desk",)}
    assert found.early_signalling == {"vps": ()}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[roles]\nworker = ["w"]', "no role is called worker"),
        ('[roles]\nsink = ["*"]', "is no name"),
        ('[roles]\nsink = ["User:sink"]', "without User:"),
        ('[roles]\nsink = [" "]', "is no name"),
        ('[roles]\nsink = "sink"', "roles.sink"),
        ('[people]\nsink = ["a"]', "people"),
        ("roles = [", "cannot be read as TOML"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_says_where(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(PrincipalsError, match=r"principals\.toml") as refused:
        load_principals(written(tmp_path, text))
    assert message in str(refused.value)
