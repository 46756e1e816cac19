"""The database says how old a program may be that works on it, so that a program of the version before can go back.

A migration that only adds leaves the answer as it is. One that takes away what older programs use raises it.
"""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """From here on a program looks at it before it refuses a database that is newer than itself."""
    op.execute(
        "CREATE FUNCTION signaalwissel_oldest_program() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT '0012' $$"
    )


def downgrade() -> None:
    """Take it away."""
    op.execute("DROP FUNCTION signaalwissel_oldest_program()")
