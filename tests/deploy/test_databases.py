"""Databases come empty and go for good."""

from __future__ import annotations

import psycopg
import pytest
from signaalwissel.deploy.databases import create_database, drop_database, fresh_database
from signaalwissel.deploy.errors import PlatformError
from signaalwissel.deploy.platform import Platform


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)


def test_a_fresh_database_is_empty_whatever_was_there(platform: Platform, topic_prefix: str) -> None:
    name = f"{topic_prefix}fresh"
    with connect(create_database(platform.database_url, name)) as left_over:
        left_over.execute("CREATE TABLE old (n int)")
    with fresh_database(platform.database_url, name) as url, connect(url) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (0,)


def test_a_fresh_database_is_dropped_even_while_it_is_used(platform: Platform, topic_prefix: str) -> None:
    with fresh_database(platform.database_url, f"{topic_prefix}used") as url:
        connection = connect(url)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        connect(url)


def test_creating_and_dropping_may_be_repeated(platform: Platform, topic_prefix: str) -> None:
    name = f"{topic_prefix}twice"
    assert create_database(platform.database_url, name) == create_database(platform.database_url, name)
    drop_database(platform.database_url, name)
    drop_database(platform.database_url, name)


def test_a_server_that_is_away_is_named() -> None:
    with pytest.raises(PlatformError, match=r"PostgreSQL server at 127\.0\.0\.1:9 cannot be reached"):
        create_database("postgresql+psycopg://someone:s3cret@127.0.0.1:9/postgres", "any")
