"""Both servers for the length of a block, wherever they come from."""

from __future__ import annotations

import io
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from signaalwissel.deploy import platform as module
from signaalwissel.deploy.embedded_kafka import kafka_programs
from signaalwissel.deploy.errors import PlatformError
from signaalwissel.deploy.platform import Platform, Server, platform
from signaalwissel.deploy.progress import Lines, PlatformProgress, Silent
from signaalwissel.deploy.settings import PlatformSettings

from tests.deploy.holder import Holder, both_answer
from tests.deploy.support import ENDING, NEVER_READY, StandIn, is_alive, wait_until


@pytest.fixture
def own_cache(platform_settings: PlatformSettings) -> Path:
    """The run's cache, filled, so that holders need no network."""
    kafka_programs(platform_settings.cache, Silent())
    return platform_settings.cache


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter and write, for the servers' temporary data."""
    folder = Path(tempfile.mkdtemp(prefix="signaalwissel-test-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def stand_ins(monkeypatch: pytest.MonkeyPatch, kafka: StandIn, postgres: StandIn) -> None:
    def instead(server: StandIn) -> Callable[[PlatformSettings, PlatformProgress], Server]:
        return lambda _settings, _progress: server

    monkeypatch.setattr(module, "_kafka", instead(kafka))
    monkeypatch.setattr(module, "_postgres", instead(postgres))


def test_two_platforms_at_once_do_not_touch_each_other(own_cache: Path, open_folder: Path) -> None:
    holders = [Holder(open_folder, own_cache) for _ in range(2)]
    first, second = (holder.servers() for holder in holders)
    assert len({first.kafka_bootstrap, second.kafka_bootstrap}) == 2
    assert len({first.database_url, second.database_url}) == 2
    holders[0].end(signal.SIGTERM)
    assert both_answer(second)
    holders[1].end(signal.SIGTERM)
    assert list(open_folder.iterdir()) == []


def test_a_holder_that_is_killed_leaves_no_process_and_no_folder(own_cache: Path, open_folder: Path) -> None:
    holder = Holder(open_folder, own_cache)
    assert both_answer(holder.servers())
    family = holder.family()
    assert len(family) > 4  # two supervisors, the broker, PostgreSQL and its helpers
    holder.end(signal.SIGKILL)
    wait_until(lambda: not any(is_alive(process.pid) for process in family), "all servers end")
    wait_until(lambda: not list(open_folder.iterdir()), "the servers' folders go")


def runnable_by(user: str) -> str | None:
    """Return an interpreter of this version that `user` may run, or None."""
    for python in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        with suppress(OSError, subprocess.CalledProcessError):
            subprocess.run(
                [python, "-c", "import ssl"],
                check=True,
                cwd="/",
                user=user,
                group=pwd.getpwnam(user).pw_gid,
                extra_groups=[],
            )
            return python
    return None


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as a plain user already")
def test_a_plain_user_starts_both_from_a_cache_that_is_not_theirs(own_cache: Path, open_folder: Path) -> None:
    python = runnable_by("nobody")
    if python is None:
        pytest.skip("no Python on this machine that the user nobody may run")
    cache = open_folder / "cache"
    shutil.copytree(own_cache, cache, copy_function=shutil.copy2)
    temporary = open_folder / "tmp"
    temporary.mkdir()
    temporary.chmod(0o777)
    holder = Holder(temporary, cache, user="nobody", python=[python])
    assert both_answer(holder.servers())
    assert {process.uids().real for process in holder.family()} == {pwd.getpwnam("nobody").pw_uid}
    holder.end(signal.SIGTERM)
    assert list(temporary.iterdir()) == []


def test_given_servers_are_used_and_none_is_started(tmp_path: Path) -> None:
    given = PlatformSettings(tmp_path / "cache", "broker:9092", "postgresql+psycopg://somewhere/db")
    with platform(given) as held:
        assert held == Platform("broker:9092", "postgresql+psycopg://somewhere/db")
    assert not given.cache.exists()


def test_only_what_is_wanted_is_given(tmp_path: Path) -> None:
    given = PlatformSettings(tmp_path / "cache", "broker:9092", "postgresql+psycopg://somewhere/db")
    with platform(given, kafka=False) as held:
        assert held == Platform("", "postgresql+psycopg://somewhere/db")
    with platform(given, database=False) as held:
        assert held == Platform("broker:9092", "")


def test_a_given_broker_goes_with_a_started_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kafka, postgres = StandIn(ENDING), StandIn()
    stand_ins(monkeypatch, kafka, postgres)
    with platform(PlatformSettings(tmp_path, given_bootstrap="broker:9092")) as held:
        assert held == Platform("broker:9092", postgres.address)


@pytest.mark.timeout(60)  # the other one would try for 90 s
def test_a_server_that_fails_ends_the_other_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slow, failing = StandIn(NEVER_READY), StandIn(ENDING)
    stand_ins(monkeypatch, slow, failing)
    with pytest.raises(PlatformError, match="ended with status 3"), platform(PlatformSettings(tmp_path)):
        pytest.fail("one of them never started")
    assert not slow.folder.exists()
    assert not failing.folder.exists()


def test_an_error_in_the_block_ends_both(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kafka, postgres = StandIn(), StandIn()
    stand_ins(monkeypatch, kafka, postgres)
    pids: list[int] = []

    def use() -> None:
        with platform(PlatformSettings(tmp_path)):
            pids.extend([kafka.pid, postgres.pid])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use()
    assert len(pids) == 2
    assert not any(map(is_alive, pids))


def test_the_start_is_told_to_the_progress(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_ins(monkeypatch, StandIn(), StandIn())
    out = io.StringIO()
    with platform(PlatformSettings(tmp_path), progress=Lines(out)):
        pass
    assert out.getvalue().startswith("Starting Kafka and PostgreSQL ...\n")
