"""How long nobody takes the audit trail away, as the owner says; and triggers that look at our tables and no others."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

# Whatever a block says: who marks rows as destroyed can take away neither that word nor what stands beside it.
_KEPT = """
CREATE FUNCTION signaalwissel_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM audit_kept WHERE OLD.at > transaction_timestamp() - make_interval(days => days);
    IF FOUND THEN
        RAISE EXCEPTION 'table %: % is refused: what is so young is kept, as the owner of the tables says',
            TG_TABLE_NAME, TG_OP USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$
"""
_LOOKING = ("guard", "shortened", "kept")
"""Functions that look into tables: a temporary table of the same name would otherwise come first."""
_KEEPING = {"audit_events": "UPDATE OR DELETE", "audit_blocks": "DELETE"}


def upgrade() -> None:
    """Create the table, which keeps nothing until the owner says so, and the triggers."""
    op.create_table(
        "audit_kept",
        sa.Column("days", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("days", name=op.f("pk_audit_kept")),
    )
    op.execute("INSERT INTO audit_kept VALUES (0)")
    # The trigger reads it with the rights of whoever takes something away, and `database grant` of a program that does
    # not know the table gives none. It is one number and says nothing of anybody.
    op.execute("GRANT SELECT ON audit_kept TO PUBLIC")
    op.execute(_KEPT)
    for table, what in _KEEPING.items():
        op.execute(
            f"CREATE TRIGGER tr_{table}_kept BEFORE {what} ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION signaalwissel_kept()"
        )
    for name in _LOOKING:
        op.execute(
            f"DO $$ BEGIN EXECUTE format('ALTER FUNCTION signaalwissel_{name}() SET search_path = %I, pg_temp',"
            " current_schema()); END $$"
        )


def downgrade() -> None:
    """Take them away."""
    for name in _LOOKING:
        op.execute(f"ALTER FUNCTION signaalwissel_{name}() RESET search_path")
    for table in _KEEPING:
        op.execute(f"DROP TRIGGER tr_{table}_kept ON {table}")
    op.execute("DROP FUNCTION signaalwissel_kept()")
    op.drop_table("audit_kept")
