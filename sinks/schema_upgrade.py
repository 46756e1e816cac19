"""The database's schema and the program's: brought up to date, or used as it is when a newer program has been here.

Flows in: a connection. Flows out: what was found, and a schema that this program works on. Two versions of the program
work on one database while one takes over from the other, so a migration adds first (nullable or with a default), and
takes away one version later, when it also raises `signaalwissel_oldest_program()` (docs/deploy.md, upgrade and back).
"""

import logging
from pathlib import Path
from typing import NamedTuple

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from signaalwissel.sinks.settings import SinkError
from sqlalchemy import Connection, text

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"


_MAY_CHANGE = text(
    """
    SELECT CASE WHEN to_regclass('alembic_version') IS NULL
        THEN has_schema_privilege(current_schema(), 'CREATE')
        ELSE (
            SELECT pg_has_role(current_user, relowner, 'USAGE')
            FROM pg_class WHERE oid = to_regclass('alembic_version')
        )
    END
    """
)


class SchemaTooNew(SinkError):
    """A newer program has taken away what this one uses."""


class NotTheOwner(SinkError):
    """The tables are not those of this program, and this login may not change them."""


class Upgraded(NamedTuple):
    """What became of the schema.

    Attributes:
        before: The version that was found; None in an empty database.
        now: The version that is there now.
        newer: Whether that is one that this program does not know; it works on it all the same.
    """

    before: str | None
    now: str
    newer: bool = False


def upgrade(connection: Connection, migrations: Path = MIGRATIONS) -> Upgraded:
    """Run the migrations that are missing, on a connection of the caller's. Each of them commits.

    Args:
        connection: To the database, in no transaction that has changed anything.
        migrations: The folder with the scripts.

    Raises:
        SchemaTooNew: The database is newer than this program, and says that programs as old as this one cannot use it.
        NotTheOwner: There is something to do, and this login may not.
    """
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    before = MigrationContext.configure(connection).get_current_revision()
    if before is not None and before not in known:
        _check_usable(connection, before, known, scripts.get_current_head())
        log.warning("the database has version %s, newer than this program; it works on it", before)
        return Upgraded(before, before, newer=True)
    head = scripts.get_current_head() or ""
    if before != head:
        _check_owner(connection, before, head)
        # Indexes are made outside a transaction, so none may be open.
        connection.commit()
        command.upgrade(config, "head")
    return Upgraded(before, head)


def _check_owner(connection: Connection, before: str | None, head: str) -> None:
    if connection.execute(_MAY_CHANGE).scalar_one():
        return
    raise NotTheOwner(
        f"PostgreSQL: the database has {before or 'no tables'}, this program needs version {head}, and this login may not"
        " change it: run `signaalwissel database migrate` as the owner of the tables"
    )


def _check_usable(connection: Connection, found: str, known: set[str], head: str | None) -> None:
    there = connection.execute(
        text("SELECT to_regproc('signaalwissel_oldest_program') IS NOT NULL")
    ).scalar_one()
    oldest = connection.execute(text("SELECT signaalwissel_oldest_program()")).scalar_one() if there else None
    if oldest not in known:
        raise SchemaTooNew(
            f"PostgreSQL: the database has version {found} and takes programs from version {oldest} on; this one is of"
            f" version {head}. Start the newer program, or restore the backup from before the upgrade"
        )
