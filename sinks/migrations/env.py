"""Alembic's entry: runs the migrations on the connection that `signaalwissel.sinks.database` hands over."""

from alembic import context
from signaalwissel.sinks.open_klant_tables import open_klant_handovers

context.configure(
    connection=context.config.attributes["connection"],
    # Whoever imports the last table to be defined has them all.
    target_metadata=open_klant_handovers.metadata,
)
with context.begin_transaction():
    context.run_migrations()
