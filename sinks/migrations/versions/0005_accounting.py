"""The processing log's buffer and the audit trail's chains; what stands already is taken into a chain of its own."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from signaalwissel.processors.audit_chain import COVERED, KEYS, as_written
from signaalwissel.processors.processing_register import BUILT_IN
from signaalwissel.sinks.ledger import Ledger
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

_GUARDED = {
    "decisions": ("routing_id",),
    "task_history": ("task_id", "position"),
    "audit_events": ("event_id",),
}
_WINDOW = 5000

_REFUSE = """
CREATE FUNCTION signaalwissel_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table %: % is refused: what stands in the audit trail stays', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
# At the end of the transaction: what it took away must stand in a block that it wrote.
_GUARD = """
CREATE FUNCTION signaalwissel_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken text := to_jsonb(OLD) ->> TG_ARGV[0];
BEGIN
    IF TG_NARGS > 1 THEN
        taken := taken || '/' || (to_jsonb(OLD) ->> TG_ARGV[1]);
    END IF;
    IF TG_OP = 'UPDATE' AND NEW IS NOT DISTINCT FROM OLD THEN
        RETURN NULL;
    END IF;
    PERFORM 1 FROM audit_blocks
        WHERE kind = 'destroyed' AND at = transaction_timestamp() AND source = TG_TABLE_NAME AND taken = ANY (ids);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table %: % of % is refused: no block of the audit trail says that it is destroyed',
            TG_TABLE_NAME, TG_OP, taken USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""
_FORWARD = """
CREATE FUNCTION signaalwissel_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.chain <> OLD.chain OR NEW.seq <= OLD.seq THEN
        RAISE EXCEPTION 'audit_chains: chain % only goes on', OLD.chain
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Create tables and triggers; seal what stands."""
    _create_processing_log()
    _create_audit()
    for function in (_REFUSE, _GUARD, _FORWARD):
        op.execute(function)
    for table, keys in _GUARDED.items():
        arguments = ", ".join(f"'{key}'" for key in keys)
        op.execute(
            f"CREATE CONSTRAINT TRIGGER tr_{table}_guard AFTER UPDATE OR DELETE ON {table} "
            f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION signaalwissel_guard({arguments})"
        )
    for table in (*_GUARDED, "audit_blocks", "audit_chains"):
        _refuse(table, "TRUNCATE", "STATEMENT")
    _refuse("audit_blocks", "UPDATE OR DELETE", "ROW")
    _refuse("audit_chains", "DELETE", "ROW")
    op.execute(
        "CREATE TRIGGER tr_audit_chains_forward BEFORE UPDATE ON audit_chains "
        "FOR EACH ROW EXECUTE FUNCTION signaalwissel_forward()"
    )
    for source in ("decisions", "task_history"):
        _seal(source)


def downgrade() -> None:
    """Drop them."""
    for table in ("decisions", "task_history"):
        op.execute(f"DROP TRIGGER tr_{table}_guard ON {table}")
        op.execute(f"DROP TRIGGER tr_{table}_truncate ON {table}")
    for table in ("audit_events", "audit_blocks", "audit_chains", "processing_log"):
        op.drop_table(table)
    for function in ("refuse", "guard", "forward"):
        op.execute(f"DROP FUNCTION signaalwissel_{function}()")


def _refuse(table: str, what: str, per: str) -> None:
    name = f"tr_{table}_truncate" if what == "TRUNCATE" else f"tr_{table}_stays"
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {what} ON {table} FOR EACH {per} EXECUTE FUNCTION signaalwissel_refuse()"
    )


def _seal(source: str) -> None:
    connection = op.get_bind()
    columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in COVERED[source]]
    ledger = Ledger("before", lambda _: BUILT_IN)
    # One cursor over a table that nobody else writes: a migration runs alone.
    keys = columns[: len(KEYS[source])]
    read: sa.Select[Any] = sa.select(*columns).select_from(sa.table(source)).order_by(*keys)
    rows = connection.execute(read, execution_options={"yield_per": _WINDOW})
    for window in rows.partitions():
        ledger.recorded(source, [as_written(row) for row in window])
    ledger.store(connection)


def _create_processing_log() -> None:
    op.create_table(
        "processing_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_processing_log")),
    )
    op.create_index(
        "ix_processing_log_unsent", "processing_log", ["id"], postgresql_where=sa.text("sent_at IS NULL")
    )
    op.create_index(
        "ix_processing_log_sent_at",
        "processing_log",
        ["sent_at"],
        postgresql_where=sa.text("sent_at IS NOT NULL"),
    )


def _create_audit() -> None:
    op.create_table(
        "audit_chains",
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_audit_chains")),
    )
    op.create_table(
        "audit_blocks",
        sa.Column("block_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block_id", name=op.f("pk_audit_blocks")),
        sa.UniqueConstraint("chain", "seq", name=op.f("uq_audit_blocks_chain_seq")),
    )
    op.create_index(
        "ix_audit_blocks_destroyed", "audit_blocks", ["at"], postgresql_where=sa.text("kind = 'destroyed'")
    )
    op.create_table(
        "audit_events",
        sa.Column("event_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("municipality", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.LargeBinary(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_audit_events")),
    )
