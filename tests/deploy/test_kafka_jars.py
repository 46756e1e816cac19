"""Only the known jars start a broker."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from signaalwissel.deploy import kafka_jars
from signaalwissel.deploy.errors import PlatformError
from signaalwissel.deploy.kafka_jars import Fetch, kafka_folder, known_jars
from signaalwissel.deploy.progress import PlatformProgress, Silent

JARS = {"kafka.jar": b"the broker", "log.jar": b"the log"}


class Download:
    """Puts the given files down and counts how often it was asked."""

    def __init__(self, jars: dict[str, bytes]) -> None:
        self.jars = jars
        self.times = 0

    def __call__(self, libs: Path, _progress: PlatformProgress) -> None:
        self.times += 1
        for name, content in self.jars.items():
            (libs / name).write_bytes(content)


@pytest.fixture(autouse=True)
def two_known_jars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = tmp_path / "known.sha256"
    known.write_text(
        "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in JARS.items())
    )
    monkeypatch.setattr(kafka_jars, "KNOWN_JARS", known)


def get(cache: Path, fetch: Fetch) -> Path:
    return kafka_folder(cache, Silent(), fetch)


def test_the_committed_list_names_the_broker_and_its_log_binding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    known = known_jars()
    assert len(known) == 45
    assert {"kafka_2.13-4.4.0.jar", "log4j-slf4j-impl-2.25.5.jar"} <= known.keys()
    assert all(len(bytes.fromhex(digest)) == 32 for digest in known.values())


def test_known_jars_are_downloaded_once(tmp_path: Path) -> None:
    download = Download(JARS)
    folders = {get(tmp_path / "cache", download) for _ in range(2)}
    (folder,) = folders
    assert {jar.name: jar.read_bytes() for jar in (folder / "libs").iterdir()} == JARS
    assert download.times == 1


@pytest.mark.parametrize(
    ("handed_out", "complaint"),
    [
        pytest.param(
            {**JARS, "log.jar": b"the l0g"}, "log.jar has SHA-256 .* and known.sha256 says", id="altered"
        ),
        pytest.param({"kafka.jar": JARS["kafka.jar"]}, "log.jar is missing", id="missing"),
        pytest.param({**JARS, "extra.jar": b"?"}, "extra.jar is not in known.sha256", id="unknown"),
    ],
)
def test_a_download_that_differs_is_refused_and_not_kept(
    tmp_path: Path, handed_out: dict[str, bytes], complaint: str
) -> None:
    with pytest.raises(PlatformError, match=complaint):
        get(tmp_path / "cache", Download(handed_out))
    assert not list((tmp_path / "cache").glob("**/*.jar"))


@pytest.mark.parametrize("damage", ["truncated", "removed", "added", "unverified"])
def test_a_cache_that_changed_since_it_was_verified_is_downloaded_anew(tmp_path: Path, damage: str) -> None:
    download = Download(JARS)
    folder = get(tmp_path / "cache", download)
    jar = folder / "libs" / "kafka.jar"
    match damage:
        case "truncated":
            jar.write_bytes(jar.read_bytes()[:-1])
        case "removed":
            jar.unlink()
        case "added":
            (folder / "libs" / "extra.jar").touch()
        case _:
            (folder / "verified.json").unlink()
    get(tmp_path / "cache", download)
    assert jar.read_bytes() == JARS["kafka.jar"]
    assert download.times == 2


def test_a_new_list_of_known_jars_is_downloaded_anew(tmp_path: Path) -> None:
    get(tmp_path / "cache", Download(JARS))
    newer = {**JARS, "kafka.jar": b"The Broker"}
    kafka_jars.KNOWN_JARS.write_text(
        "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in newer.items())
    )
    folder = get(tmp_path / "cache", Download(newer))
    assert (folder / "libs" / "kafka.jar").read_bytes() == b"The Broker"
