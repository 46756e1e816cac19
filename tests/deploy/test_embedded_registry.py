"""Only the pinned archive becomes a registry."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest
from signaalwissel.deploy.embedded_registry import PROGRAM, program_folder
from signaalwissel.deploy.errors import PlatformError
from signaalwissel.deploy.progress import PlatformProgress, Silent


class Download:
    """Packs one program and counts how often it was asked."""

    def __init__(self) -> None:
        self.times = 0
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            entry = tarfile.TarInfo(PROGRAM)
            entry.size = len(b"program")
            archive.addfile(entry, io.BytesIO(b"program"))
        self.content = packed.getvalue()
        self.digest = hashlib.sha256(self.content).hexdigest()

    def __call__(self, folder: Path, _progress: PlatformProgress) -> Path:
        self.times += 1
        file = folder / "apicurio.tar.gz"
        file.write_bytes(self.content)
        return file


def test_the_pinned_archive_is_unpacked_once(tmp_path: Path) -> None:
    download = Download()
    for _ in range(2):
        folder = program_folder(tmp_path, Silent(), download, download.digest)
    assert (folder / PROGRAM).read_bytes() == b"program"
    assert not (folder / "download").exists()
    assert download.times == 1


def test_another_archive_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match=r"download of Apicurio is refused.*Nothing was kept"):
        program_folder(tmp_path, Silent(), Download(), "0" * 64)
    assert [file for file in tmp_path.iterdir() if file.is_dir()] == []
