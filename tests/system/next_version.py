"""The program as its next version would be: `python -m tests.system.next_version FOLDER COMMAND ...`.

Never part of the product: its migrations are those in FOLDER, where one more was put that adds to the schema.
"""

import shutil
import sys
from pathlib import Path

from signaalwissel.console.main import main
from signaalwissel.sinks import access, database, schema_upgrade

REVISION = "next"
_ADDS = '''"""What a next version could add: a column in a table that is written all the time, a table, an index."""

from alembic import op

revision = "next"
down_revision = "{head}"


def upgrade() -> None:
    """Add."""
    op.execute("ALTER TABLE decisions ADD COLUMN colour text")
    op.execute("ALTER TABLE tasks ADD COLUMN weight integer NOT NULL DEFAULT 0")
    op.execute("CREATE TABLE added (id bigint PRIMARY KEY)")
    op.execute("CREATE INDEX ix_decisions_colour ON decisions (colour)")
{more}

def downgrade() -> None:
    """Never run."""
'''
_RAISES = (
    '    op.execute("CREATE OR REPLACE FUNCTION signaalwissel_oldest_program() RETURNS text LANGUAGE sql IMMUTABLE'
    " AS $$ SELECT 'next' $$\")\n"
)


def next_migrations(folder: Path, head: str, *, contracts: bool = False) -> Path:
    """The migrations of a version that comes after this one.

    Args:
        folder: To make them in.
        head: This version's newest.
        contracts: Whether it also says that programs of this version cannot work on it.
    """
    made = folder / "migrations"
    shutil.copytree(schema_upgrade.MIGRATIONS, made)
    script = _ADDS.format(head=head, more=_RAISES if contracts else "")
    (made / "versions" / "next.py").write_text(script, "utf-8")
    return made


def run(folder: str) -> None:
    """Run the program with the migrations of a folder."""
    schema_upgrade.upgrade.__defaults__ = (Path(folder),)
    access.MIGRATIONS = Path(folder)
    assert database.upgrade is schema_upgrade.upgrade
    main()


if __name__ == "__main__":
    run(sys.argv.pop(1))
