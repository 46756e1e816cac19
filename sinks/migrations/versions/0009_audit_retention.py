"""The oldest blocks of the audit trail may go: from where each chain goes on stands in a table that is covered too."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

# At the end of the transaction: what was taken away must lie before the start of its chain.
_SHORTENED = """
CREATE FUNCTION signaalwissel_shortened() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM audit_starts WHERE chain = OLD.chain AND seq >= OLD.seq;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table audit_blocks: DELETE of block % of chain % is refused: the chain does not start after it',
            OLD.seq, OLD.chain USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Create the table; a block may be deleted when its chain starts after it."""
    op.create_table(
        "audit_starts",
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_audit_starts")),
    )
    op.execute(_SHORTENED)
    op.execute(
        "CREATE CONSTRAINT TRIGGER tr_audit_starts_guard AFTER UPDATE OR DELETE ON audit_starts "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION signaalwissel_guard('chain')"
    )
    op.execute(
        "CREATE TRIGGER tr_audit_starts_truncate BEFORE TRUNCATE ON audit_starts "
        "FOR EACH STATEMENT EXECUTE FUNCTION signaalwissel_refuse()"
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER tr_audit_blocks_shortened AFTER DELETE ON audit_blocks "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION signaalwissel_shortened()"
    )
    _keep("UPDATE")


def downgrade() -> None:
    """Let nothing be deleted again."""
    op.execute("DROP TRIGGER tr_audit_blocks_shortened ON audit_blocks")
    op.execute("DROP FUNCTION signaalwissel_shortened()")
    op.drop_table("audit_starts")
    _keep("UPDATE OR DELETE")


def _keep(what: str) -> None:
    op.execute("DROP TRIGGER tr_audit_blocks_stays ON audit_blocks")
    op.execute(
        f"CREATE TRIGGER tr_audit_blocks_stays BEFORE {what} ON audit_blocks "
        "FOR EACH ROW EXECUTE FUNCTION signaalwissel_refuse()"
    )
