"""Programs of Go modules are built once per machine, and a machine that cannot build them says why."""

from pathlib import Path

import pytest
from signaalwissel.deploy.progress import Silent

from tests.deploy.go_programs import Module, NotBuilt, go_programs

PUBLISHED = Module(
    {"example.nl/tools/one": "one", "example.nl/tools/two": "two"},
    "v1.2.3",
    replaced="replace example.nl/a => example.nl/a v0.1.0\n",
    flags="-X main.version=1",
)
STAND_IN = """\
#!/bin/sh
echo "$(basename "$PWD") $GOFLAGS: $*" >>"$GO_CALLS"
cat go.mod >>"$GO_CALLS"
[ "$1" = "$GO_FAILS" ] && { echo 'main.go:7: undefined: x' >&2; exit 1; }
while [ $# -gt 1 ]; do [ "$1" = -o ] && touch "$2"; shift; done
exit 0
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a stand-in for Go was asked to do."""
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text(STAND_IN, "ascii")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    monkeypatch.setenv("GO_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("GO_FAILS", "nothing")
    return tmp_path / "calls"


def built(tmp_path: Path, *modules: Module) -> list[str]:
    return sorted(file.name for file in go_programs(tmp_path / "built", modules, Silent()).iterdir())


def test_programs_of_a_published_module_are_fetched_and_built_and_nothing_else_stays(
    tmp_path: Path, calls: Path
) -> None:
    assert built(tmp_path, PUBLISHED) == ["one", "two"]
    lines = calls.read_text().splitlines()
    assert [line.partition(" -o ")[0] for line in lines if line.startswith("sources ")] == [
        "sources -buildvcs=false -mod=mod: get example.nl/tools/one@v1.2.3 example.nl/tools/two@v1.2.3",
        "sources -buildvcs=false -mod=mod: build -ldflags=-s -w -X main.version=1",
        "sources -buildvcs=false -mod=mod: build -ldflags=-s -w -X main.version=1",
    ]
    assert "replace example.nl/a => example.nl/a v0.1.0" in lines


def test_sources_of_ours_are_built_where_they_lie_with_the_sums_that_they_have(
    tmp_path: Path, calls: Path
) -> None:
    sources = tmp_path / "ours"
    sources.mkdir()
    (sources / "go.mod").write_text("module ours.invalid\n", "ascii")
    assert built(tmp_path, Module({".": "program"}, sources=sources)) == ["program"]
    (line,) = [line for line in calls.read_text().splitlines() if line.startswith("ours ")]
    assert line.startswith("ours -buildvcs=false -mod=readonly: build ")
    assert [file.name for file in sources.iterdir()] == ["go.mod"]


def test_several_modules_make_one_folder(tmp_path: Path, calls: Path) -> None:
    other = Module({"example.nl/other": "other"}, "v2.0.0")
    assert built(tmp_path, PUBLISHED, other) == ["one", "other", "two"]


@pytest.mark.usefixtures("calls")
def test_what_was_built_is_found_where_there_is_no_go_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(tmp_path, PUBLISHED)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert built(tmp_path, PUBLISHED) == ["one", "two"]


def test_without_go_it_says_what_cannot_be_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotBuilt, match="no Go to build one, two"):
        built(tmp_path, PUBLISHED)


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize("command", ["get", "build"])
def test_a_build_that_fails_says_what_go_says_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("GO_FAILS", command)
    with pytest.raises(NotBuilt, match=r"one, two cannot be built here: main\.go:7: undefined: x"):
        built(tmp_path, PUBLISHED)
    assert not (tmp_path / "built").exists()
