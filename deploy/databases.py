"""Databases on a PostgreSQL server. Flows in: the server's address. Flows out: the address of a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from signaalwissel.deploy.errors import PlatformError

CONNECT_BOUND_S = 10
SQLALCHEMY_SCHEME = "postgresql+psycopg"


def create_database(server_url: str, name: str, template: str = "template1") -> str:
    """Create the database `name` unless it is there; return its URL. Takes and gives SQLAlchemy URLs.

    It is a copy of the database `template`, to which nobody may be connected meanwhile.
    """
    with _connected(server_url) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if known is None:
            command = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(command.format(sql.Identifier(name), sql.Identifier(template)))
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def drop_database(server_url: str, name: str) -> None:
    """Drop the database `name` if it is there; sessions that still use it are ended."""
    with _connected(server_url) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def fresh_database(server_url: str, name: str, template: str = "template1") -> Iterator[str]:
    """Yield the URL of a database, empty or a copy of `template`, that is dropped at the end."""
    drop_database(server_url, name)
    try:
        yield create_database(server_url, name, template)
    finally:
        drop_database(server_url, name)


@contextmanager
def _connected(server_url: str) -> Iterator[psycopg.Connection]:
    plain = urlsplit(server_url)._replace(scheme="postgresql")
    try:
        connection = psycopg.connect(urlunsplit(plain), autocommit=True, connect_timeout=CONNECT_BOUND_S)
    except psycopg.OperationalError as refused:
        raise PlatformError(
            f"The PostgreSQL server at {plain.hostname}:{plain.port} cannot be reached: {refused}"
        ) from refused
    with connection:
        yield connection
