"""Alembic's entry: runs the migrations on the connection that `signaalwissel.sinks.database` hands over."""

from alembic import context
from signaalwissel.sinks import (
    accounting_tables,
    feedback_tables,
    open_klant_tables,
    retention_tables,
    subject_tables,
    web_tables,
)
from signaalwissel.sinks.tables import METADATA

# Importing a module of tables is what defines them.
assert accounting_tables  # noqa: S101 - never false
assert feedback_tables  # noqa: S101 - never false
assert open_klant_tables  # noqa: S101 - never false
assert retention_tables  # noqa: S101 - never false
assert subject_tables  # noqa: S101 - never false
assert web_tables  # noqa: S101 - never false
context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
