"""A folder is filled once per machine and is whole or absent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from signaalwissel.deploy.cache import cache_folder, filled
from signaalwissel.deploy.errors import PlatformError
from signaalwissel.deploy.progress import Silent

TWO_AT_ONCE = """
import sys, time
from pathlib import Path
from signaalwissel.deploy.cache import filled
from signaalwissel.deploy.progress import Lines

folder, me, other = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])

def fill(staging):
    with folder.with_name("fills").open("a") as fills:
        fills.write("x")
    deadline = time.monotonic() + 20
    while not other.exists():  # so that both are at it at the same time
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (staging / "whole").touch()

me.touch()
filled(folder, fill, lambda it: (it / "whole").exists(), Lines(sys.stdout))
assert (folder / "whole").exists()
"""


def is_whole(folder: Path) -> bool:
    return (folder / "whole").exists()


def make_whole(staging: Path) -> None:
    (staging / "whole").touch()


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        pytest.param(
            {"SIGNAALWISSEL_CACHE": "/c", "XDG_CACHE_HOME": "/x"}, Path("/c"), id="its own variable first"
        ),
        pytest.param({"XDG_CACHE_HOME": "/x"}, Path("/x/signaalwissel"), id="then the user's cache folder"),
        pytest.param({}, Path.home() / ".cache" / "signaalwissel", id="then the default one"),
        pytest.param(
            {"SIGNAALWISSEL_CACHE": ""},
            Path.home() / ".cache" / "signaalwissel",
            id="empty counts as not set",
        ),
    ],
)
def test_the_cache_folder_follows_the_environment(environ: dict[str, str], folder: Path) -> None:
    assert cache_folder(environ) == folder


def test_an_account_without_a_home_can_still_use_given_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert cache_folder({}) == Path("/.cache/signaalwissel")


def test_two_processes_that_fill_at_once_fill_once_and_both_end_well(tmp_path: Path) -> None:
    target, one, two = tmp_path / "target", tmp_path / "one", tmp_path / "two"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TWO_AT_ONCE, str(target), str(me), str(other)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for me, other in ((one, two), (two, one))
    ]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert (tmp_path / "fills").read_text() == "x"


def test_a_whole_folder_is_used_as_it_is(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    make_whole(target)

    def fill(_staging: Path) -> None:
        pytest.fail("it was whole")

    assert filled(target, fill, is_whole, Silent()) == target


def test_a_fill_that_fails_leaves_nothing_and_passes_its_error_on(tmp_path: Path) -> None:
    def fill(staging: Path) -> None:
        (staging / "half").touch()
        raise PlatformError("cut off")

    with pytest.raises(PlatformError, match="cut off"):
        filled(tmp_path / "target", fill, is_whole, Silent())
    assert [path.name for path in tmp_path.iterdir()] == ["target.lock"]


def test_a_folder_that_is_no_longer_whole_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "half").touch()
    filled(target, make_whole, is_whole, Silent())
    assert [path.name for path in target.iterdir()] == ["whole"]


def test_what_a_killed_process_left_behind_is_removed(tmp_path: Path) -> None:
    (tmp_path / "target.staging-dead").mkdir()
    filled(tmp_path / "target", make_whole, is_whole, Silent())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["target", "target.lock"]


def test_a_cache_that_cannot_be_written_names_the_variable_to_set(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    with pytest.raises(PlatformError, match="set SIGNAALWISSEL_CACHE to a folder that can"):
        filled(in_the_way / "cache" / "target", make_whole, is_whole, Silent())
