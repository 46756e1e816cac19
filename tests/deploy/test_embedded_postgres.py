"""A real PostgreSQL server: its settings, its account, and what a crash leaves."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator

import psutil
import psycopg
import pytest
from signaalwissel.deploy.embedded_postgres import EmbeddedPostgres
from signaalwissel.deploy.postgres_programs import postgres_programs
from signaalwissel.deploy.progress import Silent
from signaalwissel.deploy.settings import PlatformSettings


@pytest.fixture(scope="module")
def server(platform_settings: PlatformSettings) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(postgres_programs(platform_settings.cache, Silent())) as server:
        yield server


def connect(server: EmbeddedPostgres) -> psycopg.Connection:
    return psycopg.connect(server.address.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)


def test_it_is_postgresql_18_in_utf8_and_utc(server: EmbeddedPostgres) -> None:
    assert server.address.startswith("postgresql+psycopg://signaalwissel@127.0.0.1:")
    with connect(server) as connection:
        row = connection.execute(
            "SELECT split_part(version(), '.', 1), current_setting('server_encoding'), datlocale, "
            "current_setting('timezone'), upper('één') FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert row == ("PostgreSQL 18", "UTF8", "C.UTF-8", "UTC", "ÉÉN")


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_committed_rows_outlive_a_server_that_ends_and_starts_again(
    server: EmbeddedPostgres, how: str
) -> None:
    address = server.address
    with connect(server) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        getattr(server, how)()
    server.start()
    assert server.address == address
    with connect(server) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)


def test_it_runs_as_an_account_without_rights(server: EmbeddedPostgres) -> None:
    expected = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
    assert psutil.Process(server.pid).uids().real == expected


def test_it_listens_on_the_loopback_address_alone_and_on_no_unix_socket(server: EmbeddedPostgres) -> None:
    listening = {
        connection.laddr.ip
        for connection in psutil.Process(server.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
    with connect(server) as connection:
        assert connection.execute("SHOW unix_socket_directories").fetchone() == ("",)
