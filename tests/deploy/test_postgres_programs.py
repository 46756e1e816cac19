"""PostgreSQL starts wherever it is installed, for root as for others."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from signaalwissel.deploy import postgres_programs as module
from signaalwissel.deploy.embedded_postgres import EmbeddedPostgres
from signaalwissel.deploy.errors import ExtraMissing, PlatformError
from signaalwissel.deploy.postgres_programs import copy_programs, open_to_all, postgres_programs
from signaalwissel.deploy.progress import Silent

root_only = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root has to hand PostgreSQL to another account"
)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own are closed."""
    folder = Path(tempfile.mkdtemp(prefix="signaalwissel-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def closed_site(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PostgreSQL, installed under a folder that only its owner may enter."""
    site = open_folder / "home" / "site-packages"
    site.mkdir(parents=True)
    copy_programs(module._installed(), site)
    (open_folder / "home").chmod(0o700)
    monkeypatch.setattr(module, "_installed", lambda: site)
    return site


def answers(server: EmbeddedPostgres) -> bool:
    with psycopg.connect(server.address.replace("+psycopg", "")) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


@root_only
def test_programs_that_all_may_read_are_used_where_they_are(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = open_folder / "site-packages"
    site.mkdir()
    copy_programs(module._installed(), site)
    monkeypatch.setattr(module, "_installed", lambda: site)
    programs = postgres_programs(open_folder / "cache", Silent())
    assert programs.site == site
    assert not programs.to_copy


@root_only
def test_closed_programs_are_copied_once_into_an_open_cache(closed_site: Path, open_folder: Path) -> None:
    cache = open_folder / "cache"
    programs = postgres_programs(cache, Silent())
    assert programs.site.is_relative_to(cache)
    stamp = (programs.bin / "postgres").stat().st_ino
    assert (postgres_programs(cache, Silent()).bin / "postgres").stat().st_ino == stamp
    with EmbeddedPostgres(programs) as server:
        assert answers(server)


@root_only
def test_closed_programs_beside_a_closed_cache_are_copied_for_each_server(closed_site: Path) -> None:
    programs = postgres_programs(closed_site.parent / "cache", Silent())
    assert programs.to_copy
    with EmbeddedPostgres(programs) as server:
        folder = server._own_folder()
        assert answers(server)
    assert not folder.exists()


def test_rows_in_a_given_folder_outlive_the_server(open_folder: Path) -> None:
    programs = postgres_programs(open_folder / "cache", Silent())
    for expected in (1, 2):
        with EmbeddedPostgres(programs, folder=open_folder / "kept") as server:
            url = server.address.replace("+psycopg", "")
            with psycopg.connect(url) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
                connection.execute("INSERT INTO kept VALUES (1)")
                assert connection.execute("SELECT count(*) FROM kept").fetchone() == (expected,)


@root_only
def test_a_temporary_folder_that_only_root_may_enter_is_named(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(closed))
    with pytest.raises(PlatformError, match=f"cannot enter {closed}: set TMPDIR"):
        EmbeddedPostgres(postgres_programs(open_folder, Silent())).__enter__()
    assert not list(closed.iterdir())


@root_only
def test_a_machine_without_the_account_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> pwd.struct_passwd:
        raise KeyError(name)

    monkeypatch.setattr(pwd, "getpwnam", unknown)
    with pytest.raises(PlatformError, match="no user 'nobody': start as another user"):
        postgres_programs(tmp_path, Silent())


def test_another_user_than_root_needs_no_account_and_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    programs = postgres_programs(tmp_path, Silent())
    assert programs.account is None
    assert not programs.to_copy


@pytest.mark.parametrize(
    ("change", "is_open"),
    [
        pytest.param(lambda _folder: None, True, id="all may read"),
        pytest.param(lambda folder: (folder / "in" / "file").chmod(0o600), False, id="a closed file"),
        pytest.param(lambda folder: (folder / "in").chmod(0o700), False, id="a closed folder"),
        pytest.param(
            lambda folder: (folder / "in" / "link").symlink_to("/etc/hostname"), False, id="a link out of it"
        ),
        pytest.param(lambda folder: (folder / "in" / "link").symlink_to("file"), True, id="a link within it"),
    ],
)
def test_open_means_that_all_may_read_all_of_it(open_folder: Path, change: object, is_open: bool) -> None:
    (open_folder / "in").mkdir(mode=0o755)
    (open_folder / "in").chmod(0o755)
    (open_folder / "in" / "file").touch()
    (open_folder / "in" / "file").chmod(0o644)
    assert callable(change)
    change(open_folder)
    assert open_to_all(open_folder) == is_open


def test_without_the_embedded_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ExtraMissing, match=r"signaalwissel\[embedded\].*set SIGNAALWISSEL_DATABASE_URL"):
        postgres_programs(tmp_path, Silent())
