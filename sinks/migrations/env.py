"""Alembic's entry: runs the migrations on the connection that `signaalwissel.sinks.database` hands over."""

from alembic import context
from signaalwissel.sinks import open_klant_tables  # noqa: F401 its table is one of the metadata
from signaalwissel.sinks.subject_tables import subject_requests

context.configure(
    connection=context.config.attributes["connection"],
    # Whoever imports the modules of tables has them all.
    target_metadata=subject_requests.metadata,
)
with context.begin_transaction():
    context.run_migrations()
