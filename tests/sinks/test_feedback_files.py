"""Feedback in a partner's folder: whole, once, and never through a link that the partner put there."""

from pathlib import Path

import pytest
from signaalwissel.sinks.feedback_channels import put_file

from tests.processors.test_feedback import TOLD


@pytest.mark.parametrize("way", ["symlink_to", "hardlink_to"])
@pytest.mark.parametrize("name", [f".{TOLD.notice_id}.part", f"{TOLD.notice_id}.json"])
def test_a_link_in_the_folder_leads_to_nothing_of_ours(tmp_path: Path, name: str, way: str) -> None:
    ours = tmp_path / "ours"
    ours.write_text("kept")
    folder = tmp_path / TOLD.municipality / TOLD.partner_id
    folder.mkdir(parents=True)
    getattr(folder / name, way)(ours)
    put_file(tmp_path, TOLD, b"told")
    assert ours.read_text() == "kept"
    assert [file.name for file in folder.iterdir()] == [f"{TOLD.notice_id}.json"]
    assert (folder / f"{TOLD.notice_id}.json").read_bytes() == b"told"
