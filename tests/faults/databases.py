"""Databases of a run: made anew, and asked past every proxy."""

import psycopg
from sqlalchemy import make_url

from tests.faults.run import Run


def new_database(run: Run, name: str) -> str:
    with psycopg.connect(plain(run.servers.postgres.address), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    return make_url(run.servers.postgres.address).set(database=name).render_as_string(hide_password=False)


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
