"""The publishers file; what it allows is in test_rule_bad_input.py."""

from pathlib import Path

import pytest
from signaalwissel.processors.publishers import Publishers, PublishersError, load_publishers
from signaalwissel.processors.rejection import Rejected

FILE = """
["signals.woonstad"]
municipalities = ["0344"]
partners = ["woonstad"]

["trajectories.stratech"]
municipalities = ["0344", "0363"]
"""


def test_a_file_is_a_table_per_topic(tmp_path: Path) -> None:
    file = tmp_path / "publishers.toml"
    file.write_text(FILE)
    publishers = load_publishers(file)
    assert publishers.topics() == ("signals.woonstad", "trajectories.stratech")
    publishers.check("signals.woonstad", "0344", "woonstad")
    with pytest.raises(Rejected, match=r"PUBLISHER_NOT_ALLOWED: partner\.partner_id"):
        publishers.check("signals.woonstad", "0344", "stroom")
    publishers.check("trajectories.stratech", "0363")


def test_without_a_file_every_topic_speaks_for_all() -> None:
    assert Publishers().topics() == ()
    Publishers().check("signals", "0344", "stroom")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b'["signals"', "cannot be read as TOML", id="no TOML"),
        pytest.param(b"\xff", "cannot be read as TOML", id="no text"),
        pytest.param(
            b'["signals.a"]\nmunicipality = ["0344"]', r'\["signals.a"\]: municipality', id="no such key"
        ),
        pytest.param(b'signals = "0344"', r'\["signals"\]', id="no table"),
        pytest.param(
            b'["feedback.a"]\nmunicipalities = ["0344"]',
            r'\["feedback.a"\]: partners',
            id="everybody's feedback",
        ),
        pytest.param(None, "No such file", id="no file"),
    ],
)
def test_an_error_names_file_topic_and_key(tmp_path: Path, content: bytes | None, told: str) -> None:
    file = tmp_path / "publishers.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(PublishersError, match=rf"publishers\.toml: .*{told}"):
        load_publishers(file)
