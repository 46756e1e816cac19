"""Whoever may write into a watched folder cannot lead the importer to another file by a link."""

from pathlib import Path

import pytest
from signaalwissel.sources.file_import import Report
from signaalwissel.sources.rejects import SUFFIX, Reject, RejectFile
from signaalwissel.sources.watching import DONE, WatchedFolder, files_in

REJECT = Reject(2, ("bsn",), "subject.bsn", "INVALID_FIELD", "must pass the 11-proof")


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A file outside of the folder, to which a link leads."""
    file = tmp_path / "secret"
    file.write_text("kept")
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "drop"
    made.mkdir()
    (made / "a.csv").write_text("x\n")
    return made


def test_links_and_hidden_files_are_no_exports(folder: Path, theirs: Path) -> None:
    (folder / "link.csv").symlink_to(theirs)
    (folder / ".hidden.csv").write_text("x\n")
    assert files_in(folder) == [folder / "a.csv"]


@pytest.mark.parametrize("name", [f".a.csv{SUFFIX}.part", f"a.csv{SUFFIX}"])
@pytest.mark.parametrize("way", ["symlink_to", "hardlink_to"])
def test_rejects_never_go_through_a_link(folder: Path, theirs: Path, name: str, way: str) -> None:
    getattr(folder / name, way)(theirs)
    with RejectFile(folder / "a.csv", write=True) as rejects:
        rejects.add(REJECT)
    assert theirs.read_text() == "kept"
    assert REJECT.code in (folder / f"a.csv{SUFFIX}").read_text()


def test_a_folder_that_is_a_link_takes_nothing(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / DONE).symlink_to(elsewhere)
    with pytest.raises(NotADirectoryError, match="is a link"):
        WatchedFolder(folder, 0.0, lambda: 0.0).put_away(folder / "a.csv", Report("a.csv"))
    assert list(elsewhere.iterdir()) == []
    assert (folder / "a.csv").exists()
