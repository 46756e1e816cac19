"""What is kept of months whose signals are destroyed is read by the pages, of the reader's own municipalities."""

from alembic import op

revision = "0011"
down_revision = "0010"

_MINE = "municipality = ANY (string_to_array(current_setting('signaalwissel.municipalities', true), ','))"


def upgrade() -> None:
    """Let readers see the rows of their municipalities."""
    op.execute("ALTER TABLE retained_figures ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY readers ON retained_figures FOR SELECT USING ({_MINE})")
    op.execute(
        "CREATE INDEX ix_tasks_figures ON tasks (municipality, opened_on) WHERE kind = 'CONTACT_ON_RELAPSE'"
    )


def downgrade() -> None:
    """Take it away."""
    op.execute("DROP INDEX ix_tasks_figures")
    op.execute("DROP POLICY readers ON retained_figures")
    op.execute("ALTER TABLE retained_figures DISABLE ROW LEVEL SECURITY")
