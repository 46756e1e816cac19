"""Jars come from the repository that jgo is set up with; here one with four artifacts on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from signaalwissel.deploy import maven
from signaalwissel.deploy.errors import PlatformError
from signaalwissel.deploy.progress import Silent
from tenacity import wait_none

POM = """<project><modelVersion>4.0.0</modelVersion>
<groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version>
<dependencies>{needs}</dependencies></project>"""
NEED = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"


class Repository(SimpleHTTPRequestHandler):
    """Serves the folder; cuts the answer off once for each name in `cut_off`."""

    cut_off: ClassVar[set[str]] = set()

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[1]
        if name in self.cut_off:
            self.cut_off.discard(name)
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"<proj")
            self.close_connection = True
            return
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep quiet."""


def publish(root: Path, group: str, name: str, version: str, *needs: tuple[str, str, str]) -> None:
    folder = root / group.replace(".", "/") / name / version
    folder.mkdir(parents=True)
    pom = POM.format(
        group=group, name=name, version=version, needs="".join(NEED.format(*need) for need in needs)
    )
    (folder / f"{name}-{version}.pom").write_text(pom)
    (folder / f"{name}-{version}.jar").write_bytes(f"{name} {version}".encode())


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A mirror that jgo's configuration file names, in place of the public one."""
    kafka, log4j = "org.apache.kafka", "org.apache.logging.log4j"
    root = tmp_path / "repository"
    publish(root, kafka, "kafka_2.13", "9.9", (kafka, "kafka-clients", "9.9"))
    publish(root, kafka, "kafka-clients", "9.9")
    publish(root, log4j, "log4j-slf4j-impl", "2.25.5", (log4j, "log4j-core", "2.25.5"))
    publish(root, log4j, "log4j-core", "2.25.5")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Repository, directory=str(root))) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        configure(tmp_path, monkeypatch, server.server_port)
        yield
        server.shutdown()


def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    configuration = tmp_path / "jgo.conf"
    configuration.write_text(f"[repositories]\ncentral = http://127.0.0.1:{port}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(configuration))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for download in (maven._closure, maven._download):
        monkeypatch.setattr(download.retry, "wait", wait_none())  # type: ignore[attr-defined]


@pytest.fixture
def libs(tmp_path: Path) -> Path:
    libs = tmp_path / "staging" / "libs"
    libs.mkdir(parents=True)
    return libs


EXPECTED = ["kafka-clients-9.9.jar", "kafka_2.13-9.9.jar", "log4j-slf4j-impl-2.25.5.jar"]


@pytest.mark.usefixtures("repository")
def test_the_broker_comes_with_what_it_needs_and_the_log_binding_alone(libs: Path) -> None:
    maven.download_jars("9.9", libs, Silent())
    assert sorted(jar.name for jar in libs.iterdir()) == EXPECTED


@pytest.mark.usefixtures("repository")
def test_nothing_is_written_beside_the_jars(libs: Path, tmp_path: Path) -> None:
    maven.download_jars("9.9", libs, Silent())
    assert [path.name for path in libs.parent.iterdir()] == ["libs"]
    assert not (tmp_path / "home").exists()


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("name", ["kafka-clients-9.9.pom", "kafka-clients-9.9.jar"])
def test_a_download_that_is_cut_off_is_tried_again(
    libs: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off = {name}
    monkeypatch.setattr(Repository, "cut_off", cut_off)
    maven.download_jars("9.9", libs, Silent())
    assert not cut_off
    assert (libs / "kafka-clients-9.9.jar").read_bytes() == b"kafka-clients 9.9"


@pytest.mark.usefixtures("repository")
def test_an_unknown_version_says_what_to_check(libs: Path) -> None:
    with pytest.raises(
        PlatformError, match=r"cannot be downloaded: .*kafka_2\.13.*SIGNAALWISSEL_KAFKA_BOOTSTRAP"
    ):
        maven.download_jars("1.1", libs, Silent())


def test_a_repository_that_is_away_says_what_to_check(
    libs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, monkeypatch, port=9)
    with pytest.raises(PlatformError, match=r"cannot be downloaded: .*HTTPS_PROXY.*jgo\.conf"):
        maven.download_jars("9.9", libs, Silent())
