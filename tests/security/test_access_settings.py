"""The access file says what is wrong with it, and repeats no value."""

from pathlib import Path

import pytest
from signaalwissel.processors.access import Role
from signaalwissel.security.access_settings import AccessUnusable, load_access

GOOD = """
[[issuers]]
issuer = "https://login.example.nl"
audience = "signaalwissel"
jwks_url = "https://login.example.nl/keys"
municipalities = ["0344"]
roles = { sw-counsellor = "counsellor" }
[issuers.clients.water-west]
municipalities = ["0344"]
partners = ["water-west"]
[certificates."CN=energie-noord"]
municipalities = ["0363"]
partners = ["energie-noord"]
[login]
issuer = "https://login.example.nl"
client_id = "pages"
authorization_endpoint = "https://login.example.nl/authorize"
token_endpoint = "https://login.example.nl/token"
[proxy]
addresses = ["10.0.0.5", "10.1.0.0/16"]
"""


def load(tmp_path: Path, text: str) -> object:
    file = tmp_path / "access.toml"
    file.write_text(text)
    return load_access(file)


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "access.toml"
    file.write_text(GOOD)
    access = load_access(file)
    assert access.issuers[0].roles == {"sw-counsellor": Role.COUNSELLOR}
    assert access.issuers[0].clients["water-west"].roles == {Role.INTEGRATOR}
    assert access.certificates["CN=energie-noord"].partners == {"energie-noord"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('jwks_url = "https://login.example.nl/keys"', "", "jwks_url or jwks_file"),
        ('"https://login.example.nl/keys"', '"http://login.example.nl/keys"', "must be an https address"),
        ('"https://login.example.nl/keys"', '"file:///etc/passwd"', "must be an https address"),
        ('audience = "signaalwissel"', 'audience = "a"\nalgorithms = ["none"]', "algorithms must be of"),
        ('audience = "signaalwissel"', 'audience = "a"\nalgorithms = ["HS256"]', "algorithms must be of"),
        ('audience = "signaalwissel"', 'audience = "a"\nalgorithms = []', "algorithms must be of"),
        (
            'municipalities = ["0344"]\nroles',
            'municipalities = ["GM0344"]\nroles',
            "issuers.0.municipalities",
        ),
        ('"counsellor"', '"king"', "issuers.0.roles"),
        ('[login]\nissuer = "https://login.example.nl"', '[login]\nissuer = "https://x.nl"', "none of the"),
        ('["10.0.0.5", "10.1.0.0/16"]', '["somewhere"]', "proxy"),
        ('["10.0.0.5", "10.1.0.0/16"]', "[]", "addresses must name"),
        ("[proxy]", "[proxie]", "proxie"),
        ("[proxy]", "[proxy", "TOML"),
    ],
)
def test_what_is_wrong_is_named_by_its_key(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(AccessUnusable, match="access") as refused:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert told in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AccessUnusable, match="nowhere"):
        load_access(tmp_path / "nowhere.toml")
