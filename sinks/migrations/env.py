"""Alembic's entry: runs the migrations on the connection that `signaalwissel.sinks.database` hands over."""

from alembic import context
from signaalwissel.sinks import accounting_tables, open_klant_tables  # noqa: F401 - they add their tables
from signaalwissel.sinks.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    # Whoever imports the last table to be defined has them all.
    target_metadata=METADATA,
)
with context.begin_transaction():
    context.run_migrations()
